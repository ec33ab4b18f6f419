package resample_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flattone/flattone/audio/resample"
)

// tone is a second of one, at so many cycles a frame.
func tone(frames int, cycles float64) []int16 {
	x := make([]int16, frames)
	for i := range x {
		x[i] = int16(math.RoundToEven(16000 * math.Sin(2*math.Pi*cycles*float64(i))))
	}
	return x
}

const few = 24 // frames at a time, of the lower rate

func up(by int, in []int16) []int16 {
	u, out := resample.NewUp(by, few), make([]int16, len(in)*by)
	for i := 0; i+few <= len(in); i += few {
		u.Convert(out[i*by:(i+few)*by], in[i:i+few])
	}
	return out
}

func down(by int, in []int16) []int16 {
	d, out := resample.NewDown(by, few), make([]int16, len(in)/by)
	for i := 0; i+few <= len(out); i += few {
		d.Convert(out[i:i+few], in[i*by:(i+few)*by])
	}
	return out
}

// What a device at a multiple of 8 kHz says and is said keeps its loudness within half a decibel up to 3400 Hz, with nothing above 60 dB below it beside it.
func TestMultiples(t *testing.T) {
	for _, by := range []int{2, 6} {
		for _, hz := range []float64{300, 697, 1633, 3000, 3300} {
			for way, convert := range map[string]func() ([]int16, float64){
				"up":   func() ([]int16, float64) { return up(by, tone(8040, hz/8000)), hz / 8000 / float64(by) },
				"down": func() ([]int16, float64) { return down(by, tone(8040*by, hz/8000/float64(by))), hz / 8000 },
			} {
				t.Run(fmt.Sprintf("%s by %d/%.0f Hz", way, by, hz), func(t *testing.T) {
					x, cycles := convert()
					x = x[len(x)/10 : len(x)/10*9]
					amplitude, rest := fit(x, cycles)
					if db := 20 * math.Log10(amplitude/16000); math.Abs(db) > 0.5 {
						t.Errorf("it comes out with %+.2f dB", db)
					}
					if db := 20 * math.Log10(amplitude/math.Sqrt2/rest); db < 60 {
						t.Errorf("all else is only %.1f dB below it", db)
					}
				})
			}
		}
	}
}

// What an 8 kHz line has no room for is not heard on it as something else.
func TestNothingComesAsSomethingElse(t *testing.T) {
	for _, hz := range []float64{4700, 5500, 7303, 9000, 15000, 23000} {
		x := down(6, tone(48000, hz/48000))[100:]
		if _, rest := fit(x, 0.1); 20*math.Log10(rest*math.Sqrt2/16000) > -55 {
			t.Errorf("%.0f Hz is heard with %.1f dB", hz, 20*math.Log10(rest*math.Sqrt2/16000))
		}
	}
}

// A click comes out where it was, later by the delay that is promised: 24 frames of the lower rate there and back.
func TestDelayOfMultiples(t *testing.T) {
	for _, by := range []int{2, 6} {
		x := make([]int16, 20*few)
		x[200] = 20000
		back := down(by, up(by, x))
		if at := slices.Index(back, slices.Max(back)); at != 200+23 && at != 200+24 {
			t.Errorf("by %d: a click at 200 is at %d", by, at)
		}
	}
}

// After what was lost nothing is heard of what was before it; and full scale never wraps around.
func TestLostAndLoud(t *testing.T) {
	d, out := resample.NewDown(6, few), make([]int16, few)
	loud := slices.Repeat([]int16{30000}, few*6)
	d.Convert(out, loud)
	d.Lost()
	d.Convert(out, make([]int16, few*6))
	if slices.Max(out) != 0 || slices.Min(out) != 0 {
		t.Error("what was before is heard after what was lost")
	}
	r := rand.New(rand.NewPCG(1, 2))
	square := make([]int16, 4*few)
	for i := range square {
		square[i] = []int16{math.MinInt16, math.MaxInt16}[r.IntN(2)]
	}
	flat := slices.Repeat([]int16{math.MaxInt16}, 4*few)
	for i, v := range up(6, flat)[24*6:] {
		if v < 30000 {
			t.Fatalf("frame %d of full scale is %d", i, v)
		}
	}
	for i, v := range up(6, square) { // where a frame is, the filter's middle is: it has its sign
		if at := i/6 - 12; i%6 == 0 && at >= 0 && (v < 0) != (square[at] < 0) {
			t.Fatalf("frame %d is %d and was %d", at, v, square[at])
		}
	}
}

func TestMultiplesAllocateNothing(t *testing.T) {
	u, d := resample.NewUp(6, few), resample.NewDown(6, few)
	low, high := make([]int16, few), make([]int16, 6*few)
	if n := testing.AllocsPerRun(100, func() { u.Convert(high, low); d.Convert(low, high) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
