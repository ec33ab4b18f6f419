// Package score compares the keys that a detector reported with those that were sent, category by category: recognised, mistaken,
// invented, split, merged, how late, and how well their ends were told.
//
// A report belongs to a signal if it came between its start and 60 ms after its end, and says that the key began before that end.
// The rules are those of any detector, so peers can be measured by them too. Nothing here prints a key.
package score

import (
	"math"
	"slices"

	"github.com/flattone/flattone/proof/corpus"
	"github.com/flattone/flattone/proof/trial"
)

// Tally counts what became of the signals of a category or a series. Times are in ms.
type Tally struct {
	Accept, Hit  int // keys that must be recognised
	Wrong        int // taken for other keys
	May, MayHit  int
	Reject       int // signals that must not be taken for keys,
	Rejected     int // and that were
	False        int // keys reported where there was none, and for what must not be
	Split        int // keys reported again
	Bridge       int // keys with a hole so short that they must count once,
	BridgeSplit  int // and that were reported again
	Merged       int // keys taken for a part of the one before
	Hours        float64
	Delays       []float64 // from onset to report
	Starts, Ends []float64 // reported minus true
}

// Add adds o.
func (t *Tally) Add(o *Tally) {
	for _, c := range []struct{ to, from *int }{{&t.Accept, &o.Accept}, {&t.Hit, &o.Hit}, {&t.Wrong, &o.Wrong}, {&t.May, &o.May},
		{&t.MayHit, &o.MayHit}, {&t.Reject, &o.Reject}, {&t.Rejected, &o.Rejected}, {&t.False, &o.False}, {&t.Split, &o.Split},
		{&t.Bridge, &o.Bridge}, {&t.BridgeSplit, &o.BridgeSplit}, {&t.Merged, &o.Merged}} {
		*c.to += *c.from
	}
	t.Hours += o.Hours
	t.Delays = append(t.Delays, o.Delays...)
	t.Starts = append(t.Starts, o.Starts...)
	t.Ends = append(t.Ends, o.Ends...)
}

// HitRate is the share of keys recognised that must be, in per cent; NaN if there are none.
func (t *Tally) HitRate() float64 { return 100 * float64(t.Hit) / float64(t.Accept) }

// Quantile is the value below which the share p of values lies; NaN if there are none.
func Quantile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(values))
	return s[min(len(s)-1, int(p*float64(len(s))))]
}

// Sizes are the values without their signs.
func Sizes(values []float64) []float64 {
	s := make([]float64, len(values))
	for i, v := range values {
		s[i] = math.Abs(v)
	}
	return s
}

// reach of a report after the end of its signal: of the right key, and of a wrong one.
const (
	late      = 60 * framesPerMS
	lateWrong = 30 * framesPerMS
)

const framesPerMS = int(corpus.Rate) / 1000

func toMS(frames int) float64 { return float64(frames) / float64(framesPerMS) }

// Unit scores one unit, by series. Keys must be in the order in which they were reported.
func Unit(u *corpus.Unit, keys []trial.Key) corpus.Tallies[Tally] {
	m := matcher{keys: keys, used: make([]bool, len(keys)), series: corpus.Tallies[Tally]{}}
	for _, e := range u.Events {
		m.event(e)
	}
	m.rest(u)
	m.series.Of("").Hours += float64(len(u.PCM)) / float64(corpus.Rate) / 3600
	return m.series
}

// matcher assigns reports to signals.
type matcher struct {
	keys   []trial.Key
	used   []bool
	series corpus.Tallies[Tally]

	last    *trial.Key // the report on the last key recognised
	lastKey byte
}

// claim finds the first report that is right for e, how many more there are, and how many are wrong.
func (m *matcher) claim(e corpus.Event) (hit *trial.Key, again, wrong int) {
	for i := range m.keys {
		k := &m.keys[i]
		if m.used[i] || k.Decided <= e.Start || k.Decided > e.End+late || k.Start >= e.End {
			continue
		}
		switch {
		case e.Key != 0 && k.Key == e.Key:
			if hit == nil {
				hit = k
			} else {
				again++
			}
			m.used[i] = true
		case k.Decided <= e.End+lateWrong:
			wrong++
			m.used[i] = true
		}
	}
	return hit, again, wrong
}

func (m *matcher) event(e corpus.Event) {
	t := m.series.Of(e.Group)
	hit, again, wrong := m.claim(e)
	switch e.Expect {
	case corpus.Accept:
		t.Accept++
		t.Wrong += wrong
		if e.Bridge {
			t.Bridge++
		}
		if hit == nil {
			if m.last != nil && m.lastKey == e.Key && m.last.End > e.Start+10*framesPerMS {
				t.Merged++
			}
			break
		}
		t.Hit++
		t.Split += again
		if e.Bridge {
			t.BridgeSplit += again
		}
		t.Delays = append(t.Delays, toMS(hit.Decided-e.Start))
		t.Starts = append(t.Starts, toMS(hit.Start-e.Start))
		if hit.End >= 0 {
			t.Ends = append(t.Ends, toMS(hit.End-e.End))
		}
	case corpus.May, corpus.Hide:
		t.May++
		t.Wrong += wrong
		if hit != nil {
			t.MayHit++
		}
	case corpus.Reject:
		t.Reject++
		t.False += again + wrong
		if hit != nil {
			t.False++
		}
		if hit != nil || wrong > 0 {
			t.Rejected++
		}
	}
	if hit != nil {
		m.last, m.lastKey = hit, e.Key
	}
}

// rest are the reports that belong to nothing: they count for the series that came last before them.
func (m *matcher) rest(u *corpus.Unit) {
	for i, k := range m.keys {
		if m.used[i] {
			continue
		}
		group := ""
		for _, e := range u.Events {
			if e.Start < k.Decided {
				group = e.Group
			}
		}
		m.series.Of(group).False++
	}
}
