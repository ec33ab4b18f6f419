//go:build cgo

package sound_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest"
	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/sound"
)

// bursting is a line at whose caller's side a card gives so many periods at a time.
func bursting(t *testing.T, periods int) (*hw.Line, *card.Card, int) {
	const rate, period = 8000, 80
	made := card.New(t, card.Spec{Name: "trunk", Rate: rate, Burst: periods * period, In: [][]int16{noise(0, 0)}}, card.Spec{Name: "headset", Rate: rate})
	return open(t, sound.Config{Rate: rate, PeriodFrames: period, LockDir: t.TempDir(),
		Caller: sound.Side{Device: "trunk", Channel: 1}, Agent: sound.Side{Device: "headset", Channel: 1}}), made[0], period
}

// A card may give what there is room for at once: two periods. What is heard was said two periods before, or is silence where a busy machine was late.
func TestACardInBursts(t *testing.T) {
	line, made, period := bursting(t, 2)
	caller, agent := copying(line, period)
	run(t, line, 100, caller, agent)
	if err := line.Close(); err != nil {
		t.Error(err)
	}
	said, after := noise(0, 0), 0
	for i, v := range made.Heard(1) {
		if v == 0 {
			continue
		}
		if before := i - 2*period; before < 0 || v != said[before] {
			t.Fatalf("what is heard at frame %d was not said two periods before", i)
		}
		after++
	}
	if after < 50*period {
		t.Errorf("only %d frames were heard", after)
	}
}

// TestACardInLongBursts tries one that gives more than there is room for, in a process of its own: no sound comes through at all, and that is told, with the
// remedy.
func TestACardInLongBursts(t *testing.T) {
	if !hwtest.IsApart() {
		hwtest.Apart(t, t.Name())
		return
	}
	line, _, period := bursting(t, 4)
	caller, agent := copying(line, period)
	ended := make(chan error)
	go func() { ended <- line.Caller.Run(t.Context(), caller) }()
	go func() { ended <- line.Agent.Run(t.Context(), agent) }()
	for range 2 {
		if err := <-ended; !errors.Is(err, hw.ErrLost) || !strings.Contains(err.Error(), "trunk") || !strings.Contains(err.Error(), "set a longer period") {
			t.Errorf("a side ended with %v", err)
		}
	}
	if err := line.Close(); err != nil {
		t.Error(err)
	}
}
