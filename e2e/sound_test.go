package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/vault"
	"github.com/flattone/flattone/demo/box"
	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/hwtest/jack"
)

// leadIn is for how long nobody says anything: time to arm the lines, however busy the machine is.
const leadIn = 8 * time.Second

// soundLine is a line on devices of its own, and the recorded call that is played on it.
type soundLine struct {
	call          string
	rate          audio.Rate
	period        int
	ppm           int    // by how many millionths the agent's clock is fast
	caller, agent string // devices: where both are one, the agent is on its second channel
}

func (l soundLine) name() string { return l.caller + "-" + l.agent }

func (l soundLine) oneClock() bool { return l.caller == l.agent }

// talk: its caller keys nothing.
func (l soundLine) talk() bool { return l.call == noCard }

func (l soundLine) config() box.Line {
	sound := fmt.Sprintf("caller = %q\nagent = %q\nperiod_frames = %d", l.caller, l.agent, l.period)
	if l.oneClock() {
		sound += "\nagent_channel = 2"
	}
	return box.Line{Name: l.name(), Sound: sound, Options: fmt.Sprintf("rate_hz = %d", int(l.rate))}
}

// said is what the two far ends of a line say, at its rate.
type said struct{ caller, agent []int16 }

// allSaid is what is said on each line.
func allSaid(t *testing.T, lines []soundLine) []said {
	all := make([]said, len(lines))
	var work sync.WaitGroup
	for i, l := range lines {
		say := func(who string) []int16 {
			x := append(make([]int16, audio.Rate8k.Frames(leadIn)), readWAV(t, filepath.Join(calls, l.call, who+".wav"))...)
			return stretched(x, 8000/float64(l.rate))
		}
		work.Go(func() { all[i] = said{say("caller"), say("agent")} })
	}
	work.Wait()
	return all
}

// playCalls runs a box with these lines, from the arming to the end of the masking: its vault has every caller's card, and the attacker reads no key in
// what the agents' devices played.
func playCalls(t *testing.T, lines []soundLine, said []said, heard map[string]func() []int16) {
	t.Helper()
	var cfg box.Config
	for _, l := range lines {
		cfg.Lines = append(cfg.Lines, l.config())
	}
	r := newRig(t, cfg)
	r.accept(t)
	r.start(t)
	for _, l := range lines {
		r.wait(t, l.name(), func(e control.Event) bool { return e.Line == l.name() && e.Code == control.CallPresumed })
		if _, err := r.client.Arm(t.Context(), l.name(), ""); err != nil {
			t.Fatal(err)
		}
	}
	tokens := map[string]string{}
	for i, l := range lines {
		if l.talk() {
			if !r.talked(t, l, func() bool { return len(heard[l.agent]()) >= len(said[i].caller) }) {
				t.Errorf("%s is held", l.name())
			}
			continue
		}
		r.wait(t, "the end of the masking on "+l.name(), func(e control.Event) bool {
			if e.Line == l.name() && e.Kind == control.KindToken {
				tokens[e.Line] = e.Token
			}
			return e.Line == l.name() && tokens[e.Line] != "" && e.Kind == control.KindState && e.State == "idle"
		})
	}
	if err := r.Stop(); err != nil {
		t.Fatalf("flattoned did not stop in order: %v", err)
	}
	r.vault(t, func(v *vault.Vault, _ *audit.Log) {
		for _, l := range lines {
			if l.talk() {
				continue
			}
			sameCard(t, v, tokens[l.name()], readTruth(t, l.call))
		}
	})
	for i, l := range lines {
		t.Run(l.name(), func(t *testing.T) {
			t.Parallel()
			if l.talk() {
				passed(t, l, said[i].caller, heard[l.agent]())
				return
			}
			attackSound(t, l, said[i].caller, heard[l.agent]())
		})
	}
}

