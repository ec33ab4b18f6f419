package detect

import (
	"math"

	"github.com/flattone/flattone/audio"
)

// The band filter keeps what may be DTMF and takes away dial tone, hum and hiss: Butterworth, high-pass of
// 4th order at 560 Hz and low-pass of 2nd order at 1900 Hz.
type filterPlan struct {
	sections [3]biquad
	// lag is its group delay at the DTMF frequencies, about, in frames.
	lag int
}

// biquad is one second-order section, normalised to a0 = 1.
type biquad struct{ b0, b1, b2, a1, a2 float32 }

// filter is the filter's memory, transposed direct form II.
type filter struct{ z [3][2]float32 }

func newFilterPlan(rate audio.Rate) filterPlan {
	return filterPlan{
		// The quality factors are those of a 4th-order Butterworth's two sections, and of a 2nd-order's.
		sections: [3]biquad{section(rate, 560, 0.5412, true), section(rate, 560, 1.3066, true), section(rate, 1900, 0.7071, false)},
		lag:      int(rate) * 6 / 10000,
	}
}

func section(rate audio.Rate, cutoff, q float64, high bool) biquad {
	w := 2 * math.Pi * cutoff / float64(rate)
	alpha, c := math.Sin(w)/(2*q), math.Cos(w)
	b0, b1 := (1-c)/2, 1-c
	if high {
		b0, b1 = (1+c)/2, -(1 + c)
	}
	a0 := 1 + alpha
	return biquad{float32(b0 / a0), float32(b1 / a0), float32(b0 / a0), float32(-2 * c / a0), float32((1 - alpha) / a0)}
}

func (f *filter) run(p *filterPlan, in, out []float32) {
	out = out[:len(in)]
	for s := range p.sections {
		q, z0, z1 := &p.sections[s], f.z[s][0], f.z[s][1]
		for i, v := range in {
			y := q.b0*v + z0
			z0 = q.b1*v - q.a1*y + z1
			z1 = q.b2*v - q.a2*y
			out[i] = y
		}
		f.z[s] = [2]float32{settle(z0), settle(z1)}
		in = out
	}
}

// settle ends the decay of a filter's memory before it reaches the slow denormal numbers.
func settle(z float32) float32 {
	if z < 1e-9 && z > -1e-9 {
		return 0
	}
	return z
}
