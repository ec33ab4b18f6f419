// Package cost measures what masking takes from a caller who presses no key: the share of the time that was replaced, and how
// often.
package cost

import "github.com/flattone/flattone/proof/corpus"

// Tally counts frames and bursts.
type Tally struct {
	Frames, Masked, Bursts int
}

// Add adds o.
func (t *Tally) Add(o *Tally) {
	t.Frames += o.Frames
	t.Masked += o.Masked
	t.Bursts += o.Bursts
}

// Share of the time that was masked, in per cent.
func (t *Tally) Share() float64 { return 100 * float64(t.Masked) / float64(t.Frames) }

// PerMinute is the number of bursts a minute.
func (t *Tally) PerMinute() float64 {
	return float64(t.Bursts) * 60 * float64(corpus.Rate) / float64(t.Frames)
}

// apart are the frames of untouched sound that separate two bursts; fewer may be equal by chance.
const apart = 4 * int(corpus.Rate) / 1000

// Unit compares what was heard with what was said. Masked is how many frames the path says it replaced: where silence is
// replaced by silence, comparing doesn't show it.
func Unit(said, heard []int16, masked int) *Tally {
	t := &Tally{Frames: len(said), Masked: masked}
	last := -apart - 1
	for i, v := range said {
		if heard[i] == v {
			continue
		}
		if i-last > apart {
			t.Bursts++
		}
		last = i
	}
	return t
}
