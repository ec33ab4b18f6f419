package cost_test

import (
	"math"
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/proof/cost"
)

func TestCost(t *testing.T) {
	said := make([]int16, 8000*60)
	heard := slices.Clone(said)
	for _, at := range []int{0, 10, 5000, 5020, 9000} { // the first two and the next two are too near to tell apart
		heard[at] = 1
	}
	c := cost.Unit(said, heard, 4800)
	if c.Bursts != 3 || c.Share() != 1 || c.PerMinute() != 3 {
		t.Errorf("%d bursts, %v %%, %v a minute", c.Bursts, c.Share(), c.PerMinute())
	}
	c.Add(cost.Unit(said, said, 0))
	if c.Share() != 0.5 || c.PerMinute() != 1.5 {
		t.Errorf("with as much untouched speech: %v %%, %v a minute", c.Share(), c.PerMinute())
	}
}

// A cut clicks where the waveform is far from the mask's and its own steps are small; not where it crosses zero, where the sound is
// full of steps, nor where it is soft.
func TestClicks(t *testing.T) {
	hum := func(dBm0 float64) func(i int) float64 { // a cosine of 125 Hz, 64 frames long
		return func(i int) float64 { return audio.Amplitude(dBm0) * math.Cos(2*math.Pi*float64(i)/64) }
	}
	for _, c := range []struct {
		name     string
		say      func(i int) float64
		from, to int
		clicks   int
	}{
		{"at its peaks", hum(-20), 1600, 1920, 2},
		{"at a peak and near zero", hum(-20), 1600, 1936, 1},
		{"near zero", hum(-20), 1616, 1936, 0},
		{"soft", hum(-42), 1600, 1920, 0},
		{"full of steps", func(i int) float64 { return float64(i*7919%4001) - 2000 }, 1600, 1920, 0},
		{"too near the end to tell", hum(-20), 1600, 3192, 1},
	} {
		said := make([]int16, 3200)
		for i := range said {
			said[i] = int16(c.say(i))
		}
		heard := slices.Clone(said)
		for i := c.from; i < c.to; i++ {
			heard[i] = int16(i & 1)
		}
		if got := cost.Unit(said, heard, c.to-c.from); got.Bursts != 1 || got.Clicks != c.clicks {
			t.Errorf("%s: %d bursts, of whose edges %d of %d click; want %d", c.name, got.Bursts, got.Clicks, got.Edges, c.clicks)
		}
	}
}
