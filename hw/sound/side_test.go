//go:build cgo

package sound_test

import (
	"context"
	"slices"
	"testing"

	"github.com/flattone/flattone/hw/sound"
)

// A line that has one side elsewhere opens the other's device alone, whose turns wait for nobody and sound as ever.
func TestOneSide(t *testing.T) {
	for kind, k := range cards {
		for _, side := range []string{"caller", "agent"} {
			t.Run(kind+"/"+side, func(t *testing.T) {
				made, cfg := plug(t, kind, true, noise)
				here, elsewhere := cfg.Caller, cfg.Agent
				cfg.Agent = sound.Side{}
				if side == "agent" {
					here, elsewhere = elsewhere, here
					cfg.Caller, cfg.Agent = sound.Side{}, here
				}
				line := open(t, cfg)
				if line.Device != here.Device || line.OneClock || line.Caller != nil && line.Agent != nil {
					t.Fatalf("opened %+v", line)
				}
				port := line.Caller
				if side == "agent" {
					port = line.Agent
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				turns, back := int64(k.rate)/4/int64(k.period), make([]int16, k.period)
				if err := port.Run(ctx, &counting{crossing{back, back}, func(n int64) {
					if n == turns {
						cancel()
					}
				}, 0}); err != nil {
					t.Error(err)
				}
				if err := line.Close(); err != nil {
					t.Error(err)
				}
				delayed(t, "there and back", said(kind, here), at(kind, made, here), 2*k.period, int(turns)*k.period)
				// On a card's other channel PortAudio plays the same, where it was asked for one.
				if elsewhere.Device != here.Device && slices.ContainsFunc(at(kind, made, elsewhere), func(v int16) bool { return v != 0 }) {
					t.Error("the side that is elsewhere was played on")
				}
			})
		}
	}
}
