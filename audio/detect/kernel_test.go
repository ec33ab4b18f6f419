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
		samples := make([]int16, p.tick)
		for i := range samples {
			samples[i] = rapid.Int16().Draw(t, "sample")
		}
		var in, inPlain signal
		for i := range in {
			in[i] = value.Draw(t, "before")
		}
		inPlain = in
		lag := p.tick / 8
		same(t, "difference", []float32{read(&in, samples, lag)}, []float32{readPlain(&inPlain, samples, lag)})
		same(t, "samples", in[:], inPlain[:])

		var c, cPlain clock
		for i := range c.fine.cos {
			c.fine.cos[i], c.fine.sin[i] = rapid.Float64Range(-1, 1).Draw(t, "cos"), rapid.Float64Range(-1, 1).Draw(t, "sin")
		}
		cPlain = c
		turn(&c, &p.turn)
		turnPlain(&cPlain, &p.turn)
		if c != cPlain {
			t.Fatalf("a clock turns to %v, in plain Go to %v", c, cPlain)
		}

		var l, lPlain lanes
		var signals [laneCount]signal
		l.start(p)
		pos := rapid.IntRange(0, 1<<40).Draw(t, "pos")
		for n := range l {
			l := &l[n]
			copy(signals[n][lead:], rapid.SliceOfN(value, p.tick, p.tick).Draw(t, "x"))
			for w := range l.windows {
				for i := range l.sums[w].c {
					l.sums[w].c[i], l.sums[w].s[i] = value.Draw(t, "c"), value.Draw(t, "s")
					at := (pos - l.ticks[w]) & (depth - 1)
					l.history[at].c[i], l.history[at].s[i], l.energy[at] = value.Draw(t, "c"), value.Draw(t, "s"), value.Draw(t, "e")
				}
			}
		}
		lPlain = l
		push(&l, &p.table, &c.phase, &signals, p.tick, pos)
		pushPlain(&lPlain, &p.table, &c.phase, &signals, p.tick, pos)
		if l != lPlain {
			t.Fatal("a push gives other bits than in plain Go")
		}

		var s, sPlain filterState
		for i := range states {
			s[i] = rapid.OneOf(value, rapid.Float32Range(-2*leastState, 2*leastState)).Draw(t, "state")
		}
		sPlain = s
		out := signals
		runFilter(&signals, &s, &p.filter.matrix, p.tick)
		filterPlain(&out, &sPlain, &p.filter.matrix, p.tick)
		for n := range out {
			same(t, "filtered", signals[n][:], out[n][:])
		}
		same(t, "states", s[:], sPlain[:])
	})
}

func same(t *rapid.T, what string, a, b []float32) {
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			t.Fatalf("%s %d: %g, in plain Go %g", what, i, a[i], b[i])
		}
	}
}
