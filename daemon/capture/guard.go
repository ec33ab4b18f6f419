package capture

import (
	"time"

	"github.com/flattone/flattone/audio"
)

// guard leaves out the second half of keys that a phone sends twice.
//
// With a fixed guard, the same key again within that time of its end is a bounce. Without one the guard
// learns from the first keys of the call: a phone that doubles sends four pairs of the same digit in a row,
// with one and the same short pause inside every pair and longer ones between. People who key 4444 have one
// rhythm throughout, and no card number that is keyed by hand begins with four such pairs: the first key
// that doesn't fit ends the lesson, and the guard stays out of the way.
type guard struct {
	fixed   time.Duration
	learnt  time.Duration
	last    audio.Digit
	bounced bool // the last key was a bounce: a phone sends a key twice, not three times

	lesson int // keys that fit so far, -1 when it is over
	pause  time.Duration
}

const (
	minGuard    = 40 * time.Millisecond
	maxGuard    = 250 * time.Millisecond
	lessonPairs = 4
	// A phone's pauses are the same but for the detector's accuracy; a hand's are not.
	samePause   = 20 * time.Millisecond
	longerPause = 40 * time.Millisecond
)

type heard uint8

const (
	press   heard = iota // a key
	bounce               // the key before, once more
	doubled              // the last bounce of the lesson: every second key so far was one
)

// hear takes the next key and the pause since the end of the one before.
func (g *guard) hear(d audio.Digit, pause time.Duration) heard {
	same := d == g.last
	g.last = d
	if within := max(g.fixed, g.learnt); within > 0 {
		g.bounced = same && !g.bounced && pause <= within
		if g.bounced {
			return bounce
		}
		return press
	}
	if g.lesson >= 0 && !g.fits(d, same, pause) {
		g.lesson = -1
	}
	if g.lesson < 2*lessonPairs {
		return press
	}
	g.learnt = min(max(g.pause+samePause, minGuard), maxGuard)
	g.bounced = true
	return doubled
}

// fits reports whether a key goes on with the lesson.
func (g *guard) fits(d audio.Digit, same bool, pause time.Duration) bool {
	g.lesson++
	switch {
	case d.Reveal() < '0':
		return false // * and # change the field: what doubled before can't be told any more
	case g.lesson == 1:
		return true
	case g.lesson == 2:
		g.pause = pause
		return same && pause <= maxGuard
	case g.lesson%2 == 0:
		return same && (pause-g.pause).Abs() <= samePause
	default:
		return pause >= g.pause+longerPause
	}
}
