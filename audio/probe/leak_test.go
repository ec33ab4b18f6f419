package probe

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/audio/tone"
)

// keyed is somebody pressing keys one after another, with as long a gap, for some seconds of tones.
func keyed(rate audio.Rate, ms, gap int, seconds float64, dBm0 float64) []int16 {
	var x []int16
	press := int(rate) * ms / 1000
	for i := 0; i*press < int(seconds*float64(rate)); i++ {
		pair, _ := tone.Pair("1590"[i%4], dBm0, 0)
		x = tone.Append(x, rate, press, press/10, pair[:]...)
		x = append(x, make([]int16, int(rate)*gap/1000)...)
	}
	return x
}

// leaks is what a leg hears of another: late by frames, on a clock that is fast by a share, at a gain, in noise.
func leaks(x []int16, late int, fast, gainDB, noiseDBm0 float64, seed uint64) []int16 {
	gain := math.Pow(10, gainDB/20)
	y := make([]float64, len(x))
	for i := range y {
		at := float64(i)*(1+fast) - float64(late)
		if k := int(math.Floor(at)); k >= 1 && k+2 < len(x) {
			// Cubic: the error lies far below what is measured.
			f := at - float64(k)
			a, b, c, d := float64(x[k-1]), float64(x[k]), float64(x[k+1]), float64(x[k+2])
			y[i] = gain * (b + f/2*(c-a+f*(2*a-5*b+4*c-d+f*(3*(b-c)+d-a))))
		}
	}
	return noisy(y, noiseDBm0, seed)
}

func measure(t testing.TB, rate audio.Rate, apart float64, x, y []int16) (level, floor float64, l *Leak) {
	t.Helper()
	l, err := NewLeak(rate, apart)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	r := rand.New(rand.NewPCG(1, 1))
	l.Write(x[:500], x[:500])
	l.Reset()
	for len(x) > 0 {
		n := min(len(x), 1+r.IntN(1000))
		l.Write(x[:n], y[:n])
		x, y = x[n:], y[n:]
	}
	level, floor = l.HeardDBm0()
	return level, floor, l
}

// A leak of -80 dBm0 and one of -90 are told apart from -85: on one clock and on two, at every rate, early and late, from long presses and
// short, through a mask's noise.
func TestLeaks(t *testing.T) {
	for _, rate := range rates {
		for _, test := range []struct {
			ms, gap int
			lateMS  float64
			ppm     float64
			noise   float64
		}{
			{500, 200, 0, 0, -70},
			{100, 100, 0, 0, -62},
			{100, 100, 30, 0, -62},
			{250, 250, 140, 0, -62},
			{100, 100, 30, 300, -62},
			{500, 300, 30, -200, -62},
		} {
			if rate != audio.Rate8k && test.ms != 100 { // the least time with every tone, which the other rates only make finer
				continue
			}
			for _, leak := range []float64{-60, -80, -90} {
				t.Run(fmt.Sprintf("%v/keys of %d ms, %v ms late/%v ppm/%v dBm0 in %v", rate, test.ms, test.lateMS, test.ppm, leak, test.noise), func(t *testing.T) {
					t.Parallel()
					x := keyed(rate, test.ms, test.gap, 6, -10)
					y := leaks(x, int(test.lateMS*float64(rate)/1000), test.ppm*1e-6, leak+10, test.noise, 5)
					level, floor, l := measure(t, rate, math.Abs(test.ppm)*1e-6, x, y)
					t.Logf("%.1f dBm0, floor %.1f", level, floor)
					if leak > -85 && math.Abs(level-leak) > 2.5 || leak < -85 && level > -85 {
						t.Errorf("it measures %.1f dBm0, with a floor of %.1f", level, floor)
					}
					if leak <= -80 && floor > -84.5 {
						t.Errorf("a floor of %.1f dBm0 says nothing about -85", floor)
					}
					if n := l.Tones(); n != 7 || math.Abs(l.KeyedDBm0()+10) > 1 {
						t.Errorf("%d tones of %.1f dBm0 were keyed", n, l.KeyedDBm0())
					}
				})
			}
		}
	}
}

// Noise is no leak. It stays near its floor, the more so the fewer drifts there are to try, and ever lower as the keys go on; where it is
// too loud to tell, it is no good figure.
func TestNoLeak(t *testing.T) {
	for _, test := range []struct{ noise, apart, seconds, least, most float64 }{
		{-90, 300e-6, 5, -120, -105}, {-62, 300e-6, 5, -120, -82}, {-62, 0, 5, -120, -83}, {-62, 0, 20, -120, -90}, {-20, 0, 5, -70, -40},
	} {
		for seed := range uint64(10) {
			x := keyed(audio.Rate8k, 200, 100, test.seconds, -10)
			level, floor, _ := measure(t, audio.Rate8k, test.apart, x, noisy(make([]float64, len(x)), test.noise, seed))
			if level > test.most || level < test.least || floor > test.most {
				t.Errorf("%v: a leak of %.1f dBm0, with a floor of %.1f", test, level, floor)
			}
		}
	}
}

// Without a key there is nothing to leak, whatever is heard.
func TestNoKeys(t *testing.T) {
	quiet := make([]int16, 8000)
	if level, floor, l := measure(t, audio.Rate8k, 0, quiet, keyed(audio.Rate8k, 100, 100, 1, -10)[:8000]); level != least || floor != least || l.Tones() != 0 {
		t.Errorf("without a key %.1f dBm0 leak", level)
	}
}

func TestLeakStateHoldsNoPointers(t *testing.T) {
	if locked.HasPointers[leakState]() {
		t.Error("the collector doesn't look there")
	}
	if _, err := NewLeak(audio.Rate8k, 1e-3); err == nil {
		t.Error("clocks 1000 parts in a million apart are compared")
	}
}
