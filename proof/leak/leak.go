// Package leak measures what of each key could be heard: the time in which the key sounded on the caller's leg, above
// [corpus.Faintest], and came out to the agent as it went in.
//
// The sample path passes a sample bit for bit or replaces it, so a leak is a stretch of equal samples; stretches below half a
// millisecond are taken for chance. A key has leaked if more than half a millisecond of it got through in all, because one to
// two milliseconds name the key. Echo and tail belong to their key until the next one begins. It knows nothing of how the mask
// decides, and must never print a key.
package leak

import (
	"github.com/flattone/flattone/proof/corpus"
)

// Least is the shortest stretch of equal samples that is no chance, and the most that a key may show, in frames.
const Least = int(corpus.Rate) / 2000

// Tally counts keys and leaks.
type Tally struct {
	Keys, Leaked int
	MS           []float64 // of each key that leaked
}

// Add adds o.
func (t *Tally) Add(o *Tally) {
	t.Keys += o.Keys
	t.Leaked += o.Leaked
	t.MS = append(t.MS, o.MS...)
}

// Share is the share of keys that leaked, in per cent.
func (t *Tally) Share() float64 { return 100 * float64(t.Leaked) / float64(t.Keys) }

// Bound is the share of keys, in per cent, that leaks at most, with 95 % confidence: three in n where none was seen, and about two
// standard deviations above what was seen otherwise.
func (t *Tally) Bound() float64 { return 100 * upper(t.Leaked) / float64(t.Keys) }

// Unit measures the keys of a unit, by series. Heard is the agent's leg, aligned with the caller's.
func Unit(u *corpus.Unit, heard []int16) corpus.Tallies[Tally] {
	series := corpus.Tallies[Tally]{}
	for i, e := range u.Events {
		if !e.Judged() {
			continue
		}
		t := series.Of(e.Group)
		end := len(heard)
		if i+1 < len(u.Events) {
			end = max(e.End, u.Events[i+1].Start)
		}
		t.Keys++
		if n := Frames(u, heard, e.Start, end); n > Least {
			t.Leaked++
			t.MS = append(t.MS, 1000*float64(n)/float64(corpus.Rate))
		}
	}
	return series
}

// Frames counts what sounded in [from, to) and was heard.
func Frames(u *corpus.Unit, heard []int16, from, to int) (n int) {
	run, sounding := 0, 0
	for i := from; i <= to; i++ {
		if i < to && heard[i] == u.PCM[i] {
			run++
			if u.Sounds[i] {
				sounding++
			}
			continue
		}
		if run >= Least {
			n += sounding
		}
		run, sounding = 0, 0
	}
	return n
}
