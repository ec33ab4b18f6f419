package line

import (
	"math"
	"sync/atomic"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// cue is a soft tick to the caller for every key, the same for all, where the slot of the key's flat tone begins
// on the caller's clock: a caller without a sidetone knows that the key was taken, and learns nothing else.
//
// The session asks for one tick at a time, and for the next when the slot of the one before has begun, which may
// be before that has sounded: so there is room for two.
type cue struct {
	tick []int16
	// next is where the tick that was asked for last begins; 0 for none.
	next atomic.Int64
	// at is where the one begins that sounds, or will; 0 for none. It belongs to the caller's port.
	at audio.Position
}

const (
	cueHz   = 480
	cueDBm0 = -24
	cueMS   = 20
)

func (c *cue) init(rate audio.Rate) {
	frames := int(rate) * cueMS / 1000
	c.tick = tone.Append(nil, rate, frames, frames/2, tone.Sine{Hz: cueHz, DBm0: cueDBm0})
}

// play asks for a tick at a position on the caller's clock. It is safe while mix runs.
func (c *cue) play(at audio.Position) { c.next.Store(int64(at)) }

// mix adds the part of the tick that falls into out, whose first frame is at from. A tick that was asked for too
// late to be whole is left out.
func (c *cue) mix(out []int16, from audio.Position) {
	if c.at == 0 {
		if c.at = audio.Position(c.next.Swap(0)); c.at < from {
			c.at = 0
		}
	}
	end := c.at + audio.Position(len(c.tick))
	for at := max(from, c.at); c.at != 0 && at < min(end, from+audio.Position(len(out))); at++ {
		add(&out[at-from], c.tick[at-c.at])
	}
	if end <= from+audio.Position(len(out)) {
		c.at = 0
	}
}

// add mixes a frame with another.
func add(to *int16, v int16) {
	*to = int16(max(math.MinInt16, min(math.MaxInt16, int32(*to)+int32(v))))
}
