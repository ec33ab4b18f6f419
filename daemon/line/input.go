package line

import (
	"math/bits"
	"time"

	"github.com/flattone/flattone/daemon/capture"
)

// input judges, once a second, what comes in on one leg of a live line.
//
//	ok ── not one frame moved for 10 s ──▶ input_dead
//	   ◀── sound ──
//	ok ── clipped in 3 seconds of 10 ──▶ input_clips; by the gain that follows: gain_clips
//	   ◀── a minute without ──
//
// What is worse hides what is less so: dead, clipped as it comes in, clipped by the gain, then clocks_apart (see clocks). So nothing flickers, and a log isn't flooded.
type input struct {
	leg      string
	in, gain clipping
	apart    bool         // its device's clock is too far from the other's
	code     capture.Code // "" while there was never anything to tell
}

// deadAfter is long for a converter, and short for somebody who waits at the telephone.
const deadAfter = 10 * time.Second

// second takes how many frames were clipped since the beginning, and for how long none has moved.
func (i *input) second(clipped, gainClipped int64, still time.Duration) {
	in, gain := i.in.second(clipped), i.gain.second(gainClipped)
	switch {
	case still >= deadAfter:
		i.code = capture.InputDead
	case in:
		i.code = capture.InputClips
	case gain:
		i.code = capture.GainClips
	case i.apart:
		i.code = capture.ClocksApart
	case i.code != "":
		i.code = capture.OK
	}
}

// clipping tells whether sound is clipped time and again.
type clipping struct {
	count   int64  // of frames, up to the last second
	seconds uint64 // in which of the last 64 there were enough: the newest is bit 0
	on      bool
}

const (
	clipFrames  = 3 // of a second, that are enough
	clipSeconds = 3 // that raise it,
	clipWithin  = 10
	clipCalm    = 60 // seconds without, that end it
)

func (c *clipping) second(count int64) bool {
	c.seconds <<= 1
	if count-c.count >= clipFrames {
		c.seconds |= 1
	}
	c.count = count
	if bits.OnesCount64(c.seconds&(1<<clipWithin-1)) >= clipSeconds {
		c.on = true
	} else if c.seconds&(1<<clipCalm-1) == 0 {
		c.on = false
	}
	return c.on
}
