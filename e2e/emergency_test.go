package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect/detecttest"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/demo/box"
)

// keysIn are the keys that a receiver finds. They are an emergency number, or there are none.
func keysIn(t *testing.T, heard []int16) (keys string) {
	t.Helper()
	for _, e := range detecttest.Keys(t, heard, audio.Rate8k) {
		keys += string(e.Digit.Reveal())
	}
	return keys
}

// TestAnEmergencyCall dials 112 in the middle of a recorded card, on a box whose config says nothing of numbers. The caller's side hears it, every surface says so, no card
// is taken in that call, and what the caller keys on is masked as on an idle line. With the call all is over.
func TestAnEmergencyCall(t *testing.T) {
	t.Parallel()
	const code, number, quiet = "emergency_call", "112", 9 * 8000
	want := readTruth(t, "visa")
	caller, agent := readWAV(t, filepath.Join(calls, "visa", "caller.wav")), readWAV(t, filepath.Join(calls, "visa", "agent.wav"))
	cut := want.Keys[5].End + 800 // in the middle of the number
	caller = slices.Concat(caller[:cut], make([]int16, quiet), caller[cut:])
	agent = slices.Concat(agent[:cut], make([]int16, quiet), agent[cut:])
	keyIn(agent[cut:], 3, number)
	r := newRig(t, box.Config{Lines: []box.Line{{Name: "one", Calls: []string{recorded(t, caller, agent)}, WaitArmed: true, Pace: 2}}})
	r.start(t)
	r.arm(t, "one")
	seen := r.heardSoFar()
	r.wait(t, "the end of the card", func(e control.Event) bool {
		return e.Kind == control.KindState && e.State == "void" && e.Reason == code
	})
	r.wait(t, "the line's bar", func(e control.Event) bool { return e.Kind == control.KindBar && e.Code == code && e.On })
	r.waitFrom(t, seen, "the open line", func(e control.Event) bool { return e.Kind == control.KindState && e.State == "idle" })
	if _, err := r.client.Arm(t.Context(), "one", ""); err == nil || !strings.Contains(err.Error(), code) {
		t.Errorf("arming the line is answered with %v", err)
	}
	if out, err := r.Tool(t.Context(), "status").CombinedOutput(); err != nil || !strings.Contains(string(out), "an emergency number was dialled") {
		t.Errorf("flattone status says nothing of it (%v):\n%s", err, out)
	}
	r.wait(t, "the end of the call", func(e control.Event) bool { return e.Code == control.CallEnded })
	r.wait(t, "the bar's end", func(e control.Event) bool { return e.Kind == control.KindBar && e.Code == code && !e.On })
	noted := func() string {
		log, err := r.client.Audit(t.Context(), 20)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, e := range slices.Backward(log) {
			if e.Result == code {
				all = append(all, e.Action+" "+e.Object)
			}
		}
		return strings.Join(all, ", ")
	}
	r.until(t, "both entries of the audit log", func() bool { return noted() == "condition.raised line one, condition.cleared line one" })
	if err := r.Stop(); err != nil {
		t.Fatalf("flattoned did not stop in order: %v", err)
	}
	r.mu.Lock()
	for _, e := range r.events {
		if e.Kind == control.KindToken || e.State == "held" {
			t.Errorf("it says %s %s", e.Kind, e.State)
		}
	}
	r.mu.Unlock()
	if keys := keysIn(t, readWAV(t, filepath.Join(filepath.Dir(r.Heard("one")), "one.caller.wav"))); keys != number {
		t.Errorf("the caller's side hears %d keys", len(keys))
	}
	if keys := keysIn(t, readWAV(t, r.Heard("one"))); len(keys) > 0 {
		t.Errorf("the agent hears %d keys of the caller's", len(keys))
	}
}
