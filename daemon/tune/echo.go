package tune

import (
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/ring"
)

// EchoTime is how late a leg's own sound comes back in a loopback: so late that nobody takes it for his telephone's own.
const EchoTime = 500 * time.Millisecond

// echo is a leg's own sound on its way back, in locked memory. All of it belongs to the device's thread.
type echo struct {
	ring *ring.Ring
	late int
	of   *play // whose sound is in it
}

func newEcho(rate audio.Rate) (echo, error) {
	late := rate.Frames(EchoTime)
	r, err := ring.New(late + path.MaxBlock)
	return echo{ring: r, late: late}, err
}

// take takes what came in, while p loops; with a new one it begins anew.
func (e *echo) take(p *play, in []int16) {
	if p != nil && p.loops {
		e.begin(p)
		fill(e.ring, in)
	}
}

func (e *echo) lost(p *play, frames int) {
	if p != nil && p.loops {
		e.begin(p)
		silence(e.ring, frames)
	}
}

func (e *echo) begin(p *play) {
	if e.of == p {
		return
	}
	e.of = p
	empty(e.ring)
	silence(e.ring, e.late)
}

// fill gives what is due.
func (e *echo) fill(out []int16) {
	n := copy(out, e.ring.Head(len(out)))
	e.ring.Release(n)
	clear(out[n:])
}
