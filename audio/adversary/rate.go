package adversary

import (
	"math"

	"github.com/flattone/flattone/audio"
)

// decimation is the factor that brings a rate nearest to 8 kHz from above. All keys lie below 1.7 kHz, and
// what a sound card adds above the telephone band would only hide how quiet the fill is within it.
func decimation(r audio.Rate) int { return int(r) / 8000 }

// lower filters x to below half of the lowered rate and keeps every q-th sample. Frame i of the answer is
// frame i*q of x. The filter is a Hann-windowed sinc eight lowered samples to each side, without delay.
func lower(x []int16, q int) []float64 {
	out := make([]float64, (len(x)+q-1)/q)
	if q == 1 {
		for i, v := range x {
			out[i] = float64(v)
		}
		return out
	}
	half := 8 * q
	taps := make([]float64, 2*half+1)
	for k := range taps {
		u := float64(k-half) / float64(q)
		h := 1.0
		if u != 0 {
			h = math.Sin(math.Pi*u) / (math.Pi * u)
		}
		taps[k] = h * (0.5 + 0.5*math.Cos(math.Pi*u/8)) / float64(q)
	}
	for i := range out {
		for k := max(0, half-i*q); k < len(taps) && i*q+k-half < len(x); k++ {
			out[i] += taps[k] * float64(x[i*q+k-half])
		}
	}
	return out
}
