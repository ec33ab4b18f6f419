package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/hw/hwtest/pty"
)

// setup is flattone setup, with somebody at its terminal. At a prompt that he doesn't know he presses Ctrl-C.
func (r *rig) setup(t *testing.T, script ...pty.Turn) (shown string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	person, program := pty.Open(t)
	cmd := r.Tool(ctx, "setup")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	program.Close()
	var unasked []pty.Turn
	var talking sync.WaitGroup
	talking.Go(func() { shown, unasked = pty.Converse(person, script, func() { fmt.Fprint(person, ctrlC) }) })
	err := cmd.Wait()
	talking.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if len(unasked) > 0 {
		t.Fatalf("nobody asked for %q, after:\n%s", unasked, shown)
	}
	return shown, cmd.ProcessState.ExitCode()
}

// What a terminal makes a signal, and the end of the input.
const ctrlC, ctrlD = "\x03", "\x04"

// TestSetup is what somebody does who reads no manual: he answers questions, and ends with a rehearsal that is complete, on a line that wasn't there before.
// The line that was goes on. Before that he leaves time and again, and nothing is changed.
func TestSetup(t *testing.T) {
	t.Parallel()
	r := newRig(t, oneLine("visa"))
	r.start(t)
	r.wait(t, "the call", func(e control.Event) bool { return e.Code == control.CallBegan })
	before, err := os.ReadFile(r.Config())
	if err != nil {
		t.Fatal(err)
	}
	call, err := filepath.Abs(filepath.Join(calls, "visa"))
	if err != nil {
		t.Fatal(err)
	}
	answers := []pty.Turn{{"Name of the line [one]", "two"}, {"Place [2]", "1"}, {"Made of [2]", "recordings"}, {"Folder of the recordings", call},
		{"Folder for what is heard", filepath.Join(r.dir, "heard")}, {"Keep [1]", ""}, {"Address of the receiver [http://127.0.0.1", ""}, {"The receiver's secret [keep]", ""}, {"Auditor [self]", ""}}
	for _, leaves := range []pty.Turn{{"Name of the line", ctrlD}, {"The receiver's secret", ctrlC}, {"Go on?", ctrlC}, {"Go on?", ctrlD}, {"Go on?", "n"}} {
		until := slices.IndexFunc(answers, func(a pty.Turn) bool { return strings.HasPrefix(a[0], leaves[0]) })
		if until < 0 {
			until = len(answers)
		}
		shown, code := r.setup(t, append(answers[:until:until], leaves)...)
		now, err := os.ReadFile(r.Config())
		if err != nil || code != 6 || !strings.Contains(shown, "nothing was changed: you left") || string(now) != string(before) {
			t.Errorf("left by %q: exit code %d, %v:\n%s", leaves[1], code, err, shown)
		}
	}
	was := r.pidOf(t, "one")
	shown, code := r.setup(t, append(answers, pty.Turn{"Go on?", "yes"}, pty.Turn{"Rehearse now?", ""})...)
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, shown)
	}
	says(t, shown, "one       untouched", "two       begins", "done: begun two; untouched one", "TEST two: armed for a rehearsal", "TEST complete, and nothing of it was stored",
		"Visa ending in 4242", "Line two is set up")
	if now := r.pidOf(t, "one"); now != was {
		t.Errorf("line one has process %d, and had %d", now, was)
	}
	if kept, err := os.ReadFile(r.Config() + ".before"); err != nil || string(kept) != string(before) {
		t.Errorf("the old configuration is not kept: %v", err)
	}
}

func (r *rig) pidOf(t *testing.T, line string) int {
	t.Helper()
	lines, err := r.current().Lines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if l.Name == line {
			return l.PID
		}
	}
	return 0
}

// TestSetupAdoptsCards: of two USB cards somebody says which is whose. They get names, the line finds them, and its levels are told; without a tuning
// it takes no card, and says so.
func TestSetupAdoptsCards(t *testing.T) {
	d := newDesk(t, "08bb:2912", "0d8c:0014")
	d.waits(0, control.DeviceAbsent)
	seen := d.heardSoFar()
	shown, code := d.setup(t, pty.Turn{"Name of the line [one]", ""}, pty.Turn{"Place [1]", ""}, pty.Turn{"Made of [1]", ""}, pty.Turn{"The caller's side [3]", "4"},
		pty.Turn{"The agent's side [3]", ""}, pty.Turn{"Calls told by [1]", "api"}, pty.Turn{"Keep [1]", ""}, pty.Turn{"Address of the receiver", ""}, pty.Turn{"The receiver's secret", ""}, pty.Turn{"Auditor", ""},
		pty.Turn{"Go on?", "y"}, pty.Turn{"Look again? [Y/n]", "n"}, pty.Turn{"Tune it now?", "n"})
	says(t, shown, "Codec A (08bb:2912), 1 in, 1 out", controller+one, "one-caller is now Codec B in "+controller+two, "one-agent is now Codec A in "+controller+one, "starts again",
		"caller: nothing but noise comes in", "agent: nothing but noise comes in", "takes no card before it is tuned", "flattone tune one")
	if code != 6 {
		t.Errorf("exit code %d", code)
	}
	for name, side := range map[string]string{"one-caller": "caller", "one-agent": "agent"} {
		if v := d.devices()[name]; v.Trouble != "" || len(v.Uses) != 1 || v.Uses[0] != (control.Use{Line: "one", Side: side, Plays: true}) {
			t.Errorf("%s is %+v", name, v)
		}
	}
	d.waitFrom(t, seen, "the line", kind("one", control.KindLineUp))
}
