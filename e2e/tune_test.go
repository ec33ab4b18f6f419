package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/daemon/acceptance"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/demo/box"
	"github.com/flattone/flattone/hw/hwtest/card"
)

// hiss is what a converter hears when nobody speaks, for as long as a tuning may take on a busy machine.
func hiss(seed uint64, rate audio.Rate) []int16 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]int16, rate.Frames(200*time.Second))
	for i := range x {
		x[i] = int16(math.RoundToEven(4 * r.NormFloat64()))
	}
	return x
}

// pressed is somebody pressing keys, ms each and half as long between.
func pressed(rate audio.Rate, keys string, ms int) (x []int16) {
	n := int(rate) * ms / 1000
	for i := range len(keys) {
		pair, _ := tone.Pair(keys[i], -10, 0)
		x = append(tone.Append(x, rate, n, n/10, pair[:]...), make([]int16, n/2)...)
	}
	return x
}

// TestLinesAreTuned: four lines side by side, through PortAudio and cards, by the tool, with somebody at either telephone. A good one is accepted, on one
// clock and on two, and may take cards from then on; swapped legs are refused, and so is a card that couples its inputs by what is -80 dBm0 at the agent's.
func TestLinesAreTuned(t *testing.T) {
	const rate, delay = audio.Rate8k, 100 // of the cable
	type site struct {
		sound          string
		caller, agent  *card.Card
		callersChannel int
		agents         int
		leak           bool
		refused        acceptance.Name
	}
	quiet := func(seed uint64) [][]int16 { return [][]int16{hiss(seed, rate), hiss(seed+1, rate)} }
	// Two cards' clocks can't wait for a busy machine as one's can.
	spec := func(name string, seed uint64, alone bool) card.Spec {
		return card.Spec{Name: name, Rate: int(rate), Channels: 2, In: quiet(seed), Patient: alone}
	}
	made := card.New(t, spec("good", 1, true), spec("trunk", 3, false), spec("desk", 5, false), spec("crossed", 7, true), spec("leaky", 9, true))
	sites := map[string]*site{
		"good":    {sound: "caller = \"good\"\nagent = \"good\"\nagent_channel = 2", caller: made[0], agent: made[0], callersChannel: 1, agents: 2},
		"two":     {sound: "caller = \"trunk\"\nagent = \"desk\"", caller: made[1], agent: made[2], callersChannel: 1, agents: 1},
		"swapped": {sound: "caller = \"crossed\"\nagent = \"crossed\"\nagent_channel = 2", caller: made[3], agent: made[3], callersChannel: 2, agents: 1, refused: acceptance.CallerKeysOnAgent},
		"leaky":   {sound: "caller = \"leaky\"\nagent = \"leaky\"\nagent_channel = 2", caller: made[4], agent: made[4], callersChannel: 1, agents: 2, leak: true, refused: acceptance.Leak},
	}
	names := []string{"good", "two", "swapped", "leaky"}
	var lines []box.Line
	for _, name := range names {
		lines = append(lines, box.Line{Name: name, Sound: sites[name].sound, Options: "rate_hz = 8000"})
	}
	r := newRig(t, box.Config{Lines: lines})
	r.start(t)
	for _, name := range names {
		r.wait(t, name, func(e control.Event) bool { return e.Line == name && e.Code == control.CallPresumed })
	}
	tool := func(args ...string) (out, said string, code int) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*patience) // the cards wait for a busy machine, too
		defer cancel()
		c := r.Tool(ctx, args...)
		var o, e bytes.Buffer
		c.Stdout, c.Stderr = &o, &e
		err := c.Run()
		if exit, ok := err.(*exec.ExitError); ok {
			code = exit.ExitCode()
		} else if err != nil {
			t.Error(err)
		}
		return o.String(), e.String(), code
	}
	// A line that was never tuned takes no card, and says what helps.
	if _, said, code := tool("arm", "good"); code != 5 || !strings.Contains(said, "untuned") || !strings.Contains(said, "hint: flattone tune good") {
		t.Errorf("arming a line that was never tuned gives %d: %s", code, said)
	}

	// Whether cards are taken is asked, not tried: somebody still keys.
	untuned := func(name string, want bool) {
		t.Helper()
		lines, err := r.current().Lines(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			if l.Name == name && (!l.Up || slices.Contains(l.Barred, "untuned") != want) {
				t.Errorf("%s is up: %v, and barred by %v", name, l.Up, l.Barred)
			}
		}
	}

	// Somebody is at either telephone, and at the cable.
	persons, leave := context.WithCancel(t.Context())
	var there sync.WaitGroup
	there.Go(func() {
		done := map[[2]string]bool{}
		client := r.current()
		client.Watch(persons, func(e control.Event) {
			s, step := sites[e.Line], [2]string{e.Line, e.Step}
			if e.Kind != control.KindTune || e.Step == "" || done[step] {
				return
			}
			done[step] = true
			switch e.Step {
			case "caller_keys":
				s.caller.Say(s.callersChannel, pressed(rate, "15904738", 120))
			case "agent_keys":
				s.agent.Say(s.agents, pressed(rate, "159", 120))
			case "loop":
				s.agent.Wire(0, s.agents, s.agents, delay, 0.5)
				if s.leak { // of keys of -10 dBm0, and before the cable's loss of 6 dB
					s.agent.Couple(1, s.callersChannel, s.agents, 0, math.Pow(10, -76/20.))
				}
			case "leak":
				s.caller.Say(s.callersChannel, pressed(rate, strings.Repeat("1590", 20), 300))
			}
		})
	})
	type result struct {
		acceptance.Report
		code int
		said string
	}
	results := map[string]*result{}
	var tunings sync.WaitGroup
	for _, name := range names {
		res := &result{}
		results[name] = res
		tunings.Go(func() {
			var out string
			out, res.said, res.code = tool("tune", name, "--json")
			if err := json.Unmarshal([]byte(out), &res.Report); err != nil {
				t.Errorf("%s: %v in %q, said %q", name, err, out, res.said)
			}
		})
	}
	tunings.Wait()
	leave()
	there.Wait()

	for _, name := range names {
		s, res := sites[name], results[name]
		figures := map[acceptance.Name]acceptance.Figure{}
		for _, f := range res.Figures {
			figures[f.Name] = f
			t.Logf("%s: %s %v %s %v", name, f.Name, f.Value, f.Unit, f.Good)
		}
		if s.refused == "" && (res.code != 0 || !res.Good()) {
			t.Errorf("%s is refused with %d: %+v %s", name, res.code, res.Faults(), res.said)
		}
		if f := figures[s.refused]; s.refused != "" && (res.code != 8 || f.What == "" || f.Good) {
			t.Errorf("%s isn't refused by %s: %d, %+v %s", name, s.refused, res.code, f, res.said)
		}
		if s.refused == "" {
			// Two periods of the card, and the cable: to the frame, where the card waits for a busy machine.
			const least, most = delay + 2*24, delay + 12*24
			if got := figures[acceptance.LoopFrames].Value; got < least || got > most || name == "good" && got != least {
				t.Errorf("%s: a round trip of %v frames", name, got)
			}
			if got := figures[acceptance.LoopGain].Value; math.Abs(got+6) > 0.3 {
				t.Errorf("%s: a loop of %v dB", name, got)
			}
		}
		if got := figures[acceptance.Leak].Value; s.leak && math.Abs(got+80) > 2.5 {
			t.Errorf("%s: a leak of -80 dBm0 measures %v", name, got)
		}
		if s.refused == "" {
			r.wait(t, name+"'s bar to go", func(e control.Event) bool {
				return e.Line == name && e.Kind == control.KindBar && e.Code == "untuned" && !e.On
			})
		}
		untuned(name, s.refused != "")
	}

	// What flattoned knows outlives it; what the config no longer says doesn't.
	again := func(change func(toml string) string) {
		t.Helper()
		r.stop()
		if err := r.Stop(); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(r.Config())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(r.Config(), []byte(change(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
		seen := r.heardSoFar()
		r.start(t)
		r.waitFrom(t, seen, "the line again", func(e control.Event) bool { return e.Line == "good" && e.Code == control.CallPresumed })
		// What is known of a line is told it first on a connection, and its answer comes in order.
		if _, said, code := tool("more-time", "good"); code != 5 || !strings.Contains(said, "no card") {
			t.Errorf("with no card there is more time: %d %s", code, said)
		}
	}
	again(func(toml string) string { return toml })
	untuned("good", false)
	again(func(toml string) string {
		return strings.Replace(toml, "agent_channel = 2", "agent_channel = 2\nperiod_frames = 48", 1)
	})
	untuned("good", true)
	if out, _, code := tool("tune", "good", "--last"); code != 0 || !strings.Contains(out, "ACCEPTED") {
		t.Errorf("the last report is %d: %s", code, out)
	}
	if info, err := os.Stat(filepath.Join(r.State(), "acceptance", "good.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the report's file: %v, %v", info, err)
	}
}
