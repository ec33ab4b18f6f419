package line

import (
	"sync/atomic"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// bell is what the agent hears while a call comes in on the caller's modem: two short rings and a pause, over and over. It is added to what he
// hears anyway, which of a line without a call is silence.
type bell struct {
	ring    []int16 // one
	between int     // frames from the first one's begin to the second one's
	every   int     // and to the next first one's
	on      atomic.Bool
	at      int // in that; belongs to the agent's port
}

// As telephones in Britain ring, in the tones that a caller there hears meanwhile (BT SIN 350), and softer than speech.
const (
	ringDBm0    = -27 // each of the two
	ringMS      = 400
	ringPauseMS = 200
	ringEveryMS = 3000
)

func (b *bell) init(rate audio.Rate) {
	frames := func(ms int) int { return int(rate) * ms / 1000 }
	b.between, b.every = frames(ringMS+ringPauseMS), frames(ringEveryMS)
	b.ring = tone.Append(make([]int16, 0, frames(ringMS)), rate, frames(ringMS), frames(10), tone.Sine{Hz: 400, DBm0: ringDBm0}, tone.Sine{Hz: 450, DBm0: ringDBm0})
}

// mix adds it to what the agent is given next; with each call it begins anew.
func (b *bell) mix(out []int16) {
	if !b.on.Load() {
		b.at = 0
		return
	}
	for i := range out {
		if at := b.at % b.between; at < len(b.ring) && b.at < 2*b.between {
			add(&out[i], b.ring[at])
		}
		b.at = (b.at + 1) % b.every
	}
}
