package probe

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect"
)

var rates = []audio.Rate{audio.Rate8k, audio.Rate16k, audio.Rate44k, audio.Rate48k}

func probeOf(t testing.TB, rate audio.Rate) *Probe {
	t.Helper()
	p, err := New(rate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// noisy adds white noise of a level.
func noisy(x []float64, dBm0 float64, seed uint64) []int16 {
	r := rand.New(rand.NewPCG(seed, 7))
	a := audio.Amplitude(dBm0) / math.Sqrt2
	out := make([]int16, len(x))
	for i, v := range x {
		out[i] = int16(math.RoundToEven(min(max(v+a*r.NormFloat64(), math.MinInt16), math.MaxInt16)))
	}
	return out
}

// An echo is found to the frame and to half a decibel, through noise far louder than itself.
func TestEchoes(t *testing.T) {
	type path struct {
		ms, dB float64
	}
	for _, rate := range rates {
		p := probeOf(t, rate)
		for _, test := range []struct {
			paths    []path
			noise    float64
			wantDB   float64
			tolerate float64
		}{
			{[]path{{0, 0}}, -90, 0, 0.1},
			{[]path{{5, -6}}, -60, -6, 0.1},
			{[]path{{20, 6}}, -60, 6, 0.1},
			{[]path{{80, -30}}, -60, -30, 0.3},
			{[]path{{350, -40}}, -50, -40, 1.5},
			{[]path{{12, -20}}, -20, -20, 2.5},
			{[]path{{9, -20}, {13, -23}}, -70, -18.2, 0.3}, // two paths of one hybrid
			{[]path{{30, -55}}, -70, -55, 1.5},
		} {
			x := make([]float64, p.Frames())
			for _, path := range test.paths {
				late := int(path.ms * float64(rate) / 1000)
				for i, v := range p.Sound() {
					if i+late < len(x) {
						x[i+late] += float64(v) * math.Pow(10, path.dB/20)
					}
				}
			}
			e := p.Find(noisy(x, test.noise, 1))
			if want := int(test.paths[0].ms * float64(rate) / 1000); !e.Heard || e.Frames != want {
				t.Errorf("%v: an echo %d frames late is taken for %v", rate, want, e)
			}
			if math.Abs(e.GainDB-test.wantDB) > test.tolerate {
				t.Errorf("%v: an echo of %.1f dB in noise of %.0f dBm0 measures %.2f", rate, test.wantDB, test.noise, e.GainDB)
			}
		}
	}
}

// What isn't there isn't heard, and how much there could be is told from above.
func TestNoEcho(t *testing.T) {
	p := probeOf(t, audio.Rate8k)
	if e := p.Find(make([]int16, p.Frames())); e.Heard || e.GainDB != least {
		t.Errorf("in silence there is %v", e)
	}
	for seed := range uint64(200) {
		if e := p.Find(noisy(make([]float64, p.Frames()), -30, seed)); e.Heard || e.GainDB < -35 || e.GainDB > -15 {
			t.Fatalf("noise %d has an echo: %v", seed, e)
		}
	}
	x := make([]float64, p.Frames())
	for i, v := range p.Sound() {
		x[i+100] = float64(v) * math.Pow(10, -70/20.)
	}
	if e := p.Find(noisy(x, -30, 1)); e.Heard || e.GainDB < -70 {
		t.Errorf("an echo that is drowned is %v", e)
	}
}

// A probe is no key to our own detector, and neither clips nor differs from what it says of itself.
func TestTheProbeIsNoKey(t *testing.T) {
	for _, rate := range rates {
		p := probeOf(t, rate)
		d, err := detect.New(rate)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		var v detect.Verdict
		tick := rate.TickFrames()
		for x := p.Sound(); len(x) >= tick; x = x[tick:] {
			if d.Tick(x[:tick], &v); v.Event.Kind == detect.Began {
				t.Errorf("%v: a probe is taken for a key", rate)
			}
		}
		q := NewQuiet(rate)
		q.Write(p.Sound())
		power := 0.0
		for _, v := range p.Sound() {
			power += float64(v) * float64(v) / float64(len(p.Sound()))
		}
		if level := audio.DBm0(power); math.Abs(level-LevelDBm0) > 0.05 || q.Clipped() > 0 {
			t.Errorf("%v: a probe has %.2f dBm0 and clips %d times", rate, level, q.Clipped())
		}
	}
}

func TestQuiet(t *testing.T) {
	for name, test := range map[string]struct {
		sound   func(i int, r *rand.Rand) float64
		floor   float64
		offset  float64
		clipped int
		dead    bool
	}{
		"a quiet line":         {func(_ int, r *rand.Rand) float64 { return 10 * r.NormFloat64() }, -64.2, 0, 0, false},
		"an offset":            {func(_ int, r *rand.Rand) float64 { return 1000 + 10*r.NormFloat64() }, -64.2, 1000. / 32767, 0, false},
		"nothing connected":    {func(int, *rand.Rand) float64 { return 0 }, -90, 0, 0, true},
		"stuck":                {func(int, *rand.Rand) float64 { return -32768 }, -90, -1, 8000, true},
		"somebody speaks once": {func(i int, r *rand.Rand) float64 { return []float64{10, 3000}[i/4000] * r.NormFloat64() }, -64.2, 0, 0, false},
		"a square wave":        {func(i int, _ *rand.Rand) float64 { return []float64{-40000, 40000}[i/4%2] }, 6.15, 0, 8000, false},
		"peaks that just fit":  {func(i int, _ *rand.Rand) float64 { return []float64{-40000, 40000}[i/2%2] }, 6.15, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			q, r := NewQuiet(audio.Rate8k), rand.New(rand.NewPCG(3, 3))
			x := make([]int16, 8000)
			for i := range x {
				x[i] = int16(min(max(test.sound(i, r), math.MinInt16), math.MaxInt16))
			}
			for len(x) > 0 { // in periods of any length
				n := min(len(x), 1+r.IntN(300))
				q.Write(x[:n])
				x = x[n:]
			}
			if math.Abs(q.FloorDBm0()-test.floor) > 1 || math.Abs(q.Offset()-test.offset) > 0.02 || q.Clipped() != test.clipped || q.Dead() != test.dead {
				t.Errorf("floor %.1f dBm0, offset %.4f, %d clipped, dead %v", q.FloorDBm0(), q.Offset(), q.Clipped(), q.Dead())
			}
			if q.Frames() != 8000 {
				t.Errorf("%d frames", q.Frames())
			}
		})
	}
}
