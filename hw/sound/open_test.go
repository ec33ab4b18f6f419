//go:build cgo

package sound_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/sound"
)

func TestDevices(t *testing.T) {
	card.New(t, card.Spec{Name: "trunk", Rate: 8000}, card.Spec{Name: "both", Rate: 48000, Channels: 2})
	list, err := sound.Devices()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []sound.Device{
		{Name: "trunk", In: 1, Out: 1, Rate: 8000, Rates: []int{8000}},
		{Name: "both", In: 2, Out: 2, Rate: 48000, Rates: []int{48000}},
	} {
		if !slices.ContainsFunc(list, func(d sound.Device) bool { return reflect.DeepEqual(d, want) }) {
			t.Errorf("%v is not among %v", want, list)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	made := card.New(t, card.Spec{Name: "trunk", Rate: 8000}, card.Spec{Name: "headset", Rate: 8000},
		card.Spec{Name: "both", Rate: 48000, Channels: 2}, card.Spec{Name: "away", Rate: 8000})
	made[3].Unplug()
	locks := t.TempDir()
	good := sound.Config{Rate: 8000, PeriodFrames: 80, Caller: sound.Side{Device: "trunk", Channel: 1},
		Agent: sound.Side{Device: "headset", Channel: 1}, LockDir: locks}
	for name, c := range map[string]struct {
		change func(*sound.Config)
		says   []string
	}{
		"nothing at all": {func(c *sound.Config) { *c = sound.Config{} }, []string{
			"0 Hz is not supported: use 8000", "period of 0 frames: use 8 to 1024", "no folder for the devices' locks",
			"the caller's side has no device", "the agent's side has no device", "the agent's side is on channel 0"}},
		"one side, on no channel":     {func(c *sound.Config) { c.Caller, c.Agent.Channel = sound.Side{}, 0 }, []string{"the agent's side is on channel 0"}},
		"one side, absent":            {func(c *sound.Config) { c.Caller, c.Agent.Device = sound.Side{}, "headphones" }, []string{`no device "headphones"`}},
		"a rate of nobody":            {func(c *sound.Config) { c.Rate = 11025 }, []string{"11025 Hz is not supported"}},
		"a period too short":          {func(c *sound.Config) { c.PeriodFrames = 7 }, []string{"period of 7 frames: use 8 to 1024"}},
		"a period too long":           {func(c *sound.Config) { c.PeriodFrames = 1025 }, []string{"period of 1025 frames"}},
		"a device's rate of nobody":   {func(c *sound.Config) { c.DeviceRate = 24000 }, []string{"24000 Hz is no whole multiple of the line's 8000 Hz"}},
		"no multiple of the rate":     {func(c *sound.Config) { c.DeviceRate = 44100 }, []string{"44100 Hz is no whole multiple of the line's 8000 Hz"}},
		"a period of no whole frames": {func(c *sound.Config) { c.DeviceRate, c.PeriodFrames = 48000, 128 }, []string{"period of 128 frames: use a multiple of 6"}},
		"a multiple it doesn't have": {func(c *sound.Config) { c.DeviceRate, c.PeriodFrames = 48000, 144 },
			[]string{"trunk: it doesn't run at 48000 Hz", "such as 8000 Hz"}},
		"one channel for both": {func(c *sound.Config) { c.Agent = c.Caller },
			[]string{"trunk: both sides are on channel 1", "a channel of its own"}},
		"an absent device": {func(c *sound.Config) { c.Agent.Device = "headphones" },
			[]string{`no device "headphones"`, "plug it in", `"headset" (1 in, 1 out, 8000 Hz)`, `"both" (2 in, 2 out, 48000 Hz)`}},
		"a device pulled out": {func(c *sound.Config) { c.Agent.Device = "away" }, []string{`no device "away"`}},
		"two absent devices":  {func(c *sound.Config) { c.Caller.Device, c.Agent.Device = "one", "two" }, []string{`"one"`, `"two"`}},
		"another rate":        {func(c *sound.Config) { c.Rate = 16000 }, []string{"trunk: it doesn't run at 16000 Hz", "such as 8000 Hz", "headset: "}},
		"one device of another rate": {func(c *sound.Config) { c.Agent.Device = "both" },
			[]string{"both: it doesn't run at 8000 Hz", "such as 48000 Hz"}},
		"a channel that isn't there": {func(c *sound.Config) { c.Caller.Channel = 2 },
			[]string{"trunk: there is no channel 2 both ways: it has 1 in and 1 out"}},
		"a folder that can't be": {func(c *sound.Config) { c.LockDir = filepath.Join(os.DevNull, "none") },
			[]string{"lock trunk", "not a directory", "check the folder"}},
	} {
		cfg := good
		c.change(&cfg)
		_, err := sound.Open(cfg)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, says := range c.says {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %q does not say %q", name, err, says)
			}
		}
	}
	// What was refused has left nothing behind.
	line := open(t, good)
	_, err := sound.Open(good)
	if !errors.Is(err, hw.ErrBusy) {
		t.Errorf("a second owner gets %v", err)
	}
	for _, says := range []string{"trunk: device is in use", fmt.Sprintf("by process %d:", os.Getpid()), "stop that one"} {
		if err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%q does not say %q", err, says)
		}
	}
	// One device in common is one too many.
	half := good
	half.Caller.Device = "both"
	if _, err := sound.Open(half); !errors.Is(err, hw.ErrBusy) || !strings.Contains(err.Error(), "headset") {
		t.Errorf("a second owner of one side gets %v", err)
	}
	if err := line.Close(); err != nil {
		t.Error(err)
	}
}

func TestALineNamesItsDevices(t *testing.T) {
	for kind, want := range map[string]string{"two mono cards": "trunk and headset", "one stereo card": "both"} {
		_, cfg := plug(t, kind, true, nil)
		line := open(t, cfg)
		if line.Device != want || line.OneClock != (cfg.Caller.Device == cfg.Agent.Device) {
			t.Errorf("%s: it is called %s; one clock: %v", kind, line.Device, line.OneClock)
		}
		if err := line.Close(); err != nil {
			t.Error(err)
		}
	}
}
