//go:build cgo

package sound_test

import (
	"context"
	"slices"
	"testing"

	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/sound"
)

// A line at 8 kHz on a device that has only 48 takes turns of the line's frames; what is said there comes back once, as loud, later by two periods and
// the delay of the filters.
func TestADeviceAtAMultipleOfTheLinesRate(t *testing.T) {
	const (
		period, by = 144, 6
		every      = 4800
		filters    = 24 * by
	)
	in := make([]int16, 4*48000)
	for i := every; i < len(in); i += every {
		for k := range 24 { // a click of 8 kHz
			in[i+k] = []int16{8000, 16000, 16000, 8000}[k/6]
		}
	}
	made := card.New(t, card.Spec{Name: "headset", Rate: 48000, Patient: true, In: [][]int16{in}})
	line := open(t, sound.Config{Rate: 8000, DeviceRate: 48000, PeriodFrames: period, Agent: sound.Side{Device: "headset", Channel: 1}, LockDir: t.TempDir()})
	if line.Agent.Rate() != 8000 {
		t.Errorf("the port runs at %v", line.Agent.Rate())
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	back := make([]int16, period/by)
	var turn hw.Turn = &counting{whole{t, crossing{back, back}}, func(n int64) {
		if n == 500 {
			cancel()
		}
	}, 0}
	if err := line.Agent.Run(ctx, turn); err != nil {
		t.Error(err)
	}
	if err := line.Close(); err != nil {
		t.Error(err)
	}
	heard := made[0].Heard(1)
	clicks := 0
	for at := every; at+every < 500*period; at += every {
		around := heard[at : at+every]
		loudest := slices.Max(around)
		if late := slices.Index(around, loudest) - 9; late < 2*period+filters-by || late > 2*period+filters+by {
			t.Fatalf("a click at %d comes back %d frames later, not %d", at, late, 2*period+filters)
		}
		if loudest < 14000 || loudest > 19000 {
			t.Errorf("a click of 16000 comes back as %d", loudest)
		}
		clicks++
	}
	if clicks < 10 {
		t.Errorf("only %d clicks came", clicks)
	}
}

// whole insists on whole turns.
type whole struct {
	t testing.TB
	crossing
}

func (w whole) Take(in []int16) {
	if len(in) != len(w.to) {
		w.t.Errorf("a turn takes %d frames", len(in))
	}
	w.crossing.Take(in)
}
