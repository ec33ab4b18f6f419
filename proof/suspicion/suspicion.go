// Package suspicion measures how many milliseconds after the onset of a key the mask may first be hung on it. A look-ahead must be
// longer than that, or the onset has left before it is suspect: what lies between them is the margin of a line.
//
// It asks the detector alone, since the mask reaches back and so hides when it was called. It must never print a key.
package suspicion

import (
	"errors"
	"math"

	"github.com/flattone/flattone/audio/detect"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/proof/corpus"
)

// Tally has the latency of each key in ms; infinite where it was never suspected while it was sent.
type Tally struct{ MS []float64 }

// Add adds o.
func (t *Tally) Add(o *Tally) { t.MS = append(t.MS, o.MS...) }

// Over is how many keys were suspected later than ms.
func (t *Tally) Over(ms float64) (n int) {
	for _, v := range t.MS {
		if v > ms {
			n++
		}
	}
	return n
}

// Unit measures the keys of a unit, by series.
func Unit(u *corpus.Unit, grade mask.Grade) (_ corpus.Tallies[Tally], err error) {
	d, err := detect.New(corpus.Rate)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	tick := corpus.Rate.TickFrames()
	suspect := make([]bool, len(u.PCM)/tick)
	for i := range suspect {
		var v detect.Verdict
		d.Tick(u.PCM[i*tick:][:tick], &v)
		suspect[i] = grade.Suspects(&v)
	}
	series := corpus.Tallies[Tally]{}
	for _, e := range u.Events {
		if !e.Judged() {
			continue
		}
		t := series.Of(e.Group)
		t.MS = append(t.MS, after(suspect, e, tick))
	}
	return series, nil
}

// after is the time from the onset of e to the end of the first tick that was suspect.
func after(suspect []bool, e corpus.Event, tick int) float64 {
	for i := e.Start / tick; i < min(len(suspect), (e.End+tick-1)/tick); i++ {
		if suspect[i] {
			return 1000 * float64((i+1)*tick-e.Start) / float64(corpus.Rate)
		}
	}
	return math.Inf(1)
}
