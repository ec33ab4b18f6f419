//go:build cgo

package sound_test

import (
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/hw/hwtest"
	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/sound"
)

// cards are the kinds of line that the tests are run on.
var cards = map[string]struct {
	rate          audio.Rate
	period        int
	specs         []card.Spec
	caller, agent sound.Side
}{
	"two mono cards": {audio.Rate8k, 64,
		[]card.Spec{{Name: "trunk"}, {Name: "headset"}}, sound.Side{Device: "trunk", Channel: 1}, sound.Side{Device: "headset", Channel: 1}},
	"one stereo card": {audio.Rate48k, 128,
		[]card.Spec{{Name: "both", Channels: 2}}, sound.Side{Device: "both", Channel: 1}, sound.Side{Device: "both", Channel: 2}},
	"clocks apart": {audio.Rate16k, 160,
		[]card.Spec{{Name: "trunk"}, {Name: "headset", PPM: 200}}, sound.Side{Device: "trunk", Channel: 1}, sound.Side{Device: "headset", Channel: 1}},
	"channels of many": {audio.Rate44k, 80,
		[]card.Spec{{Name: "desk", Channels: 3}, {Name: "many", Channels: 5}}, sound.Side{Device: "many", Channel: 4}, sound.Side{Device: "desk", Channel: 2}},
}

// plug makes the cards of one kind, each saying in, and the line they would make.
func plug(t *testing.T, kind string, patient bool, in func(card, channel int) []int16) ([]*card.Card, sound.Config) {
	t.Helper()
	k := cards[kind]
	specs := slices.Clone(k.specs)
	for i := range specs {
		specs[i].Rate, specs[i].Patient = int(k.rate), patient
		for c := range max(specs[i].Channels, 1) {
			if in != nil {
				specs[i].In = append(specs[i].In, in(i, c))
			}
		}
	}
	return card.New(t, specs...), sound.Config{
		Rate: k.rate, PeriodFrames: k.period, Caller: k.caller, Agent: k.agent, LockDir: t.TempDir(),
	}
}

// at is where a side is heard.
func at(kind string, made []*card.Card, s sound.Side) []int16 {
	i := slices.IndexFunc(cards[kind].specs, func(c card.Spec) bool { return c.Name == s.Device })
	return made[i].Heard(s.Channel)
}

func TestContract(t *testing.T) {
	for kind := range cards {
		t.Run(kind, func(t *testing.T) {
			hwtest.TestLine(t, hwtest.Suite{Open: func(t *testing.T, _ hwtest.Material) hwtest.Rig {
				made, cfg := plug(t, kind, true, nil)
				return contracted(t, cfg, func() (caller, agent []int16) { return at(kind, made, cfg.Caller), at(kind, made, cfg.Agent) },
					made[len(made)-1].Unplug)
			}})
		})
	}
}

// contracted is a line for the contract. It is lost in a process of its own only.
func contracted(t *testing.T, cfg sound.Config, heard func() (caller, agent []int16), lose func()) hwtest.Rig {
	t.Helper()
	rig := hwtest.Rig{
		Line: open(t, cfg),
		Heard: func(*testing.T) (caller, agent []int16) {
			caller, agent = heard()
			return sinceTheFirstTurn(caller), sinceTheFirstTurn(agent)
		},
		Again: func() error {
			again, err := sound.Open(cfg)
			if err != nil {
				return err
			}
			return again.Close()
		},
	}
	if hwtest.IsApart() {
		rig.Lose = func(*testing.T) { lose() }
	}
	return rig
}

// sinceTheFirstTurn leaves out the silence before a line ran; no turn of the suite begins with a 0.
func sinceTheFirstTurn(heard []int16) []int16 {
	return heard[max(0, slices.IndexFunc(heard, func(v int16) bool { return v != 0 })):]
}

// TestContractOfLoss runs the promise that TestContract leaves out, for each kind in a process of its own.
func TestContractOfLoss(t *testing.T) {
	for kind := range cards {
		t.Run(kind, func(t *testing.T) {
			hwtest.Apart(t, "TestContract/"+kind+"/a lost device ends both sides")
		})
	}
}
