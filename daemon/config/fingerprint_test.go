package config

import (
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
)

// What a tuning holds for changes with devices, channels and delays, and not with what is asked of a caller.
func TestFingerprint(t *testing.T) {
	adopted := Devices{}
	line := func(change func(*Line)) string {
		adopted["desk"] = Device{Place: "pci-usb-1", IDs: "08bb:2912", Plugging: "b/1", Card: "CODEC"}
		l := Line{Name: "one", Place: TrunkSide, Rate: audio.Rate8k, LookAhead: 30 * time.Millisecond, Profile: "card",
			Sound: &Sound{Caller: "trunk", Agent: "desk", CallerChannel: 1, AgentChannel: 1}}
		if change != nil {
			change(&l)
		}
		print, settings := l.Fingerprint(adopted)
		if len(print) != 32 || !strings.Contains(settings, "trunk") {
			t.Errorf("%s for %s", print, settings)
		}
		return print
	}
	for name, test := range map[string]struct {
		change func(*Line)
		same   bool
	}{
		"nothing":       {func(*Line) {}, true},
		"the profile":   {func(l *Line) { l.Profile = "number" }, true},
		"another card":  {func(l *Line) { l.Sound.Agent = "trunk" }, false},
		"legs swapped":  {func(l *Line) { l.Sound.Agent, l.Sound.Caller = l.Sound.Caller, l.Sound.Agent }, false},
		"the channel":   {func(l *Line) { l.Sound.AgentChannel = 2 }, false},
		"the period":    {func(l *Line) { l.Sound.PeriodFrames = 64 }, false},
		"the rate":      {func(l *Line) { l.Rate = audio.Rate16k }, false},
		"the lookahead": {func(l *Line) { l.LookAhead = 10 * time.Millisecond }, false},
		"the place":     {func(l *Line) { l.Place = DeskSide }, false},
		"plugged in":    {func(*Line) { adopted["desk"] = Device{Place: "pci-usb-1", IDs: "08bb:2912", Plugging: "b/2"} }, true},
		"another port":  {func(*Line) { adopted["desk"] = Device{Place: "pci-usb-2", IDs: "08bb:2912", Plugging: "b/1"} }, false},
		"another make":  {func(*Line) { adopted["desk"] = Device{Place: "pci-usb-1", IDs: "08bb:2900", Plugging: "b/1"} }, false},
	} {
		before := line(nil)
		if (line(test.change) == before) != test.same {
			t.Errorf("%s: the same is %v", name, !test.same)
		}
	}
}
