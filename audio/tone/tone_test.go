package tone_test

import (
	"math"
	"math/cmplx"
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// level measures the sine of hz in x, in dBm0, over a Hann window.
func level(x []int16, rate audio.Rate, hz float64) float64 {
	var sum complex128
	weight := 0.0
	for i, v := range x {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(len(x)))
		sum += complex(w*float64(v), 0) * cmplx.Exp(complex(0, -2*math.Pi*hz*float64(i)/float64(rate)))
		weight += w
	}
	amplitude := 2 * cmplx.Abs(sum) / weight
	return audio.DBm0(amplitude * amplitude / 2)
}

func TestEachKeySoundsItsPairAndNoOther(t *testing.T) {
	for _, rate := range []audio.Rate{audio.Rate8k, audio.Rate44k} {
		for i, key := range []byte(tone.Keys) {
			pair, ok := tone.Pair(key, -10, 2)
			if !ok {
				t.Fatal("a key has no pair")
			}
			x := tone.Append(nil, rate, int(rate)/16, 0, pair[:]...)
			for r, hz := range tone.Rows {
				if got, on := level(x, rate, hz), r == i/4; on && math.Abs(got+10) > 0.05 || !on && got > -45 {
					t.Errorf("%v: key %d: row %g Hz is at %.1f dBm0", rate, i, hz, got)
				}
			}
			for c, hz := range tone.Cols {
				if got, on := level(x, rate, hz), c == i%4; on && math.Abs(got+8) > 0.05 || !on && got > -45 {
					t.Errorf("%v: key %d: column %g Hz is at %.1f dBm0", rate, i, hz, got)
				}
			}
		}
	}
	if _, ok := tone.Pair('x', 0, 0); ok {
		t.Error("x is a key")
	}
}

func TestAppendKeepsWhatIsThereAndShapesEdges(t *testing.T) {
	const frames, edge = 800, 40
	sine := tone.Sine{Hz: 1000, DBm0: 0}
	x := tone.Append([]int16{7, 8}, audio.Rate8k, frames, edge, sine)
	if len(x) != 2+frames || x[0] != 7 || x[1] != 8 {
		t.Fatalf("%d frames, beginning %v", len(x), x[:2])
	}
	plain := tone.Append(nil, audio.Rate8k, frames, 0, sine)
	if !slices.Equal(x[2+edge:2+frames-edge], plain[edge:frames-edge]) {
		t.Error("the middle is not at full level")
	}
	for i := range edge {
		want := 0.5 - 0.5*math.Cos(math.Pi*(float64(i)+0.5)/edge)
		if got := float64(x[2+i]); math.Abs(got-want*float64(plain[i])) > 1 {
			t.Errorf("rising edge, frame %d: %g", i, got)
		}
		last := frames - 1 - i
		if got := float64(x[2+last]); math.Abs(got-want*float64(plain[last])) > 1 {
			t.Errorf("falling edge, frame %d: %g", i, got)
		}
	}
	if x := tone.Append(nil, audio.Rate8k, 5, 100, sine); len(x) != 5 {
		t.Errorf("a tone shorter than its edges has %d frames", len(x))
	}
	if x := tone.Append(nil, audio.Rate8k, 8, 0, tone.Sine{Hz: 2000, DBm0: 20}); x[1] != math.MaxInt16 || x[3] != math.MinInt16 {
		t.Error("an overloud tone does not clip")
	}
}
