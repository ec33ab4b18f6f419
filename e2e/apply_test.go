package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/demo/box"
)

// TestApply has a box go over to another configuration: a line that changes starts again, one that is new begins, one that is gone ends, and the process of the
// one that stays is the same. While a card is taken on one that would be stopped nothing is done, and of a file with a fault nothing, ever.
func TestApply(t *testing.T) {
	t.Parallel()
	call := []string{filepath.Join(calls, "visa")}
	r := newRig(t, box.Config{Lines: []box.Line{
		{Name: "stays", Calls: call, Pace: 1, WaitArmed: true}, {Name: "changes", Calls: call, Pace: 1, WaitArmed: true}, {Name: "goes", Calls: call, Pace: 1, WaitArmed: true}}})
	r.start(t)
	for _, name := range []string{"stays", "changes", "goes"} {
		r.wait(t, name+" to be up", func(e control.Event) bool { return e.Line == name && e.State == control.StateIdle })
	}
	pids := func() map[string]int {
		t.Helper()
		lines, err := r.client.Lines(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]int{}
		for _, l := range lines {
			all[l.Name] = l.PID
		}
		return all
	}
	before := pids()
	old, err := os.ReadFile(r.Config())
	if err != nil {
		t.Fatal(err)
	}
	text := string(old)
	changes := strings.Index(text, "[[line]]\nname = \"changes\"")
	goes := strings.Index(text, "[[line]]\nname = \"goes\"")
	changed := text[:changes] + strings.Replace(text[changes:goes], "place = ", "lookahead_ms = 50\nplace = ", 1) + strings.ReplaceAll(text[goes:], "goes", "comes")
	candidate := filepath.Join(r.dir, "new", "flattone.toml") // its paths begin where the old one is
	apply := func(code int, content string, args ...string) string {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(candidate), 0o700), os.WriteFile(candidate, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		cmd := r.Tool(ctx, append([]string{"apply", candidate}, args...)...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != code {
			t.Errorf("apply %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	untouched := func() {
		t.Helper()
		if now, err := os.ReadFile(r.Config()); err != nil || string(now) != text {
			t.Errorf("the configuration is another, %v", err)
		}
		if now := pids(); len(now) != 3 || now["stays"] != before["stays"] || now["changes"] != before["changes"] || now["goes"] != before["goes"] {
			t.Errorf("the lines' processes are %v, and were %v", now, before)
		}
	}

	says(t, apply(0, text, "--yes"), "nothing to do")
	says(t, apply(1, changed+"foo = 1\n", "--yes", "--force"), candidate+":", "foo")
	untouched()
	says(t, apply(2, changed), "changes   starts again", "comes     begins", "goes      ends", "stays     untouched", "nobody to ask")
	untouched()
	if _, err := r.client.Arm(t.Context(), "changes", ""); err != nil {
		t.Fatal(err)
	}
	r.wait(t, "the line to be armed", func(e control.Event) bool { return e.State == control.StateArmed })
	says(t, apply(5, changed, "--yes"), "A CARD IS BEING TAKEN", "nothing was done", "flattone watch changes --until idle")
	untouched()

	says(t, apply(0, changed, "--yes", "--force"), "is in place", "done: started again changes; begun comes; ended goes; untouched stays")
	now := pids()
	if now["stays"] != before["stays"] || now["changes"] == before["changes"] || now["changes"] == 0 || now["comes"] == 0 || len(now) != 3 {
		t.Errorf("the lines' processes are %v, and were %v", now, before)
	}
	for _, name := range []string{"goes", "changes"} {
		if err := syscall.Kill(before[name], 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("the old process of line %s is there: %v", name, err)
		}
	}
	if kept, err := os.ReadFile(r.Config() + ".before"); err != nil || string(kept) != text {
		t.Errorf("the old configuration is not kept: %v", err)
	}
	lines, err := r.client.Lines(t.Context())
	if err != nil || lines[1].LookAheadMS != 50 || lines[1].State != control.StateHeld { // its call was armed
		t.Errorf("the lines are %+v, %v", lines, err)
	}

	// What flattoned reads once only is not taken over behind its back.
	says(t, apply(0, strings.Replace(changed, "[upstream.webhook]", "[upstream.webhook]\ntimeout_s = 9", 1), "--yes"), "has to be started again, by you")
	if again := pids(); again["stays"] != now["stays"] || again["changes"] != now["changes"] {
		t.Errorf("the lines' processes are %v, and were %v", again, now)
	}
}
