package score_test

import (
	"math"
	"testing"

	"github.com/flattone/flattone/proof/corpus"
	"github.com/flattone/flattone/proof/score"
	"github.com/flattone/flattone/proof/trial"
)

// oracle reports everything that must be recognised, 25 ms after its onset.
func oracle(u *corpus.Unit) (keys []trial.Key) {
	for _, e := range u.Events {
		if e.Expect == corpus.Accept {
			keys = append(keys, trial.Key{Key: e.Key, Start: e.Start, End: e.End, Decided: e.Start + 200})
		}
	}
	return keys
}

func whole(u *corpus.Unit, keys []trial.Key) *score.Tally {
	t := &score.Tally{}
	for _, s := range score.Unit(u, keys) {
		t.Add(s)
	}
	return t
}

func TestOracle(t *testing.T) {
	for i, r := range corpus.Synthetic(1) {
		if i%9 != 0 {
			continue
		}
		u, err := r.Make()
		if err != nil {
			t.Fatal(err)
		}
		s := whole(u, oracle(u))
		if s.Hit != s.Accept || s.Wrong+s.False+s.Split+s.Merged+s.MayHit+s.Rejected > 0 {
			t.Errorf("%s: %d of %d hit, %d wrong, %d false, %d split, %d merged, %d and %d others taken for keys",
				u.Category, s.Hit, s.Accept, s.Wrong, s.False, s.Split, s.Merged, s.MayHit, s.Rejected)
		}
		if s.Hit > 0 && (score.Quantile(s.Delays, 1) != 25 || score.Quantile(score.Sizes(s.Starts), 1) != 0 || score.Quantile(score.Sizes(s.Ends), 1) != 0) {
			t.Errorf("%s: times are off", u.Category)
		}
	}
}

func TestFaults(t *testing.T) {
	u := &corpus.Unit{PCM: make([]int16, 8000), Events: []corpus.Event{
		{Key: '1', Start: 1000, End: 1800, Expect: corpus.Accept, Bridge: true},
		{Key: '1', Start: 3000, End: 3800, Expect: corpus.Accept},
		{Key: '2', Start: 5000, End: 5800, Expect: corpus.Reject},
	}}
	right := trial.Key{Key: '1', Start: 1000, End: 1800, Decided: 1200}
	for name, c := range map[string]struct {
		keys []trial.Key
		want score.Tally
	}{
		"nothing":       {nil, score.Tally{}},
		"late":          {[]trial.Key{{Key: '1', Start: 1000, End: 1800, Decided: 2400}}, score.Tally{False: 1}},
		"wrong":         {[]trial.Key{{Key: '3', Start: 1000, End: 1800, Decided: 1200}}, score.Tally{Wrong: 1}},
		"split":         {[]trial.Key{right, {Key: '1', Start: 1400, End: 1800, Decided: 1600}}, score.Tally{Hit: 1, Split: 1, BridgeSplit: 1}},
		"from nowhere":  {[]trial.Key{{Key: '1', Start: 4200, End: 4400, Decided: 4400}}, score.Tally{False: 1}},
		"merged":        {[]trial.Key{{Key: '1', Start: 1000, End: 3800, Decided: 1200}}, score.Tally{Hit: 1, Merged: 1}},
		"reject":        {[]trial.Key{{Key: '2', Start: 5000, End: 5800, Decided: 5200}}, score.Tally{Rejected: 1, False: 1}},
		"reject, wrong": {[]trial.Key{{Key: '3', Start: 5000, End: 5800, Decided: 5200}}, score.Tally{Rejected: 1, False: 1}},
	} {
		s := whole(u, c.keys)
		got := score.Tally{Hit: s.Hit, Wrong: s.Wrong, False: s.False, Split: s.Split, BridgeSplit: s.BridgeSplit, Merged: s.Merged, Rejected: s.Rejected}
		w := c.want
		if got.Hit != w.Hit || got.Wrong != w.Wrong || got.False != w.False || got.Split != w.Split || got.BridgeSplit != w.BridgeSplit || got.Merged != w.Merged || got.Rejected != w.Rejected {
			t.Errorf("%s: %+v", name, got)
		}
		if s.Accept != 2 || s.Bridge != 1 || s.Reject != 1 || math.Abs(s.Hours*3600-1) > 1e-9 {
			t.Errorf("%s: %d keys, %d to bridge, %d to reject, %v h", name, s.Accept, s.Bridge, s.Reject, s.Hours)
		}
	}
}
