//go:build cgo

package sound_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest"
	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/sound"
)

// A stall that a line lives through costs the samples of the stall and nothing else, and so does any other overrun: all that is heard
// is silence, or what was said two periods before.
func TestAShortStallIsNoLoss(t *testing.T) {
	for kind, k := range cards {
		t.Run(kind, func(t *testing.T) {
			made, cfg := plug(t, kind, false, noise)
			line := open(t, cfg)
			callerMissed, agentMissed := 0, 0 // periods
			turns := int64(k.rate) / int64(k.period)
			caller, agent := copying(line, k.period)
			run(t, line, turns, &counting{missing{caller, &callerMissed}, func(n int64) {
				if n == turns/2 {
					made[0].Stall(100 * time.Millisecond)
				}
			}, 0}, missing{agent, &agentMissed})
			if err := line.Close(); err != nil {
				t.Error(err)
			}
			if made[0].Xruns() == 0 {
				t.Error("the card did not stall")
			}
			hears := cfg.Caller
			if line.OneClock {
				hears = cfg.Agent
			}
			if callerMissed+agentMissed == 0 {
				t.Error("no turn was told of the gap")
			}
			said, after := said(kind, cfg.Caller), 0
			for i, v := range at(kind, made, hears) {
				if v == 0 {
					continue
				}
				if before := i - 2*k.period; before < 0 || before >= len(said) || v != said[before] {
					t.Fatalf("what is heard at frame %d was not said two periods before", i)
				}
				after++
			}
			if after < int(turns)*k.period/2 {
				t.Errorf("only %d frames were heard", after)
			}
		})
	}
}

// missing counts the periods that a turn was told are lost.
type missing struct {
	hw.Turn
	periods *int
}

func (m missing) Lost(frames int) {
	m.Turn.Lost(frames)
	*m.periods++
}

// Each way of losing a device is tried once a second until the line is lost: the machine may be too busy to see a stall in time.
func TestALostDeviceEndsBothSides(t *testing.T) {
	for loss, lose := range map[string]func(*card.Card){
		"unplugged":         (*card.Card).Unplug,
		"stalls for 700 ms": func(c *card.Card) { c.Stall(700 * time.Millisecond) },
	} {
		for kind := range cards {
			t.Run(loss+", "+kind, func(t *testing.T) { losing(t, kind, lose) })
		}
	}
}

func losing(t *testing.T, kind string, lose func(*card.Card)) {
	if !hwtest.IsApart() {
		hwtest.Apart(t, t.Name())
		return
	}
	made, cfg := plug(t, kind, false, nil)
	line := open(t, cfg)
	running := make(chan struct{})
	caller := &counting{crossing{}, func(n int64) {
		if n == 10 {
			close(running)
		}
	}, 0}
	caused := make(chan error, 2)
	go func() { caused <- line.Caller.Run(context.Background(), caller) }()
	go func() { caused <- line.Agent.Run(context.Background(), crossing{}) }()
	<-running
	again := time.NewTicker(time.Second)
	defer again.Stop()
	lose(made[0])
	for ended := 0; ended < 2; {
		select {
		case err := <-caused:
			ended++
			if !errors.Is(err, hw.ErrLost) {
				t.Errorf("a side ended with %v", err)
			}
			for _, says := range []string{cards[kind].specs[0].Name, "no sound for 500ms", "started anew"} {
				if err != nil && !strings.Contains(err.Error(), says) {
					t.Errorf("%q does not say %q", err, says)
				}
			}
		case <-again.C:
			lose(made[0])
		}
	}
	// A lost line doesn't hang who closes it, and keeps its device: PortAudio does.
	for range 2 {
		if err := line.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := sound.Open(cfg); !errors.Is(err, hw.ErrBusy) {
		t.Errorf("the next line gets %v", err)
	}
}
