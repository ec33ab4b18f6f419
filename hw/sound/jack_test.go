//go:build cgo

package sound_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/hw/hwtest"
	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/hwtest/jack"
	"github.com/flattone/flattone/hw/sound"
)

// server starts a JACK server with two devices, and is the line they would make. There is no card beside them.
func server(t *testing.T, rate audio.Rate, period int, in func(card, channel int) []int16) (*jack.Server, sound.Config) {
	t.Helper()
	card.New(t)
	spec := jack.Spec{Rate: int(rate), PeriodFrames: period, Devices: []jack.Device{{Name: "trunk"}, {Name: "headset"}}}
	if in != nil {
		for i := range spec.Devices {
			spec.Devices[i].In = in(i, 0)
		}
	}
	return jack.New(t, spec), sound.Config{Rate: rate, PeriodFrames: period, LockDir: t.TempDir(),
		Caller: sound.Side{Device: "trunk", Channel: 1}, Agent: sound.Side{Device: "headset", Channel: 1}}
}

func TestContractOnJACK(t *testing.T) {
	made, cfg := server(t, audio.Rate48k, 128, nil)
	hwtest.TestLine(t, hwtest.Suite{Open: func(t *testing.T, _ hwtest.Material) hwtest.Rig {
		from := len(made.Heard("trunk"))
		return contracted(t, cfg, func() (caller, agent []int16) { return made.Heard("trunk")[from:], made.Heard("headset")[from:] }, made.Kill)
	}})
}

// TestContractOfLossOnJACK runs the promise that TestContractOnJACK leaves out in a process of its own: the server dies.
func TestContractOfLossOnJACK(t *testing.T) {
	hwtest.Apart(t, "TestContractOnJACK/a lost device ends both sides")
}

// What is wrong on a server is told as it is of cards; without a server there are no devices.
func TestOpenRefusesOnJACK(t *testing.T) {
	made, good := server(t, audio.Rate48k, 128, nil)
	refused := func(cfg sound.Config, says ...string) error {
		t.Helper()
		line, err := sound.Open(cfg)
		if err == nil {
			t.Fatal("accepted", line.Close())
		}
		for _, says := range says {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%q does not say %q", err, says)
			}
		}
		return err
	}
	cfg := good
	cfg.Rate = audio.Rate44k
	refused(cfg, "trunk: it doesn't run at 44100 Hz", "such as 48000 Hz", "headset: ")
	cfg = good
	cfg.Agent.Device = "headphones"
	if err := refused(cfg, `no device "headphones"`, `"headset" (1 in, 1 out, 48000 Hz)`); !errors.Is(err, sound.ErrAbsent) {
		t.Errorf("an absent device is %v", err)
	}
	made.Kill()
	if err := refused(good, `no device "trunk"`); !errors.Is(err, sound.ErrAbsent) {
		t.Errorf("a dead server's device is %v", err)
	}
	made.Start()
	line := open(t, good) // what was refused has left nothing behind
	if err := line.Close(); err != nil {
		t.Error(err)
	}
}

// A line of adopted cards doesn't even notice that a JACK server dies.
func TestAdoptedCardsKeepAwayFromJACK(t *testing.T) {
	if !hwtest.IsApart() {
		hwtest.Apart(t, t.Name())
		return
	}
	made := jack.New(t, jack.Spec{Rate: 48000, PeriodFrames: 128, Devices: []jack.Device{{Name: "other"}}})
	desk := newDesk(t)
	line := open(t, desk.cfg)
	run(t, line, 5, crossing{}, crossing{})
	made.Kill()
	if err := line.Close(); err != nil {
		t.Error(err)
	}
}
