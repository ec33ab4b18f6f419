package line

import (
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/capture"
)

func TestInput(t *testing.T) {
	type second struct {
		clipped, byGain int64 // frames of this one
		still           time.Duration
	}
	calm, clips, gain, few := second{}, second{clipped: 3}, second{byGain: 3}, second{clipped: 2, byGain: 2}
	dead := second{still: deadAfter}
	many := func(n int, s second) []second { return slices.Repeat([]second{s}, n) }
	for name, c := range map[string]struct {
		seconds []second
		told    []capture.Code // as it changes
	}{
		"nothing to tell":              {many(100, calm), nil},
		"soon alive":                   {many(100, second{still: deadAfter - 1}), nil},
		"dead":                         {many(100, dead), []capture.Code{"input_dead"}},
		"and back":                     {append(many(3, dead), calm), []capture.Code{"input_dead", "ok"}},
		"two clipped seconds":          {append(many(2, clips), many(100, calm)...), nil},
		"three":                        {many(3, clips), []capture.Code{"input_clips"}},
		"three of ten":                 {append(append([]second{clips}, many(4, calm)...), clips, calm, calm, calm, clips), []capture.Code{"input_clips"}},
		"three of eleven":              {append(append([]second{clips}, many(4, calm)...), clips, calm, calm, calm, calm, clips), nil},
		"a few frames":                 {many(100, few), nil},
		"told once, however long":      {many(1000, clips), []capture.Code{"input_clips"}},
		"told once, though it pauses":  {slices.Repeat(append(many(3, clips), many(59, calm)...), 5), []capture.Code{"input_clips"}},
		"over after a minute":          {append(many(3, clips), many(60, calm)...), []capture.Code{"input_clips", "ok"}},
		"the gain":                     {append(many(3, gain), many(60, calm)...), []capture.Code{"gain_clips", "ok"}},
		"what comes in hides the gain": {many(100, second{clipped: 3, byGain: 3}), []capture.Code{"input_clips"}},
		"and stuck at full scale":      {many(100, second{3, 3, deadAfter}), []capture.Code{"input_dead"}},
	} {
		var in input
		var told []capture.Code
		var clipped, byGain int64
		for _, s := range c.seconds {
			before := in.code
			clipped, byGain = clipped+s.clipped, byGain+s.byGain
			if in.second(clipped, byGain, s.still); in.code != before {
				told = append(told, in.code)
			}
		}
		if !slices.Equal(told, c.told) {
			t.Errorf("%s: told %q, want %q", name, told, c.told)
		}
	}
}
