package detect

import (
	"math"
	"math/big"
	"testing"

	"github.com/flattone/flattone/audio"
	"pgregory.net/rapid"
)

// The kernels in assembly give the same bits as those in plain Go, for whatever comes.
func TestKernelsMeanPlainGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := plans[rapid.SampledFrom([]audio.Rate{audio.Rate8k, audio.Rate16k, audio.Rate44k, audio.Rate48k}).Draw(t, "rate")]()
		e := ear{ticks: rapid.Int64Range(0, 1<<40).Draw(t, "ticks"), turn: rapid.Int64Range(0, p.period-1).Draw(t, "turn")}
		value := rapid.Float32Range(-40000, 40000)
		for i := range e.samples {
			e.samples[i] = value.Draw(t, "before")
		}
		for i := range e.states {
			e.states[i] = rapid.OneOf(value, rapid.Float32Range(-2*leastState, 2*leastState)).Draw(t, "state")
		}
		before := e.at(e.ticks)
		for lane := range before.total {
			before.energy[lane] = rapid.Int64().Draw(t, "energy")
			before.total[lane] = drawTotal(t)
		}
		x := make([]int16, p.tick)
		for i := range x {
			x[i] = rapid.Int16().Draw(t, "sample")
		}
		plain := e
		energy, peak := hear(&e, p, x)
		energyPlain, peakPlain := hearPlain(&plain, p, x)
		same(t, "energy and peak of the differences", []float32{energy, peak}, []float32{energyPlain, peakPlain})
		same(t, "samples", e.samples[:], plain.samples[:])
		same(t, "states", e.states[:], plain.states[:])
		same(t, "cosines of the phase", e.phase.c[:], plain.phase.c[:])
		same(t, "sines of the phase", e.phase.s[:], plain.phase.s[:])
		if e != plain {
			t.Fatal("a tick is heard otherwise than in plain Go")
		}

		now, gone := drawTotal(t), drawTotal(t)
		var s, sPlain sum
		subtract(&s, &now, &gone)
		subtractPlain(&sPlain, &now, &gone)
		same(t, "cosines", s.c[:], sPlain.c[:])
		same(t, "sines", s.s[:], sPlain.s[:])
		if s != sPlain {
			t.Fatalf("a difference is %v, in plain Go %v", s, sPlain)
		}
	})
}

func drawTotal(t *rapid.T) (d total) {
	for i := range d.c {
		d.c[i], d.s[i] = rapid.Int32().Draw(t, "cosine"), rapid.Int32().Draw(t, "sine")
	}
	return d
}

func same(t *rapid.T, what string, a, b []float32) {
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			t.Fatalf("%s %d: %g, in plain Go %g", what, i, a[i], b[i])
		}
	}
}

// What is fused is rounded once, also where the product is all but half of the sum's last place.
func TestFusedRoundsOnce(t *testing.T) {
	near := [...]float32{1 - ulp, 1, 1 + ulp, 1 + 2*ulp}
	for exponent := range 60 {
		for _, a := range near {
			a = float32(math.Ldexp(float64(a), -exponent))
			for _, b := range near {
				for _, c := range near {
					for _, a := range [...]float32{a, -a} {
						exact := new(big.Float).SetPrec(200).Mul(big.NewFloat(float64(a)), big.NewFloat(float64(b)))
						want, _ := exact.Add(exact, big.NewFloat(float64(c))).Float32()
						if got, negative := fused(a, b, c), fused(-a, b, -c); got != want || negative != -want {
							t.Fatalf("%g * %g + %g is %g, and its negative %g; rounded once %g", a, b, c, got, negative, want)
						}
					}
				}
			}
		}
	}
}

const ulp = 1.0 / (1 << 23) // the last place of 1
