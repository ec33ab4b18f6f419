package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/vault"
	"github.com/flattone/flattone/demo/box"
)

const agentKeys = `agent_keys = { start = "*#1", cancel = "*#0" }`

// keyIn adds keys to a leg, from a second on.
func keyIn(leg []int16, second int, keys string) {
	for i := range len(keys) {
		pair, _ := tone.Pair(keys[i], -12, 0)
		at := second*8000 + i*2400
		for k, v := range tone.Append(nil, audio.Rate8k, 800, 8, pair[:]...) {
			leg[at+k] += v
		}
	}
}

// recorded is a folder with a call.
func recorded(t *testing.T, caller, agent []int16) string {
	t.Helper()
	dir := t.TempDir()
	for name, x := range map[string][]int16{"caller.wav": caller, "agent.wav": agent} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		w, err := wav.Append(f, 0, audio.Rate8k)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(x); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestAnAgentWithoutAPanel takes a card by keys alone: begins, gives up, and begins again. The audit log says that it was the agent.
func TestAnAgentWithoutAPanel(t *testing.T) {
	t.Parallel()
	const lead = 14 * 8000 // before the recorded call
	want := readTruth(t, "visa")
	caller := append(make([]int16, lead), readWAV(t, filepath.Join(calls, "visa", "caller.wav"))...)
	agent := append(make([]int16, lead), readWAV(t, filepath.Join(calls, "visa", "agent.wav"))...)
	for second, keys := range map[int]string{1: "*#1", 5: "*#0", 9: "*#1"} {
		keyIn(agent, second, keys)
	}
	r := newRig(t, box.Config{Lines: []box.Line{{Name: "one", Calls: []string{recorded(t, caller, agent)}, Pace: 2, Options: agentKeys}}})
	r.start(t)
	told := r.wait(t, "the token", kind("one", control.KindToken))
	log, err := r.client.Audit(t.Context(), 20)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Stop(); err != nil {
		t.Fatalf("flattoned did not stop in order: %v", err)
	}
	var noted []string
	for _, e := range slices.Backward(log) {
		if e.Actor == "agent" {
			noted = append(noted, e.Action+" "+e.Result)
		}
	}
	if got := strings.Join(noted, ", "); got != "line.arm asked, line.armed ok, line.disarmed ok, line.arm asked, line.armed ok" {
		t.Errorf("the audit log says that the agent did %s", got)
	}
	r.vault(t, func(v *vault.Vault, _ *audit.Log) { sameCard(t, v, told.Token, want) })
}

// TestSwappedLegsTakeNoCard: a whole recorded card on the agent's leg ends the capture with its first key, and the line is held for a reason that status
// and watch say in words. Of the card, the far end hears the head of that key at the most.
func TestSwappedLegsTakeNoCard(t *testing.T) {
	t.Parallel()
	want := readTruth(t, "visa")
	caller, agent := readWAV(t, filepath.Join(calls, "visa", "caller.wav")), readWAV(t, filepath.Join(calls, "visa", "agent.wav"))
	r := newRig(t, box.Config{Lines: []box.Line{{Name: "one", Calls: []string{recorded(t, agent, caller)}, WaitArmed: true, Pace: 5}}}) // it is held until the call is over: time to be asked
	r.start(t)
	r.arm(t, "one")
	const reason = "legs_swapped_or_coupled"
	r.wait(t, "the fault", func(e control.Event) bool {
		return e.Kind == control.KindState && e.State == "void" && e.Reason == reason
	})
	r.wait(t, "the held line", func(e control.Event) bool {
		return e.Kind == control.KindState && e.State == "held" && e.Reason == reason
	})
	out, err := r.Tool(t.Context(), "lines").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "swapped or coupled") {
		t.Errorf("flattone lines says nothing of it (%v):\n%s", err, out)
	}
	r.wait(t, "the end of the call", func(e control.Event) bool { return e.Code == control.CallEnded })
	if err := r.Stop(); err != nil {
		t.Fatalf("flattoned did not stop in order: %v", err)
	}
	r.mu.Lock()
	for _, e := range r.events {
		if e.Kind == control.KindKey || e.Kind == control.KindToken {
			t.Errorf("a card is taken: %s", e.Kind)
		}
	}
	r.mu.Unlock()
	heard := readWAV(t, filepath.Join(filepath.Dir(r.Heard("one")), "one.caller.wav"))
	from := 0 // of the call, by what is said before the first key
	for from < len(heard) && !slices.Equal(heard[from:min(len(heard), from+want.Keys[0].Start)], caller[:want.Keys[0].Start]) {
		from++
	}
	if from+len(caller) > len(heard) {
		t.Fatal("what is said before the first key doesn't come through")
	}
	heads := 0
	for _, k := range want.Keys {
		run, longest := 0, 0
		for at := k.Start; at < k.End; at++ {
			if run++; heard[from+at] != caller[at] {
				run = 0
			}
			longest = max(longest, run)
		}
		if longest > 4 { // half a millisecond
			heads++
		}
		if longest > 8*8 {
			t.Errorf("%d frames of a key come through", longest)
		}
	}
	t.Logf("of %d keys' heads %d come through", len(want.Keys), heads)
	if heads > 3 {
		t.Errorf("of %d keys' heads %d come through", len(want.Keys), heads)
	}
}