// talked waits for the end of a call without a card, and gives it up: no star was shown, and no card stored. It isn't done if the line is held.
func (r *rig) talked(t *testing.T, l soundLine, over func() bool) (done bool) {
	t.Helper()
	for end := time.Now().Add(patience); !over(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the call on %s doesn't end", l.name())
		}
	}
	var given *control.Error
	if err := r.client.Disarm(t.Context(), l.name()); err != nil && !(errors.As(err, &given) && given.Code == control.CodeWrongState) { // it may have ended by itself
		t.Fatal(err)
	}
	void := false
	r.wait(t, "the end of the masking on "+l.name(), func(e control.Event) bool {
		if e.Line == l.name() && (e.Kind == control.KindKey || e.Kind == control.KindVerdict || e.Kind == control.KindToken) {
			t.Errorf("%s: talk is taken for a key: %s", l.name(), e.Kind)
		}
		void = void || e.Line == l.name() && e.State == "void"
		done = e.State == "idle"
		return void && e.Line == l.name() && (done || e.State == "held")
	})
	return done
}

// TestCallsThroughSoundCards is the main job again, in real time through PortAudio and cards, on the lines of one box side by side: at every rate, on one
// clock and on two.
func TestCallsThroughSoundCards(t *testing.T) {
	var lines []soundLine
	for i, rate := range []audio.Rate{audio.Rate8k, audio.Rate16k, audio.Rate44k, audio.Rate48k} {
		one, ppm, period := fmt.Sprintf("both%d", i), []int{200, -100, 50, -200}[i], rate.Frames(3*time.Millisecond)
		lines = append(lines, soundLine{cards[i%2], rate, period, 0, one, one},
			soundLine{cards[(i+1)%2], rate, period, ppm, fmt.Sprintf("trunk%d", i), fmt.Sprintf("headset%d", i)})
	}
	lines = append(lines, soundLine{noCard, audio.Rate8k, 24, 0, "talk", "talk"})
	said := allSaid(t, lines)
	playCalls(t, lines, said, playedOnCards(t, lines, said))
}

// TestCallsThroughJACK is the same with devices that PortAudio reaches by another way, on a machine without a card.
func TestCallsThroughJACK(t *testing.T) {
	var lines []soundLine
	for i, call := range append(slices.Clone(cards), noCard) {
		lines = append(lines, soundLine{call, audio.Rate48k, 256, 0, fmt.Sprintf("trunk%d", i), fmt.Sprintf("headset%d", i)})
	}
	said := allSaid(t, lines)
	card.New(t)
	playCalls(t, lines, said, playedOnJACK(t, lines, said))
}

// cards are the recorded calls in which a card is keyed, noCard is the one that is only talk.
var cards = []string{"visa", "amex-corrected"}

const noCard = "no-card-just-talk"

// playedOnCards makes the lines' cards, and answers what each line's agent has heard, by device. They are patient: a caller who keys by a recording doesn't
// key again what a busy machine was too late for.
func playedOnCards(t *testing.T, lines []soundLine, said []said) map[string]func() []int16 {
	var specs []card.Spec
	for i, l := range lines {
		spec := card.Spec{Name: l.caller, Rate: int(l.rate), Patient: true, In: [][]int16{said[i].caller}}
		if l.oneClock() {
			spec.Channels, spec.In = 2, append(spec.In, said[i].agent)
		} else {
			specs = append(specs, card.Spec{Name: l.agent, Rate: int(l.rate), Patient: true, PPM: l.ppm, In: [][]int16{said[i].agent}})
		}
		specs = append(specs, spec)
	}
	heard := map[string]func() []int16{}
	for i, c := range card.New(t, specs...) {
		heard[specs[i].Name] = func() []int16 { return c.Heard(max(specs[i].Channels, 1)) }
	}
	return heard
}

// playedOnJACK does that on a server, which waits for who is late as well.
func playedOnJACK(t *testing.T, lines []soundLine, said []said) map[string]func() []int16 {
	spec := jack.Spec{Rate: int(lines[0].rate), PeriodFrames: lines[0].period}
	for i, l := range lines {
		spec.Devices = append(spec.Devices, jack.Device{Name: l.caller, In: said[i].caller}, jack.Device{Name: l.agent, In: said[i].agent})
	}
	server, heard := jack.New(t, spec), map[string]func() []int16{}
	for _, l := range lines {
		heard[l.agent] = func() []int16 { return server.Heard(l.agent) }
	}
	return heard
}

