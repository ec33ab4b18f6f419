package path

import (
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect"
)

// burst is what may be a key on a leg, the newest there was: until when it sounded, and how loud.
type burst struct {
	upto  audio.Position
	power float32
	// The one that may be under way: ticks of suspicion, the power of the first of them, and ticks without since the last.
	ticks int
	sum   float32
	quiet int
}

const (
	burstGap  = 20 // ms that end a burst: a key has holes, and is suspected once more as it dies away
	burstHead = 20 // ms of it by which its level is told
)

// tick takes what was told of a tick that ends at a position.
func (b *burst) tick(v *detect.Verdict, at audio.Position) {
	if !v.Strict && !v.Held {
		if b.quiet++; b.quiet > burstGap {
			b.ticks, b.sum = 0, 0
		}
		return
	}
	b.quiet = 0
	if b.ticks++; b.ticks <= burstHead {
		b.sum += v.Power
	}
	if b.ticks >= gapSure {
		b.upto, b.power = at, b.sum/float32(min(b.ticks, burstHead))
	}
}

// A key that the agent presses comes back from the caller's line at least 6 dB softer, or the line isn't accepted (daemon/acceptance); 3 dB are for
// what noise and a codec make of that.
const backPower = 0.5

// bothWait is for how long after its onset an agent's key is waited for on the caller's leg: the two legs' clocks may be a period apart, see echoSlack.
const bothWait = 50 * time.Millisecond

// rivals reports whether a key of the agent's, of a power, sounds on this leg too, from a position on, and so loud that it may have come from there.
func (b *burst) rivals(from audio.Position, power float32) bool {
	return b.upto >= from && b.power > backPower*power
}
