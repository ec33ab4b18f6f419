package resample

import (
	"time"

	"github.com/flattone/flattone/audio"
)

// burst is how much comes from a device at once: a turn, or several, as from a modem that gives five of its frames with one transfer of USB. A thread that
// was held up makes up for it by a burst as well, but only once: so of the last three the one in the middle counts. What counted stays for a while when
// less comes, so that a device that is undecided isn't followed back and forth.
type burst struct {
	rate   audio.Rate
	last   time.Duration // when the last turn was
	frames int64         // since the burst began
	past   [3]int64      // the last ones that are over
	count  int           // of all that are
	usual  int64         // how many frames come at once
	less   int           // bursts for which less came
}

// lessFor is for how many bursts in a row less must come.
const lessFor = 10

// turn takes a device's turn, and reports whether it begins a burst: whether it comes later than a quarter of its own time after the one before.
func (b *burst) turn(frames int64, when time.Duration) (first bool) {
	first = b.frames == 0 || when-b.last > b.rate.Duration(frames)/4
	if first && b.frames > 0 {
		b.over()
		b.frames = 0
	}
	b.frames += frames
	b.last = when
	if b.count < len(b.past) {
		b.usual = max(b.usual, b.frames)
	}
	return first
}

// over judges a burst that is.
func (b *burst) over() {
	b.past[b.count%len(b.past)] = b.frames
	if b.count++; b.count < len(b.past) {
		return
	}
	middle := max(min(b.past[0], b.past[1]), min(max(b.past[0], b.past[1]), b.past[2]))
	if b.less++; middle >= b.usual {
		b.less = 0
	}
	if b.less == 0 || b.less == lessFor {
		b.usual, b.less = middle, 0
	}
}