// other is the card of a line that doesn't lose it. Its agent hums, and its caller's input is dead.
func other() card.Spec {
	hum := tone.Append(nil, audio.Rate8k, 8*8000, 80, tone.Sine{Hz: 150, DBm0: -30})
	return card.Spec{Name: "other", Rate: 8000, Channels: 2, In: [][]int16{nil, hum}}
}

func TestACardIsPulledOut(t *testing.T) {
	made := card.New(t, other(), card.Spec{Name: "trunk", Rate: 8000}, card.Spec{Name: "headset", Rate: 8000, Mixer: []card.Control{card.Switch("Sidetone Playback Switch", 0)}})
	lostAndBack(t, "rate_hz = 8000", made[0], made[2].Unplug, made[2].Plug)
}

func TestTheJACKServerDies(t *testing.T) {
	made := card.New(t, other())
	// Long periods: what an overrun costs is suspect, and a line that is held waits for 3 s without.
	server := jack.New(t, jack.Spec{Rate: 48000, PeriodFrames: 1024, Devices: []jack.Device{{Name: "trunk"}, {Name: "headset"}}})
	lostAndBack(t, "rate_hz = 48000", made[0], server.Kill, server.Start)
}

// lostAndBack: the process of a line that loses a device leaves, comes back once the device does, and is held if a card was being keyed; the other line
// doesn't notice, and the log isn't flooded by what PortAudio writes meanwhile. The other line's agent is louder for its gain, and it says that its caller's
// input is dead.
func lostAndBack(t *testing.T, options string, others *card.Card, lose, back func()) {
	t.Helper()
	r := newRig(t, box.Config{Lines: []box.Line{
		{Name: "one", Sound: "caller = \"trunk\"\nagent = \"headset\"", Options: options},
		{Name: "two", Sound: "caller = \"other\"\nagent = \"other\"\nagent_channel = 2\ngain_to_caller_db = 6"},
	}})
	r.accept(t)
	r.start(t)
	for _, line := range []string{"one", "two"} {
		r.wait(t, line, func(e control.Event) bool { return e.Line == line && e.Code == control.CallPresumed })
	}
	for _, line := range []string{"one", "two"} {
		if _, err := r.client.Arm(t.Context(), line, ""); err != nil {
			t.Fatal(err)
		}
		r.wait(t, line+" armed", func(e control.Event) bool { return e.Line == line && e.State == "armed" })
	}
	before := r.heardSoFar()
	lose()
	r.waitFrom(t, before, "the line's end", kind("one", control.KindLineDown))
	time.Sleep(3 * time.Second) // as long as a cable is out
	gone := r.heardSoFar()
	back()
	r.waitFrom(t, gone, "the line again", kind("one", control.KindLineUp))
	r.waitFrom(t, gone, "its mark", func(e control.Event) bool {
		return e.Line == "one" && e.State == "held" && e.Reason == "line_restarted"
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := r.client.Acknowledge(ctx, "one"); err != nil {
		t.Fatal(err)
	}
	r.waitFrom(t, gone, "the line's release", func(e control.Event) bool { return e.Line == "one" && e.State == "idle" })
	r.wait(t, "word of the dead input", func(e control.Event) bool {
		return e.Line == "two" && e.Kind == control.KindInput && e.Leg == control.LegCaller && e.Code == "input_dead"
	})
	if heard, want := float64(slices.Max(others.Heard(1))), audio.Amplitude(-24); heard < 0.97*want || heard > 1.03*want {
		t.Errorf("the other line's caller hears a hum of %.0f at its peak, want %.0f", heard, want)
	}
	r.mu.Lock()
	for _, e := range r.events[before:] {
		if e.Line == "two" && (e.Kind == control.KindState || e.Kind == control.KindLineDown) {
			t.Errorf("the other line says %s %s %s", e.Kind, e.State, e.Reason)
		}
	}
	r.mu.Unlock()
	log, err := os.ReadFile(r.Log())
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(log, []byte("\n")); lines > 300 {
		t.Errorf("the log has %d lines", lines)
	}
}
