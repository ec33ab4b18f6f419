package line

import (
	"slices"
	"testing"

	"github.com/flattone/flattone/daemon/capture"
)

func TestClocks(t *testing.T) {
	far, near := slices.Repeat([]float64{1000}, 9), slices.Repeat([]float64{-300}, 9)
	for name, c := range map[string]struct {
		ppm  []float64 // a second each
		told []bool    // as it changes
	}{
		"as they are":            {slices.Repeat([]float64{300}, 100), nil},
		"for a while":            {slices.Concat(far, near, far, near), nil},
		"too far":                {append(far, -1000), []bool{true}},
		"and back":               {slices.Concat(far, far, near, []float64{0}), []bool{true, false}},
		"told once":              {slices.Repeat([]float64{-1500}, 100), []bool{true}},
		"told once, though less": {slices.Concat(far, far, near, far, near, far), []bool{true}},
	} {
		var clocks clocks
		var told []bool
		for _, ppm := range c.ppm {
			before := clocks.apart
			if now := clocks.second(ppm); now != before {
				told = append(told, now)
			}
		}
		if !slices.Equal(told, c.told) {
			t.Errorf("%s: told %v, want %v", name, told, c.told)
		}
	}
	in := input{apart: true}
	if in.second(0, 0, 0); in.code != capture.ClocksApart {
		t.Errorf("clocks apart are told as %q", in.code)
	}
	if in.second(0, 0, deadAfter); in.code != capture.InputDead {
		t.Errorf("a dead input whose clock is apart is told as %q", in.code)
	}
}
