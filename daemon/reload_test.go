package daemon

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

// writes writes the house's configuration, with lines of these look-aheads, and reads it again.
func (h *house) writes(more string, lines ...string) *config.Config {
	h.t.Helper()
	text := "version = 1\nstate_dir = \"state\"\nruntime_dir = \"run\"\n" + more + `
[daemon]
line_binary = "line"
[roles]
technician = ["self"]
auditor = ["self"]
installer = ["self"]
[vault]
key_file = "vault.key"
[upstream.webhook]
url = "http://127.0.0.1:1/"
secret_file = "webhook.secret"
[profile.card]
`
	for _, l := range lines {
		name, ms, _ := strings.Cut(l, " ")
		text += fmt.Sprintf("[[line]]\nname = %q\nplace = \"desk-side\"\nprofile = \"card\"\nlookahead_ms = %s\n[line.wav]\n"+
			"caller_in = [\"a.wav\"]\nagent_in = [\"a.wav\"]\nagent_out = \"%[1]s-a.wav\"\ncaller_out = \"%[1]s-c.wav\"\n", name, ms)
	}
	h.write("flattone.toml", text, 0o600)
	cfg, err := config.Load(h.path("flattone.toml"))
	if err != nil {
		h.t.Fatal(err)
	}
	return cfg
}

// attachedWith is a line's process that runs with settings, and says that it is in a state.
func (h *house) attachedWith(name, settings, state string) *wire.Conn {
	h.t.Helper()
	c, err := wire.Dial(h.t.Context(), h.cfg.LineSocket(), wire.Hello{Line: name, Settings: settings})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	if err := c.Send(wire.State{State: state}); err != nil {
		h.t.Fatal(err)
	}
	return c
}

func codeOf(err error) string {
	if e, ok := errors.AsType[*control.Error](err); ok {
		return e.Code
	}
	return ""
}

// A reload touches what is another, and nothing else: not if a card is being taken, unless it is forced; not if the file has a fault, or is another box's.
func TestReload(t *testing.T) {
	h := newHouse(t)
	h.cfg = h.writes("", "one 30", "two 30", "gone 30", "down 30")
	d, _, _ := h.run()
	events := d.feed.Subscribe(t.Context())
	for name, state := range map[string]string{"one": control.StateIdle, "two": control.StateIdle, "gone": control.StateKeying} {
		h.attachedWith(name, h.cfg.Settings(name), state)
		wait(t, events, func(e control.Event) bool { return e.Line == name && e.State == state })
	}
	client := h.client()
	names := func() string { return strings.Join(d.board.names(), " ") }
	unchanged := func(want string, force bool) {
		t.Helper()
		if _, err := client.Reload(t.Context(), force); codeOf(err) != want || !strings.Contains(fmt.Sprint(err), "nothing was changed") {
			t.Errorf("got %v, want %s", err, want)
		}
		if names() != "one two gone down" || len(d.lined.Load().Lines) != 4 {
			t.Errorf("the lines are %s", names())
		}
	}
	lists := func(r control.Reloaded) string {
		return fmt.Sprint(r.Restarted, r.Begun, r.Ended, r.Untouched)
	}

	r, err := client.Reload(t.Context(), false)
	if got := lists(r); err != nil || got != "[] [] [] [one two gone down]" {
		t.Errorf("of the same file came %s, %v", got, err)
	}
	h.write("flattone.toml", "version = 1\nfoo = 1\n", 0o600)
	unchanged(control.CodeBadConfig, true)
	h.writes("", "two 30", "one 40", "new 30", "down 50")
	unchanged(control.CodeBusy, false)
	h.write("flattone.toml", strings.Replace(h.read("flattone.toml"), "127.0.0.1:1/", "127.0.0.1:2/", 1), 0o600)
	unchanged(control.CodeNeedsRestart, true)

	h.writes("", "two 30", "one 40", "new 30", "down 50")
	r, err = client.Reload(t.Context(), true)
	if got := lists(r); err != nil || got != "[one down] [new] [gone] [two]" {
		t.Errorf("the reload came to %s, %v", got, err)
	}
	if names() != "two one new down" {
		t.Errorf("the lines are %s", names())
	}
	lines, err := client.Lines(t.Context())
	if err != nil || !lines[0].Up || lines[0].State != control.StateIdle || lines[3].LookAheadMS != 50 || lines[2].Up || lines[2].Reason != reasonStarting {
		t.Errorf("the lines are %+v, %v", lines, err)
	}
	if _, err := client.Arm(t.Context(), "gone", ""); codeOf(err) != control.CodeUnknownLine {
		t.Errorf("a line that is gone: %v", err)
	}
	if again := d.feed.Subscribe(t.Context()); slices.ContainsFunc(drain(again), func(e control.Event) bool { return e.Line == "gone" }) {
		t.Error("a new watcher is told of a line that is gone")
	}
	// Until the process of line one has ended, it is the old one's settings that hold.
	if lines[1].LookAheadMS != 30 || lines[1].Settings == d.lined.Load().Settings("one") {
		t.Errorf("line one is %+v", lines[1])
	}
	audit, err := client.Audit(t.Context(), 20)
	if err != nil || audit[0].Action != "config.reloaded" || audit[0].Result != "ok" || audit[1].Action != "config.reload" || audit[1].Result != "asked" {
		t.Errorf("the log says %+v, %v", audit, err)
	}
}

// A line's process is stopped for a restart, and started again; not while a card is being taken, unless it is forced.
func TestRestart(t *testing.T) {
	h := newHouse(t)
	h.write("line", "#!/bin/sh\necho began\nexec sleep 1000\n", 0o700)
	d, _, _ := h.run()
	client := h.client()
	events := d.feed.Subscribe(t.Context())
	c := h.attachedWith("desk-1", "", control.StateArmed)
	wait(t, events, func(e control.Event) bool { return e.State == control.StateArmed })
	began := func(times int) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); strings.Count(h.log.String(), "text=began") < times; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d processes did not begin:\n%s", times, h.log.String())
			}
		}
	}
	began(2)
	if err := client.Restart(t.Context(), "desk-1", false); codeOf(err) != control.CodeBusy {
		t.Errorf("while a card is taken: %v", err)
	}
	if err := client.Restart(t.Context(), "desk-1", true); err != nil {
		t.Error(err)
	}
	began(3)
	c.Close()
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindLineDown })
	if err := client.Restart(t.Context(), "desk-1", false); err != nil {
		t.Error(err)
	}
	began(4)
	if err := client.Restart(t.Context(), "desk-9", false); codeOf(err) != control.CodeUnknownLine {
		t.Errorf("no such line: %v", err)
	}
	if lines, err := client.Lines(t.Context()); err != nil || lines[0].Restarts != 0 {
		t.Errorf("what was asked for counts as a fault: %+v, %v", lines, err)
	}
}
