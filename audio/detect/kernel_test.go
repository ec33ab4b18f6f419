package detect

import (
	"math"
	"testing"

	"github.com/flattone/flattone/audio"
	"pgregory.net/rapid"
)

// The kernels in assembly give the same bits as those in plain Go, for whatever comes.
func TestKernelsMeanPlainGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPlan(rapid.SampledFrom([]audio.Rate{audio.Rate8k, audio.Rate16k, audio.Rate44k, audio.Rate48k}).Draw(t, "rate"))
		value := rapid.Float32Range(-40000, 40000)
		x := make([]float32, p.tick)
		for i := range x {
			x[i] = value.Draw(t, "x")
		}
		var phase, a, b bins
		draw := func(b *bins) {
			for i := range b.c {
				b.c[i], b.s[i] = value.Draw(t, "c"), value.Draw(t, "s")
			}
		}
		draw(&phase)
		var ea, eb float32
		project(&a, &ea, &p.table, &phase, x)
		projectPlain(&b, &eb, &p.table, &phase, x)
		same(t, "projection", flat(&a), flat(&b))
		same(t, "energy", []float32{ea}, []float32{eb})

		var history [depth]bins
		var sums, sumsPlain [maxWindows]bins
		gone := []int{0, 17, depth - 1}
		for w := range sums {
			draw(&sums[w])
			draw(&history[gone[w]])
		}
		sumsPlain = sums
		var tops, topsPlain [maxWindows]top
		slide(sums[:], tops[:], &a, &history, gone)
		slidePlain(sumsPlain[:], topsPlain[:], &a, &history, gone)
		for w := range sums {
			same(t, "sums", flat(&sums[w]), flat(&sumsPlain[w]))
			same(t, "tops", []float32{tops[w].row, tops[w].col}, []float32{topsPlain[w].row, topsPlain[w].col})
		}

		var s, sPlain filterState
		for i := range states {
			s[i] = rapid.OneOf(value, rapid.Float32Range(-2*leastState, 2*leastState)).Draw(t, "state")
		}
		sPlain = s
		var band, high, bandPlain, highPlain [maxTick]float32
		runFilter(band[:p.tick], high[:p.tick], &s, &p.filter.matrix, x)
		filterPlain(bandPlain[:p.tick], highPlain[:p.tick], &sPlain, &p.filter.matrix, x)
		same(t, "band", band[:], bandPlain[:])
		same(t, "high", high[:], highPlain[:])
		same(t, "states", s[:], sPlain[:])
	})
}

func flat(b *bins) []float32 { return append(b.c[:], b.s[:]...) }

func same(t *rapid.T, what string, a, b []float32) {
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			t.Fatalf("%s %d: %g, in plain Go %g", what, i, a[i], b[i])
		}
	}
}
