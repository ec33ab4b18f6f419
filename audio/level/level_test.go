package level

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
)

func noise(seed uint64, n int, dBm0 float64) []int16 {
	r := rand.New(rand.NewPCG(seed, 1))
	rms := audio.Amplitude(dBm0) / math.Sqrt2
	x := make([]int16, n)
	for i := range x {
		x[i] = int16(max(math.MinInt16, min(math.MaxInt16, math.Round(rms*r.NormFloat64()))))
	}
	return x
}

func TestMeter(t *testing.T) {
	const rate = audio.Rate8k
	second := int(rate)
	var (
		voice = noise(1, second, -20)
		room  = noise(2, second, -60)
		hum   = slices.Repeat([]int16{2000}, second)
	)
	raised := slices.Clone(room)
	for i := range raised {
		raised[i] += 5000
	}
	for name, c := range map[string]struct {
		heard        [][]int16
		level, floor float64
	}{
		"nothing yet":                      {level: -90, floor: math.Inf(1)},
		"silence":                          {[][]int16{make([]int16, second)}, -90, -90},
		"noise":                            {[][]int16{room}, -60, -60},
		"speech":                           {[][]int16{room, voice}, -20, -60},
		"only speech":                      {[][]int16{voice}, -20, -20},
		"the floor is remembered":          {slices.Repeat([][]int16{voice}, 28)[:27], -20, -20},
		"for 27 s at the least":            {append([][]int16{room}, slices.Repeat([][]int16{voice}, 26)...), -20, -60},
		"and for 30 at the most":           {append([][]int16{room}, slices.Repeat([][]int16{voice}, 31)...), -20, -20},
		"what is constant is no noise":     {[][]int16{raised}, audio.DBm0(25e6), -60},
		"a constant is as soft as silence": {[][]int16{hum}, audio.DBm0(4e6), -90},
	} {
		t.Run(name, func(t *testing.T) {
			for _, period := range []int{1, 24, 160, 1000} {
				m := NewMeter(rate)
				for _, x := range c.heard {
					for part := range slices.Chunk(x, period) {
						m.Write(part)
					}
				}
				if got := m.Level(); math.Abs(got-c.level) > 0.6 {
					t.Errorf("periods of %d: the level is %.1f dBm0, want %.1f", period, got, c.level)
				}
				if got := m.Floor(); got != c.floor && !(math.Abs(got-c.floor) < 1) {
					t.Errorf("periods of %d: the floor is %.1f dBm0, want %.1f", period, got, c.floor)
				}
			}
		})
	}
}

func TestClips(t *testing.T) {
	const most, least = math.MaxInt16, math.MinInt16
	for name, c := range map[string]struct {
		x    []int16
		want int
	}{
		"a peak that just fits":         {[]int16{100, most, most, 100, least, -most, 0}, 0},
		"three on end":                  {[]int16{0, most, most, most, 0}, 3},
		"five at the other":             {[]int16{0, least, -most, least, least, least, 0}, 5},
		"from one end to the other":     {[]int16{most, most, least, least, most, most}, 0},
		"two of them":                   {[]int16{most, most, most, least, least, least, least}, 7},
		"one frame softer than that":    {[]int16{most - 1, most - 1, most - 1, most - 1}, 0},
		"all of it":                     {slices.Repeat([]int16{most}, 100), 100},
		"a square, full scale":          {slices.Repeat([]int16{most, most, most, most, least, least, least, least}, 10), 80},
		"as fast as it can, no run":     {slices.Repeat([]int16{most, least}, 50), 0},
		"nothing":                       {nil, 0},
		"full scale and quiet, in turn": {slices.Repeat([]int16{most, most, most, 0, 0, 0, 0, 0}, 5), 15},
	} {
		for period := 1; period <= 16; period++ {
			m := NewMeter(audio.Rate8k)
			for part := range slices.Chunk(c.x, period) {
				m.Write(part)
			}
			if got := m.Clipped(); got != int64(c.want) {
				t.Errorf("%s, in periods of %d: %d frames clipped, want %d", name, period, got, c.want)
			}
		}
	}
}

func TestStill(t *testing.T) {
	var s Still
	expect := func(want int64) {
		t.Helper()
		if got := s.Frames(); got != want {
			t.Errorf("still for %d frames, want %d", got, want)
		}
	}
	expect(0)
	s.Write(make([]int16, 80))
	s.Write(make([]int16, 80))
	expect(160)
	s.Write(append(make([]int16, 79), 1))
	expect(0)
	s.Write(slices.Repeat([]int16{1}, 80))
	expect(80)
	s.Write(nil)
	expect(80)
	s.Write(slices.Repeat([]int16{-7}, 80)) // another value: stuck, but not before now
	expect(0)
	s.Write(slices.Repeat([]int16{-7}, 80))
	expect(80)
	s.Write(noise(1, 80, -75))
	expect(0)
}

func TestGain(t *testing.T) {
	x := append(noise(1, 8000, -20), math.MaxInt16, math.MinInt16, 1, -1, 0)
	for dB := -MostGainDB; dB <= MostGainDB; dB++ {
		var g Gain
		g.Set(float64(dB))
		y := slices.Clone(x)
		g.Apply(y)
		factor, clipped := math.Pow(10, float64(dB)/20), int64(0)
		for i, v := range x {
			want := factor * float64(v)
			if want > math.MaxInt16+0.5 || want < math.MinInt16-0.5 {
				clipped++
			}
			want = max(math.MinInt16, min(math.MaxInt16, want))
			if math.Abs(float64(y[i])-want) > 0.6+math.Abs(want)/800 { // 0.01 dB
				t.Fatalf("%+d dB make %d of %d, want %.1f", dB, y[i], v, want)
			}
		}
		if g.Clipped() != clipped {
			t.Errorf("%+d dB: %d frames clipped, want %d", dB, g.Clipped(), clipped)
		}
		if dB == 0 && !slices.Equal(x, y) {
			t.Error("0 dB change something")
		}
	}
	var none Gain
	y := slices.Clone(x)
	if none.Apply(y); !slices.Equal(x, y) || none.Clipped() != 0 {
		t.Error("the zero Gain changes something")
	}
}

func TestNothingIsAllocated(t *testing.T) {
	m, x := NewMeter(audio.Rate48k), noise(1, 480, 3)
	var s Still
	var g Gain
	g.Set(20)
	if n := testing.AllocsPerRun(1000, func() { m.Write(x); s.Write(x); g.Apply(x) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

// BenchmarkLevels is what a period of 128 frames of loud speech costs.
func BenchmarkLevels(b *testing.B) {
	const period = 128
	x := noise(1, period, -15)
	m := NewMeter(audio.Rate48k)
	var s Still
	var g Gain
	g.Set(-1)
	for name, f := range map[string]func(){"meter": func() { m.Write(x) }, "still": func() { s.Write(x) }, "gain": func() { g.Apply(x) }} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/period, "ns/sample")
		})
	}
}
