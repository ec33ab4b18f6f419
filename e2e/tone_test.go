package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/demo/box"
	"github.com/flattone/flattone/hw/hwtest/card"
)

// TestSidesAreTested: a technician plays a tone on the agent's side of a line, through the real processes, PortAudio and a card: its level is on the card, and
// the caller's output has none of it. He loops the caller's side, on which somebody keys, and the agent hears nothing; a cable is measured, to the frame. A
// call ends a test, and so does he.
func TestSidesAreTested(t *testing.T) {
	const rate, delay = audio.Rate8k, 100 // of the cable
	trunk := card.New(t, card.Spec{Name: "trunk", Rate: int(rate), Channels: 2, Patient: true, In: [][]int16{hiss(1, rate), hiss(2, rate)}})[0]
	r := newRig(t, box.Config{Lines: []box.Line{{Name: "desk", Options: "rate_hz = 8000",
		Sound: "caller = \"trunk\"\nagent = \"trunk\"\nagent_channel = 2\n[line.calls]\nsource = \"api\""}}})
	r.start(t)
	r.waitFor(t, "desk", control.KindState, control.StateIdle)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	start := func(args ...string) (wait func() (out string, code int), c *exec.Cmd) {
		c = r.Tool(ctx, args...)
		var out, said bytes.Buffer
		c.Stdout, c.Stderr = &out, &said
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return func() (string, int) {
			c.Wait()
			t.Logf("%v: %d %s%s", args, c.ProcessState.ExitCode(), out.String(), said.String())
			return out.String(), c.ProcessState.ExitCode()
		}, c
	}
	type tested struct {
		Seconds    int
		CallerDBm0 float64 `json:"caller_dbm0"`
		AgentDBm0  float64 `json:"agent_dbm0"`
		ReturnDB   float64 `json:"return_db"`
		ReturnMS   float64 `json:"return_ms"`
	}
	test := func(args ...string) (over tested) {
		t.Helper()
		wait, _ := start(append(args, "--json")...)
		out, code := wait()
		if err := json.Unmarshal([]byte(out), &over); err != nil || code != 0 {
			t.Fatalf("%v ends with %d, %v", args, code, err)
		}
		return over
	}
	testing := func(seen int, step string) {
		t.Helper()
		r.waitFrom(t, seen, step, func(e control.Event) bool { return e.Kind == control.KindLegTest && e.Step == step && e.Code == "" })
		lines, err := r.current().Lines(ctx)
		if err != nil || lines[0].State != control.StateTesting {
			t.Errorf("the line is %+v, %v", lines, err)
		}
	}
	idle := func(seen int) {
		t.Helper()
		r.waitFrom(t, seen, "the line to be idle", func(e control.Event) bool { return e.Kind == control.KindState && e.State == control.StateIdle })
	}

	// A tone.
	if over := test("tone", "desk", "agent", "--for", "2s"); over.Seconds != 2 || over.CallerDBm0 > -60 || over.AgentDBm0 > -60 {
		t.Errorf("a tone gives %+v", over)
	}
	want := tone.Append(nil, rate, 2*int(rate), 0, tone.Sine{Hz: 1020, DBm0: -10})
	from := -1
	r.until(t, "that tone on the agent's side", func() bool {
		heard := trunk.Heard(2)
		for i := 0; i+len(want) <= len(heard) && from < 0; i++ {
			if slices.Equal(heard[i:i+len(want)], want) {
				from = i
			}
		}
		return from >= 0
	})
	if other := trunk.Heard(1)[from : from+len(want)]; slices.ContainsFunc(other, func(v int16) bool { return v != 0 }) {
		t.Error("the caller's side isn't silent")
	}

	// A loopback, on the caller's side, while somebody keys there.
	seen := r.heardSoFar()
	wait, _ := start("loopback", "desk", "caller", "--for", "3s")
	testing(seen, control.TestLoopback)
	before := len(trunk.Heard(2))
	trunk.Say(1, pressed(rate, "159", 300))
	if _, code := wait(); code != 0 {
		t.Errorf("a loopback ends with %d", code)
	}
	loud := func(v int16) bool { return v > 3000 }
	if n := len(trunk.Heard(2)); slices.ContainsFunc(trunk.Heard(2)[before:n], loud) || !slices.ContainsFunc(trunk.Heard(1), loud) {
		t.Error("the agent hears what the caller keys, or the caller doesn't")
	}

	// A cable is measured, and not looped.
	trunk.Wire(0, 2, 2, delay, 0.7)
	if over := test("loopback", "desk", "agent"); over.Seconds != 0 || math.Abs(over.ReturnDB+3.1) > 0.3 || math.Abs(over.ReturnMS-(delay+48)/8.) > 0.1 {
		t.Errorf("a cable gives %+v", over)
	}
	trunk.Wire(0, 2, 2, delay, 0)

	// Whoever asked lets go, or is cut off; and a call begins.
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGHUP} {
		seen = r.heardSoFar()
		wait, c := start("tone", "desk", "caller", "--for", "60s")
		testing(seen, control.TestTone)
		if err := c.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if _, code := wait(); code != 0 {
			t.Errorf("to leave a tone by %v gives %d", signal, code)
		}
		idle(seen)
	}
	seen = r.heardSoFar()
	wait, _ = start("tone", "desk", "caller", "--for", "60s")
	testing(seen, control.TestTone)
	if err := r.current().CallBegan(ctx, "desk"); err != nil {
		t.Error(err)
	}
	idle(seen)
	if _, code := wait(); code != 6 {
		t.Errorf("a tone that a call ended gives %d", code)
	}
	wait, _ = start("tone", "desk", "caller")
	if _, code := wait(); code != 5 {
		t.Errorf("a tone in a call gives %d", code)
	}
	log, err := r.current().Audit(ctx, 50)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, e := range log {
		count[e.Action]++
	}
	if count["line.tone"] != 5 || count["line.loopback"] != 2 || count["line.test_ended"] != 2 {
		t.Errorf("the audit log has %v", count)
	}
}
