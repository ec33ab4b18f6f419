// Package cost measures what masking takes from a caller who presses no key: the share of the time that was replaced, how often,
// and how often that clicks.
//
// Speech is cut off where a mask begins and cut in where it ends, and may not be faded there: what is masked is replaced whole, and
// what isn't passes bit for bit. So the waveform steps. It clicks where that step is greater than each one, from frame to frame,
// that the caller's own sound made within 20 ms on either side, and greater than the amplitude of -40 dBm0: speech hides lesser
// steps in its own, and a room the softest.
package cost

import (
	"slices"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/proof/corpus"
)

// Tally counts frames, bursts, and the edges of these.
type Tally struct {
	Frames, Masked, Bursts int
	Edges, Clicks          int
}

// Add adds o.
func (t *Tally) Add(o *Tally) {
	t.Frames += o.Frames
	t.Masked += o.Masked
	t.Bursts += o.Bursts
	t.Edges += o.Edges
	t.Clicks += o.Clicks
}

// Share of the time that was masked, in per cent.
func (t *Tally) Share() float64 { return 100 * float64(t.Masked) / float64(t.Frames) }

// PerMinute is the number of bursts a minute.
func (t *Tally) PerMinute() float64 {
	return float64(t.Bursts) * 60 * float64(corpus.Rate) / float64(t.Frames)
}

// ClickShare is the share of the edges that click, in per cent.
func (t *Tally) ClickShare() float64 { return 100 * float64(t.Clicks) / float64(t.Edges) }

// apart are the frames of untouched sound that separate two bursts; fewer may be equal by chance.
const apart = 4 * int(corpus.Rate) / 1000

// Unit compares what was heard with what was said. Masked is how many frames the path says it replaced: where silence is
// replaced by silence, comparing doesn't show it.
func Unit(said, heard []int16, masked int) *Tally {
	t := &Tally{Frames: len(said), Masked: masked}
	const never = -1
	first, last := never, 0 // of the burst under way
	for i, v := range said {
		if heard[i] == v {
			continue
		}
		if first != never && i-last > apart {
			t.burst(said, heard, first, last)
			first = never
		}
		if first == never {
			first = i
		}
		last = i
	}
	if first != never {
		t.burst(said, heard, first, last)
	}
	return t
}

// burst counts one, whose first and last frames that differ are given.
func (t *Tally) burst(said, heard []int16, first, last int) {
	t.Bursts++
	for _, at := range []int{first, last + 1} {
		if at < around || at+around > len(said) {
			continue
		}
		t.Edges++
		if s := step(heard, at); s > leastClick && s > slices.Max(steps(said[at-around:at+around])) {
			t.Clicks++
		}
	}
}

// around are the frames on either side of an edge whose own steps hide it.
const around = 20 * int(corpus.Rate) / 1000

var leastClick = int(audio.Amplitude(-40))

// step is the size of the one to a frame.
func step(x []int16, at int) int {
	d := int(x[at]) - int(x[at-1])
	return max(d, -d)
}

func steps(x []int16) (all []int) {
	for i := 1; i < len(x); i++ {
		all = append(all, step(x, i))
	}
	return all
}
