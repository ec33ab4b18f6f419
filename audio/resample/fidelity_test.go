package resample_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/flattone/flattone/audio"
)

// A tone of the voice band comes out with all that is not the tone 80 dB below it at 48 kHz, and at 8 kHz up to 3000 Hz; at 3400 Hz there, where
// the band ends, 50.
func TestTonesStayPure(t *testing.T) {
	for _, c := range []struct {
		rate   audio.Rate
		period int
		hz     float64
		least  float64
	}{
		{audio.Rate48k, 128, 300, 80}, {audio.Rate48k, 128, 1020, 80}, {audio.Rate48k, 128, 3400, 80}, {audio.Rate48k, 64, 1633, 80},
		{audio.Rate44k, 128, 3400, 80}, {audio.Rate16k, 64, 3400, 80},
		{audio.Rate8k, 32, 300, 80}, {audio.Rate8k, 32, 1020, 80}, {audio.Rate8k, 32, 3000, 80}, {audio.Rate8k, 32, 3400, 50},
	} {
		for _, ppm := range []float64{0, 300, -300} {
			t.Run(fmt.Sprintf("%v/%.0f Hz/%+.0f ppm", c.rate, c.hz, ppm), func(t *testing.T) {
				t.Parallel()
				r := newRig(c.rate, c.period)
				r.writerPPM = ppm
				r.signal = func(frame int64) int16 {
					return int16(math.RoundToEven(16000 * math.Sin(2*math.Pi*c.hz/float64(c.rate)*float64(frame))))
				}
				var heard []int16
				r.run(31, func(at float64, out []int16) {
					if at >= 30 {
						heard = append(heard, out...)
					}
				})
				amplitude, rest := toneAndRest(heard, c.hz*(1+ppm*1e-6)/float64(c.rate))
				db := 20 * math.Log10(amplitude/math.Sqrt2/rest)
				t.Logf("%.1f dB, amplitude %.1f", db, amplitude)
				if db < c.least {
					t.Errorf("all but the tone is %.1f dB below it", db)
				}
			})
		}
	}
}

// toneAndRest fits a sine of a frequency, in cycles a frame, or next to it, and tells its amplitude and the root mean square of what is left.
func toneAndRest(x []int16, cycles float64) (amplitude, rest float64) {
	rest = math.Inf(1)
	for step := -20; step <= 20; step++ { // the loop may still be a part in a million off
		a, r := fit(x, cycles*(1+float64(step)*2e-7))
		if r < rest {
			amplitude, rest = a, r
		}
	}
	return amplitude, rest
}

func fit(x []int16, cycles float64) (amplitude, rest float64) {
	var cc, ss, cs, c, s, all float64
	for i, v := range x {
		sin, cos := math.Sincos(2 * math.Pi * cycles * float64(i))
		cc, ss, cs = cc+cos*cos, ss+sin*sin, cs+cos*sin
		c, s, all = c+cos*float64(v), s+sin*float64(v), all+float64(v)*float64(v)
	}
	det := cc*ss - cs*cs
	a, b := (c*ss-s*cs)/det, (s*cc-c*cs)/det
	return math.Hypot(a, b), math.Sqrt(max(0, all-a*c-b*s) / float64(len(x)))
}
