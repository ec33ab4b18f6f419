package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/demo/box"
	"github.com/flattone/flattone/hw/hwtest/card"
)

// TestASidetoneIsNoWayPastTheMask: a line whose card's mixer lets an input through to an output takes no card, and one that is being taken when that comes up
// is void. The log says how to close it. The other line, which has a card without a mixer, doesn't notice.
func TestASidetoneIsNoWayPastTheMask(t *testing.T) {
	sidetone := func(on int) []card.Control {
		return []card.Control{card.Switch("Headset Playback Switch", 1), card.Switch("Sidetone Playback Switch", on), card.Volume("Sidetone Playback Volume", 24, -2400, 0, 20)}
	}
	made := card.New(t, card.Spec{Name: "both", Rate: 8000, Channels: 2, Mixer: sidetone(1)}, card.Spec{Name: "other", Rate: 8000, Channels: 2})
	r := newRig(t, box.Config{Lines: []box.Line{
		{Name: "one", Sound: "caller = \"both\"\nagent = \"both\"\nagent_channel = 2"},
		{Name: "two", Sound: "caller = \"other\"\nagent = \"other\"\nagent_channel = 2"},
	}})
	r.accept(t)
	r.start(t)
	for _, line := range []string{"one", "two"} {
		r.wait(t, line, func(e control.Event) bool { return e.Line == line && e.Code == control.CallPresumed })
	}
	bar := func(on bool) func(control.Event) bool {
		return func(e control.Event) bool {
			return e.Line == "one" && e.Kind == control.KindBar && e.Code == "monitor_open" && e.On == on
		}
	}
	state := func(line, state, reason string) func(control.Event) bool {
		return func(e control.Event) bool {
			return e.Line == line && e.Kind == control.KindState && e.State == state && e.Reason == reason
		}
	}
	refused := func() {
		t.Helper()
		if _, err := r.client.Arm(t.Context(), "one", ""); err == nil || !strings.Contains(err.Error(), "monitor_open") {
			t.Errorf("a line with an open sidetone says %v when it is armed", err)
		}
	}
	r.wait(t, "the bar", bar(true))
	refused()
	log, err := os.ReadFile(r.Log())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), `amixer -D both cset 'name=Sidetone Playback Switch' off`) {
		t.Error("the log doesn't say how to close the sidetone")
	}

	at := r.heardSoFar()
	made[0].Mix(sidetone(0)...)
	r.waitFrom(t, at, "the bar's end", bar(false))
	for _, line := range []string{"one", "two"} {
		if _, err := r.client.Arm(t.Context(), line, ""); err != nil {
			t.Fatal(err)
		}
		r.waitFrom(t, at, line+" armed", state(line, "armed", ""))
	}

	at = r.heardSoFar()
	made[0].Mix(sidetone(1)...)
	r.waitFrom(t, at, "the capture's end", state("one", "void", "monitor_open"))
	r.waitFrom(t, at, "the line held", state("one", "held", "monitor_open"))
	if err := r.client.Acknowledge(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	r.waitFrom(t, at, "the line's release", state("one", "idle", ""))
	refused()
	made[0].Mix(sidetone(0)...)
	r.waitFrom(t, at, "the bar's end", bar(false))
	if _, err := r.client.Arm(t.Context(), "one", ""); err != nil {
		t.Error(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events[at:] {
		if e.Line == "two" && (e.Kind == control.KindState || e.Kind == control.KindBar) {
			t.Errorf("the other line says %s %s %s %s", e.Kind, e.State, e.Code, e.Reason)
		}
	}
}
