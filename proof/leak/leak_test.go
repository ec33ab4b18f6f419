package leak_test

import (
	"math"
	"slices"
	"testing"

	"github.com/flattone/flattone/proof/corpus"
	"github.com/flattone/flattone/proof/leak"
)

// key has one key from frame 100 to 500, and its tail to frame 600.
func key() *corpus.Unit {
	u := &corpus.Unit{PCM: make([]int16, 1000), Sounds: make([]bool, 1000), Events: []corpus.Event{{Key: '1', Start: 100, End: 500, Expect: corpus.Accept}}}
	for i := range u.PCM {
		u.PCM[i] = int16(i + 1)
		u.Sounds[i] = i >= 100 && i < 600
	}
	return u
}

func TestLeaks(t *testing.T) {
	for name, c := range map[string]struct {
		heard [][2]int // stretches that came through
		ms    float64
	}{
		"masked":         {nil, 0},
		"open":           {[][2]int{{0, 1000}}, 62.5},
		"before":         {[][2]int{{0, 100}}, 0},
		"half a ms":      {[][2]int{{0, 104}}, 0},
		"a little more":  {[][2]int{{0, 105}}, 0.625},
		"by chance":      {[][2]int{{200, 203}, {300, 303}, {400, 403}}, 0},
		"the tail":       {[][2]int{{560, 1000}}, 5},
		"after the tail": {[][2]int{{600, 1000}}, 0},
		"twice":          {[][2]int{{200, 208}, {300, 308}}, 2},
	} {
		u := key()
		heard := make([]int16, len(u.PCM))
		for _, s := range c.heard {
			copy(heard[s[0]:s[1]], u.PCM[s[0]:])
		}
		l := leak.Unit(u, heard)[""]
		if leaked := c.ms > 0; l.Keys != 1 || (l.Leaked == 1) != leaked || leaked && l.MS[0] != c.ms {
			t.Errorf("%s: %+v, not %v ms", name, l, c.ms)
		}
	}
}

// An untouched line leaks every key of the corpus, and a mute one none.
func TestEveryKeyCanLeak(t *testing.T) {
	for i, r := range corpus.Synthetic(1) {
		if i%9 != 0 {
			continue
		}
		u, err := r.Make()
		if err != nil {
			t.Fatal(err)
		}
		judged := 0
		for _, e := range u.Events {
			if e.Judged() {
				judged++
			}
		}
		open, shut := &leak.Tally{}, &leak.Tally{}
		for _, s := range leak.Unit(u, u.PCM) {
			open.Add(s)
		}
		other := slices.Clone(u.PCM)
		for i := range other {
			other[i] ^= 0x40
		}
		for _, s := range leak.Unit(u, other) {
			shut.Add(s)
		}
		if open.Keys != judged || open.Leaked != judged || shut.Leaked != 0 {
			t.Errorf("%s: of %d keys %d leak unmasked, and %d masked", u.Category, judged, open.Leaked, shut.Leaked)
		}
	}
}

func TestBound(t *testing.T) {
	for leaked, want := range map[int]float64{0: 2.996, 1: 4.744, 10: 16.962} { // tables of Poisson's distribution
		l := leak.Tally{Keys: 100, Leaked: leaked}
		if math.Abs(l.Bound()-want) > 0.01 {
			t.Errorf("%d of 100: at most %.3f %%, not %.3f", leaked, l.Bound(), want)
		}
	}
}
