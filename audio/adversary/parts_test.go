package adversary

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// The delay is found to the frame, whatever it is, where most of the call is masked.
func TestDelayIsFound(t *testing.T) {
	for _, rate := range []audio.Rate{audio.Rate8k, audio.Rate48k} {
		for _, ms := range []int{0, 30, 877} {
			s := newScene(uint64(ms), rate, 4, digits, -10, -60)
			s.delay = ms*rate.TickFrames() + ms%5
			s.out = append(make([]float64, s.delay), s.in...)
			s.mask()
			c := s.on()
			got, err := findDelay(c.In, c.Out, c.Keys, int(rate), decimation(rate))
			if err != nil || got != s.delay {
				t.Errorf("%v: found %d, %v, want %d", rate, got, err, s.delay)
			}
		}
	}
}

func TestDelayIsNotMadeUp(t *testing.T) {
	c := newScene(1, rate8k, 3, digits, -10, -60).on()
	other := newScene(2, rate8k, 3, digits, -10, -60).on()
	if d, err := findDelay(c.In, other.Out, c.Keys, 8000, 1); err == nil {
		t.Errorf("found a delay of %d between two calls", d)
	}
}

// What the noise's colour weighs is what its covariance matrix, inverted, would.
func TestColourInvertsTheCovariance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var lags [memory + 1]float64
	lags[0], lags[1] = 1, 0.5 // the line's own fill: the mean of two neighbouring white samples
	c := newColour(lags)
	for _, n := range []int{1, 3, memory, memory + 1} { // beyond its memory a colour is an approximation
		x := make([]float64, n)
		for i := range x {
			x[i] = r.NormFloat64()
		}
		w := c.weigh(x)
		scale := lags[0] / c.excess[0] // the power of a surprise
		for i := range x {
			back := 0.0
			for j := range x {
				if lag := max(i-j, j-i); lag <= memory {
					back += lags[lag] * w[j]
				}
			}
			if math.Abs(back/scale-x[i]) > 1e-6 {
				t.Errorf("%d samples: the covariance times the weights gives %g for %g", n, back/scale, x[i])
			}
		}
	}
}

// A window's energy, seen for itself, is its product with its own weights.
func TestSurprisesAreTheWeightedEnergy(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	y := make([]float64, 60)
	for i := range y {
		y[i] = r.NormFloat64()
	}
	c := newColour([memory + 1]float64{1, 0.4, -0.1, 0.05})
	x := newExcerpt(y, make([]float64, len(y)), c, 1)
	for _, n := range []int{2, memory, 20} {
		for at := 0; at+n <= len(y); at += 7 {
			want := dot(y[at:at+n], c.weigh(y[at:at+n]))
			if got := x.surprises(at, n); math.Abs(got-want) > 1e-9*want {
				t.Errorf("%d samples at %d: %g, want %g", n, at, got, want)
			}
		}
	}
}

// The closed form of the Gram matrix is what adding up gives.
func TestGramMatrixAddsUp(t *testing.T) {
	white := newColour([memory + 1]float64{1})
	for _, n := range []int{8, 15, 160} {
		a, b := newBank(n, 8000, nil), newBank(n, 8000, white)
		for s := range a.cross {
			for i := range a.cross[s] {
				if d := math.Hypot(a.cross[s][i].cos-b.cross[s][i].cos, a.cross[s][i].sin-b.cross[s][i].sin); d > 1e-6 {
					t.Fatalf("%d samples: products differ by %g", n, d)
				}
			}
		}
		for g := range a.columns {
			for i := range a.columns[g] {
				x, y := &a.columns[g][i], &b.columns[g][i]
				if math.Abs(x.cosSq-y.cosSq)+math.Abs(x.sinSq-y.sinSq) > 1e-6 {
					t.Fatalf("%d samples: squares differ", n)
				}
			}
		}
	}
}

func TestFlatTonesAreTakenOutAndKeysAreNot(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	var x []int16
	quiet := func(n int) { x = append(x, make([]int16, n)...) }
	for range 10 {
		quiet(100 + r.IntN(300))
		x = tone.Append(x, 8000, 480, 40, tone.Sine{Hz: 1020, DBm0: -22})
	}
	quiet(500)
	key := len(x)
	pair, _ := tone.Pair('5', -10, 0)
	x = tone.Append(x, 8000, 480, 0, pair[:]...)
	quiet(500)
	y := lower(x, 1)
	was := slices.Clone(y)
	dirt := OurFlatTone().cancel(y, 8000)
	for i, v := range y[:key] {
		if math.Abs(v) > 2 {
			t.Fatalf("%g is left at %d", v, i)
		}
		if was[i] != 0 && math.Abs(was[i]) > 100 && dirt[i] == 0 {
			t.Fatalf("no dirt is expected at %d", i)
		}
	}
	if !slices.Equal(y[key:], was[key:]) || slices.Max(dirt[key:]) > 0 {
		t.Error("a key was taken for a flat tone")
	}
}

func TestLoweringKeepsTheBand(t *testing.T) {
	for _, rate := range []audio.Rate{audio.Rate16k, audio.Rate44k, audio.Rate48k} {
		for _, hz := range []float64{697, 1633} {
			y := lower(tone.Append(nil, rate, int(rate), 0, tone.Sine{Hz: hz, DBm0: -10}), decimation(rate))
			y = y[100 : len(y)-100]
			if got := audio.DBm0(energyOf(y) / float64(len(y))); math.Abs(got+10) > 0.1 {
				t.Errorf("%v: %g Hz comes out at %.2f dBm0", rate, hz, got)
			}
		}
	}
}
