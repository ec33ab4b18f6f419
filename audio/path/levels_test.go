package path_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/level"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/tone"
)

// The caller's noise floor, and how much of his sound was clipped, tell no key, though a key may or may not be clipped, by which it is: two calls that differ
// only in the digits have the same at every moment.
func TestLevelsTellNoKey(t *testing.T) {
	const rate = audio.Rate8k
	for _, grade := range []mask.Grade{mask.Idle, mask.Armed} {
		differ := 0
		for n := range uint64(repeats(100)) {
			r := rand.New(rand.NewPCG(n, 7))
			a := noise(n, 6*int(rate), -62)
			loud(n, a[:int(rate)]) // clipped too, and no key
			b := slices.Clone(a)
			at := 2*int(rate) + r.IntN(800)
			for range 10 {
				length := ms(rate, 45+60*r.Float64())
				press(a, rate, tone.Keys[r.IntN(16)], at, length, 1, 0)
				press(b, rate, tone.Keys[r.IntN(16)], at, length, 1, 0)
				at += length + ms(rate, 45+60*r.Float64())
			}
			if clipped(a) != clipped(b) {
				differ++
			}
			toldA, toldB := told(t, a, grade), told(t, b, grade)
			if !slices.Equal(toldA, toldB) {
				t.Errorf("pair %d, %v: what is told of the levels depends on the digits", n, grade)
			}
			if end := toldA[len(toldA)-1]; end.clipped == 0 || end.clipped > clipped(a[:int(rate)]) {
				t.Errorf("pair %d, %v: %d frames clipped, when %d are beside the keys", n, grade, end.clipped, clipped(a[:int(rate)]))
			} else if math.Abs(end.floor+62) > 1 {
				t.Errorf("pair %d, %v: a floor of %.1f dBm0, not -62", n, grade, end.floor)
			}
		}
		if 2*differ < repeats(100) {
			t.Errorf("%v: only %d pairs differ in how much of them is clipped: that proves little", grade, differ)
		}
	}
}

type levels struct {
	floor   float64
	clipped int64
}

// told is what is told of the levels at the end of each period.
func told(t *testing.T, x []int16, grade mask.Grade) (all []levels) {
	p := open(t, path.Config{Rate: audio.Rate8k}, grade)
	out := make([]int16, 160)
	for in := range slices.Chunk(x, len(out)) {
		p.Write(in)
		p.Read(out)
		drain(p)
		all = append(all, levels{p.Floor(), p.Stats().Clipped})
	}
	return all
}

// loud writes a hoot over x that is too loud for it.
func loud(seed uint64, x []int16) {
	hz := 80 + 40*rand.New(rand.NewPCG(seed, 9)).Float64()
	for i := range x {
		x[i] = int16(max(math.MinInt16, min(math.MaxInt16, 50000*math.Sin(2*math.Pi*hz*float64(i)/8000))))
	}
}

func clipped(x []int16) int64 {
	m := level.NewMeter(audio.Rate8k)
	m.Write(x)
	return m.Clipped()
}
