package capture

import (
	"time"

	"github.com/flattone/flattone/audio"
)

// guard leaves out the second half of keys that a phone sends twice.
//
// With a fixed guard, the same key again within that time of its end is a bounce. Without one the guard
// learns from the first keys of a field: a phone that doubles sends four pairs of the same digit in a row,
// with one and the same short pause inside every pair and longer ones between.
//
//	         a field begins          four pairs               another key after a pause as short
//	over <---------------- lesson -----------------> learnt -------------------------------------> hand
//	  |  a key doesn't fit   ^                                                  (nothing is learnt again)
//	  +----------------------+
//
// Hands that key four such pairs are rare, but there are card numbers that ask for it. So learning doesn't rewrite
// the field, it has it keyed again; and when a key follows another as soon as a bounce would, which a phone that
// doubles never sends, it was a hand after all.
type guard struct {
	fixed   time.Duration
	learnt  time.Duration
	last    audio.Digit
	bounced bool // the last key was a bounce: a phone sends a key twice, not three times
	hand    bool

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
	press    heard = iota // a key
	bounce                // the key before, once more
	doubled               // the last bounce of the lesson: every second key so far was one
	mistaken              // a key that shows that the lesson was wrong
)

// begin begins the lesson again: a field begins.
func (g *guard) begin() { g.lesson = 0 }

// hear takes the next key and the pause since the end of the one before.
func (g *guard) hear(d audio.Digit, pause time.Duration) heard {
	same := d == g.last
	g.last = d
	if within := max(g.fixed, g.learnt); within > 0 {
		if g.learnt > 0 && !same && pause <= g.learnt {
			g.learnt, g.hand = 0, true
			return mistaken
		}
		g.bounced = same && !g.bounced && pause <= within
		if g.bounced {
			return bounce
		}
		return press
	}
	if g.lesson >= 0 && !g.fits(d, same, pause) {
		g.lesson = -1
	}
	if g.lesson < 2*lessonPairs || g.hand {
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
