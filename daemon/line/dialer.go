package line

import (
	"sync/atomic"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// dialer keys an emergency number to the caller's side in the agent's stead, whose keys were kept from it while the line was armed: an exchange or a telephone system
// there waits for them, and so does he.
type dialer struct {
	rate audio.Rate
	next atomic.Pointer[[]int16] // what is to be heard now
	rest []int16                 // what is being heard; it belongs to the caller's port
}

// As a telephone keys (ETSI ES 201 235-2): at least 65 ms each, here a little more for what lies in between.
const (
	dialMS      = 100
	dialDBm0    = -9
	dialTwistDB = 2
	dialEdgeMS  = 2
)

// dial has a number keyed from the next period on. It is safe while mix runs.
func (d *dialer) dial(number string) {
	frames := int(d.rate) * dialMS / 1000
	var sound []int16
	for _, key := range []byte(number) {
		pair, _ := tone.Pair(key, dialDBm0, dialTwistDB)
		sound = tone.Append(sound, d.rate, frames, frames*dialEdgeMS/dialMS, pair[:]...)
		sound = append(sound, make([]int16, frames)...)
	}
	d.next.Store(&sound)
}

// mix adds what falls into out.
func (d *dialer) mix(out []int16) {
	if d.next.Load() != nil {
		d.rest = *d.next.Swap(nil)
	}
	n := min(len(out), len(d.rest))
	for i, v := range d.rest[:n] {
		add(&out[i], v)
	}
	d.rest = d.rest[n:]
}
