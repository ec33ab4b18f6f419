package corpus

import (
	"math"
	"math/rand/v2"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/g711"
)

// addSine adds a sine to x.
func addSine(x []float64, hz, dBm0, phase float64, rate audio.Rate) {
	a, w := audio.Amplitude(dBm0), 2*math.Pi*hz/float64(rate)
	for i := range x {
		x[i] += a * math.Sin(w*float64(i)+phase)
	}
}

// edges lets x rise and fall over n frames by half a raised cosine; a tone too short for both stays as it is.
func edges(x []float64, n int) {
	if n <= 0 || len(x) < 2*n {
		return
	}
	for i := range n {
		g := 0.5 - 0.5*math.Cos(math.Pi*(float64(i)+0.5)/float64(n))
		x[i] *= g
		x[len(x)-1-i] *= g
	}
}

// addNoise adds white Gaussian noise.
func addNoise(x []float64, rms float64, r *rand.Rand) {
	for i := range x {
		x[i] += rms * r.NormFloat64()
	}
}

// ratio is a difference of levels as a factor.
func ratio(dB float64) float64 { return math.Pow(10, dB/20) }

// noiseRMS is the RMS of noise of a level, reckoned as a sine's is.
func noiseRMS(dBm0 float64) float64 { return audio.Amplitude(dBm0) / math.Sqrt2 }

// echo adds to x itself, n frames later.
func echo(x []float64, n int, dB float64) {
	g, was := ratio(dB), append([]float64(nil), x...)
	for i := n; i < len(x); i++ {
		x[i] += g * was[i-n]
	}
}

func quantize(x []float64) []int16 {
	y := make([]int16, len(x))
	for i, v := range x {
		y[i] = int16(math.Round(max(math.MinInt16, min(math.MaxInt16, v))))
	}
	return y
}

// code passes samples through G.711: mu-law (u) or A-law (a).
func code(x []int16, law rune) {
	for i, v := range x {
		if law == 'u' {
			x[i] = g711.DecodeMu(g711.EncodeMu(v))
		} else {
			x[i] = g711.DecodeA(g711.EncodeA(v))
		}
	}
}

// conceal replaces lost packets of n frames: by silence, or by the last 10 ms again, weaker each time.
func conceal(x []float64, lost []bool, n int, repeat bool) {
	const period = 80
	for p, l := range lost {
		if !l {
			continue
		}
		a, b := p*n, min((p+1)*n, len(x))
		g := 0.9
		for i := a; i < b; i++ {
			if !repeat || i < period {
				x[i] = 0
				continue
			}
			if i > a && (i-a)%period == 0 {
				g = 0.8
			}
			x[i] = g * x[i-period]
		}
	}
}

// resample plays x, of rate from, at rate to: a windowed sinc that cuts at cut Hz, nearest of 2048 tabulated phases.
func resample(x []float64, from, to, cut float64) []float64 {
	const phases = 2048
	step := from / to
	half := int(math.Ceil(12 * from / (2 * cut)))
	w := 2*half + 1
	fc := 2 * cut / from
	table := make([]float64, (phases+1)*w)
	for p := range phases + 1 {
		for k := -half; k <= half; k++ {
			u := float64(p)/phases - float64(k)
			h := fc
			if a := math.Pi * fc * u; math.Abs(a) > 1e-9 {
				h = fc * math.Sin(a) / a
			}
			if c := math.Abs(u) / float64(half+1); c < 1 {
				table[p*w+k+half] = h * (0.5 + 0.5*math.Cos(math.Pi*c))
			}
		}
	}
	y := make([]float64, int(float64(len(x))/step))
	for i := range y {
		at := float64(i) * step
		c := int(at)
		row := table[int((at-float64(c))*phases+0.5)*w:][:w]
		lo, hi := max(0, c-half), min(len(x), c+half+1)
		for j, v := range x[lo:hi] {
			y[i] += v * row[lo-c+half+j]
		}
	}
	return y
}

// activeRMS is the RMS over those 20 ms that are within 25 dB of the loudest.
func activeRMS(x []int16) float64 {
	const n = 160
	var powers []float64
	top := 0.0
	for ; len(x) >= n; x = x[n:] {
		sum := 0.0
		for _, v := range x[:n] {
			sum += float64(v) * float64(v)
		}
		powers = append(powers, sum/n)
		top = max(top, sum/n)
	}
	sum, active := 0.0, 0.0
	for _, p := range powers {
		if p > top*0.056*0.056 {
			sum += p
			active++
		}
	}
	if active == 0 {
		return 0
	}
	return math.Sqrt(sum / active)
}
