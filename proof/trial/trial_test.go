package trial_test

import (
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/proof/corpus"
	"github.com/flattone/flattone/proof/trial"
)

func TestRun(t *testing.T) {
	in := make([]int16, 8003)
	for i := range in {
		in[i] = int16(1 + i%7)
	}
	sines, _ := tone.Pair('1', -10, 0)
	copy(in[7003:], tone.Append(nil, corpus.Rate, 1000, 0, sines[:]...)) // sounds to the very end
	for _, l := range []time.Duration{10 * time.Millisecond, 30 * time.Millisecond} {
		cfg := path.Config{Rate: corpus.Rate, LookAhead: l, Idle: mask.Pass}
		open, err := trial.Run(cfg, mask.Pass, in)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(open.Out, in) || open.Masked != 0 {
			t.Errorf("%v: an open line changes what it carries, or its delay isn't taken out", l)
		}
		if len(open.Keys) != 1 || open.Keys[0].Key != '1' || open.Keys[0].End < 8000 || open.Keys[0].End > 8010 {
			t.Errorf("%v: %d keys were reported, or not the one that was sent, or not to its end", l, len(open.Keys))
		}
		shut, err := trial.Run(cfg, mask.Closed, in)
		if err != nil {
			t.Fatal(err)
		}
		if len(shut.Out) != len(in) || shut.Masked < len(in) {
			t.Errorf("%v: a closed line masked %d of %d frames", l, shut.Masked, len(in))
		}
	}
}
