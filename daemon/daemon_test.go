package daemon

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/private"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
	"github.com/flattone/flattone/daemon/wire"
)

func openFiles(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// Whatever hinders flattoned from starting is told with its remedy, and everything that was opened before it is
// given back: once it is mended, the next start succeeds.
func TestNewFailsClearlyAndKeepsNothing(t *testing.T) {
	h := newHouse(t)
	first, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.close(); err != nil {
		t.Fatal(err)
	}
	keep := func(name string) (mend func()) {
		if err := os.Rename(h.path(name), h.path("kept")); err != nil {
			t.Fatal(err)
		}
		return func() {
			os.RemoveAll(h.path(name))
			if err := os.Rename(h.path("kept"), h.path(name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	inTheWay := func(name string) (mend func()) {
		h.write(name, "somebody's own words", 0o600)
		return func() { os.Remove(h.path(name)) }
	}
	for name, test := range map[string]struct {
		spoil func() (mend func())
		is    error
		says  string
	}{
		"no runtime folder": {spoil: func() func() { mend := keep("run"); h.write("run", "", 0o600); return mend }, says: "folder of the sockets"},
		"no webhook secret": {spoil: func() func() { return keep("webhook.secret") }, says: "webhook.secret does not exist"},
		"no state folder":   {spoil: func() func() { mend := keep("state"); h.write("state", "", 0o600); return mend }, says: "state"},
		"another audit key": {spoil: func() func() {
			mend := keep("state/audit.key")
			h.write("state/audit.key", "no key", 0o600)
			return mend
		}, says: "audit.key"},
		"an odd webhook": {spoil: func() func() {
			h.cfg.Upstream[0].Webhook.URL = "ftp://here"
			return func() { h.cfg.Upstream[0].Webhook.URL = "http://127.0.0.1:1/" }
		}, says: "upstream"},
		"no key file": {spoil: func() func() { return keep("vault.key") }, says: "vault.key"},
		"a key file too open": {spoil: func() func() {
			os.Chmod(h.path("vault.key"), 0o644)
			return func() { os.Chmod(h.path("vault.key"), 0o600) }
		}, says: "vault.key"},
		"another vault's key":   {spoil: func() func() { mend := keep("vault.key"); newKey(t, h); return mend }, is: vault.ErrWrongKey},
		"no line socket":        {spoil: func() func() { return inTheWay("run/line.sock") }, says: "run/line.sock"},
		"no admin socket":       {spoil: func() func() { return inTheWay("run/admin.sock") }, says: "run/admin.sock"},
		"no program for a line": {spoil: func() func() { return keep("line") }, says: "daemon.line_binary"},
	} {
		before := openFiles(t)
		mend := test.spoil()
		d, err := h.open()
		if err == nil || d != nil {
			t.Fatalf("%s: flattoned starts", name)
		}
		if !strings.Contains(err.Error(), test.says) || test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%s: got %q", name, err)
		}
		if now := openFiles(t); now != before {
			t.Errorf("%s: %d files are open, before there were %d", name, now, before)
		}
		mend()
		d, err = h.open()
		if err != nil {
			t.Fatalf("%s: once it is mended: %v", name, err)
		}
		if err := d.close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func newKey(t *testing.T, h *house) {
	t.Helper()
	key := make([]byte, 32)
	rand.Read(key)
	if err := private.Create(h.path("vault.key"), key); err != nil {
		t.Fatal(err)
	}
}

func TestSecondDaemonIsRefused(t *testing.T) {
	h := newHouse(t)
	h.daemon()
	if _, err := h.open(); !errors.Is(err, store.ErrHeld) {
		t.Errorf("on the same folders: %v", err)
	}
	other := newHouse(t)
	other.cfg.RuntimeDir = h.cfg.RuntimeDir
	if _, err := other.open(); !errors.Is(err, wire.ErrInUse) {
		t.Errorf("on the same sockets: %v", err)
	}
	// The first one's sockets are still its own.
	c, err := wire.Dial(t.Context(), h.cfg.LineSocket(), wire.Hello{Line: "desk-1"})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestFoldersAreOurs(t *testing.T) {
	h := newHouse(t)
	h.daemon()
	for name, mode := range map[string]os.FileMode{"state": 0o700, "run": 0o751 /* whoever has a role gets to admin.sock */, "run/admin.sock": 0o666, "run/line.sock": 0o600} {
		if info, err := os.Stat(h.path(name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: mode %v (%v), want %v", name, info.Mode().Perm(), err, mode)
		}
	}
}

// attached is a line's process as far as flattoned can tell: it answers every command.
func (h *house) attached(name string) *wire.Conn {
	h.t.Helper()
	c, err := wire.Dial(h.t.Context(), h.cfg.LineSocket(), wire.Hello{Line: name})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	return c
}

func wait(t *testing.T, events <-chan control.Event, want func(control.Event) bool) control.Event {
	t.Helper()
	for timeout := time.After(30 * time.Second); ; {
		select {
		case e := <-events:
			if want(e) {
				return e
			}
		case <-timeout:
			t.Fatal("waited in vain for an event")
		}
	}
}

// One capture, from the admin socket to the vault, and a stop in order.
func TestRun(t *testing.T) {
	h := newHouse(t)
	d, stop, _ := h.run()
	events, line, client := h.serves(d)
	answered := make(chan error, 1)
	go func() {
		m, _, err := line.Receive()
		if arm, ok := m.(wire.Arm); ok {
			err = errors.Join(line.Send(wire.Answer{ID: arm.ID}), line.SendCard(saidOf(arm.Capture), visaCard(t)))
		}
		answered <- err
	}()
	capture, err := client.Arm(t.Context(), "desk-1", "card")
	if err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	stored, _, err := line.Receive()
	if m, ok := stored.(wire.Stored); err != nil || !ok || m.Capture != capture {
		t.Fatalf("the line is told %+v, %v", stored, err)
	}
	token := wait(t, events, func(e control.Event) bool { return e.Kind == control.KindToken })
	if token.Token != stored.(wire.Stored).Token {
		t.Error("the feed tells another token")
	}
	wait(t, events, func(e control.Event) bool { return e.Delivery == control.DeliveryRetrying }) // nobody is there
	if s, err := client.Status(t.Context()); err != nil || s.Version != control.Version() || s.LinesUp != 1 || s.LinesTotal != 2 || s.UpstreamPending != 1 ||
		len(s.Destinations) != 1 || s.Destinations[0].To != "http://127.0.0.1:1" || s.Destinations[0].State != control.DestinationFailing || standing(s.Conditions) != "key_file/ upstream_failing/webhook: dial tcp 127.0.0.1:1: connect: connection refused starting//desk-1 starting//desk-2" {
		t.Errorf("the status is %+v (%v)", s, err)
	}

	if err := stop(); err != nil {
		t.Errorf("flattoned ended with %v", err)
	}
	if _, _, err := line.Receive(); err == nil {
		t.Error("the line's connection outlives flattoned")
	}
	for _, name := range []string{"run/line.sock", "run/admin.sock"} {
		if _, err := os.Lstat(h.path(name)); err == nil {
			t.Errorf("%s is left behind", name)
		}
	}
	// What was done is in the log, in order, and in the vault.
	d = h.daemon()
	want := []string{"key.created ok", "daemon.started ok", "line.arm asked", "line.armed ok", "card.sealed ok", "daemon.stopped ok"}
	var got []string
	log, err := d.audit.Recent(t.Context(), 10)
	for _, e := range log {
		got = append([]string{e.Action + " " + e.Result}, got...)
	}
	// The card may be sealed before its arming is noted as done.
	if len(got) == 6 && got[3] == want[4] {
		got[3], got[4] = got[4], got[3]
	}
	if err != nil || strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("the audit log has %q (%v), want %q", got, err, want)
	}
	if tokens, err := d.backend.Tokens(t.Context(), 10); err != nil || len(tokens) != 1 || tokens[0].Capture != capture {
		t.Errorf("the vault has %+v (%v)", tokens, err)
	}
	if log := h.log.String(); strings.Contains(log, visa[:8]) || strings.Contains(log, token.Token) {
		t.Error("the log has the card, or its token")
	}
}

// await waits until a file is there.
func (h *house) await(name string) {
	h.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(h.path(name)); err == nil {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%s never came to be", name)
		}
	}
}

// Lines that end because flattoned was told to stop are no news.
func TestOrderlyStopWarnsOfNothing(t *testing.T) {
	h := newHouse(t)
	h.write("line", `#!/bin/sh
cd "$(dirname "$0")"
trap 'touch "stopping-$4"; while [ ! -e gone ]; do sleep 0.01; done; exit 0' TERM
touch "runs-$4"
while :; do sleep 0.01; done
`, 0o700)
	d, stop, _ := h.run()
	events := d.feed.Subscribe(t.Context())
	line := h.attached("desk-1")
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindLineUp })
	h.await("runs-desk-1")
	before := len(h.log.String())
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	h.await("stopping-desk-1")
	line.Close() // as its process does, while flattoned still serves
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindLineDown })
	h.write("gone", "", 0o600)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if log := h.log.String()[before:]; strings.Contains(log, "WARN") {
		t.Errorf("an orderly stop logs\n%s", log)
	}
}

// A flattoned that has lost one of its services stops, says which, and notes it.
func TestServiceThatDiesEndsRun(t *testing.T) {
	for name, test := range map[string]struct {
		lose func(*Daemon)
		says string
	}{
		"the line socket":  {func(d *Daemon) { d.lineSock.Close() }, "line socket: "},
		"the admin socket": {func(d *Daemon) { d.admin.Close() }, "admin socket: "},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			d, _, ended := h.run()
			events := d.feed.Subscribe(t.Context())
			h.attached("desk-1")
			wait(t, events, func(e control.Event) bool { return e.Kind == control.KindLineUp })
			test.lose(d)
			err := <-ended
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("flattoned ended with %v", err)
			}
			log, err := h.daemon().audit.Recent(t.Context(), 1)
			if err != nil || len(log) != 1 || log[0].Action != "daemon.stopped" || !strings.Contains(log[0].Result, test.says) {
				t.Errorf("the audit log ends with %+v (%v)", log, err)
			}
		})
	}
}

// What a person typed for a line or a profile may be anything, even a card number. It is told back to him and
// kept nowhere; and what the log can't note isn't done.
func TestCommandsThatAreNotDone(t *testing.T) {
	h := newHouse(t)
	d := h.daemon()
	by := control.Actor{Name: "somebody"}
	_, armed := d.backend.Arm(t.Context(), by, visa, "")
	_, profiled := d.backend.Arm(t.Context(), by, "desk-1", visa)
	for name, err := range map[string]error{
		control.CodeUnknownProfile: profiled,
		control.CodeUnknownLine:    armed,
	} {
		if e, ok := errors.AsType[*control.Error](err); !ok || e.Code != name || e.Remedy == "" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, err := range []error{d.backend.Disarm(t.Context(), by, visa), d.backend.MoreTime(t.Context(), by, visa), d.backend.Again(t.Context(), by, visa, "pan"),
		d.backend.Cover(t.Context(), by, visa, true), d.backend.Cover(t.Context(), by, visa, false), d.backend.Acknowledge(t.Context(), by, visa),
		d.backend.CallBegan(t.Context(), by, visa), d.backend.CallEnded(t.Context(), by, visa)} {
		if !says(err, control.CodeUnknownLine, "there is no line") {
			t.Errorf("got %v", err)
		}
	}
	if err := d.backend.Again(t.Context(), by, "desk-1", visa); !says(err, control.CodeBadRequest, "a card has no field") {
		t.Errorf("got %v", err)
	}
	if log, err := d.audit.Recent(t.Context(), 10); err != nil || len(log) != 1 {
		t.Errorf("beside its key's, the audit log has %d entries (%v)", len(log), err)
	}
	if err := d.backend.Disarm(t.Context(), by, "desk-1"); !says(err, control.CodeLineDown, "does not run") {
		t.Errorf("a line that is down: %v", err)
	}
	if log, err := d.audit.Recent(t.Context(), 10); err != nil || len(log) != 2 || log[0].Action != "line.disarmed" || log[0].Result == "ok" {
		t.Errorf("the audit log has %+v (%v)", log, err)
	}
	c, done := h.attached("desk-1"), make(chan struct{})
	go func() {
		defer close(done)
		if accepted, err := d.lineSock.Accept(); err == nil {
			defer accepted.Close()
			d.board.attach(t.Context(), accepted.Hello(), accepted)
		}
	}()
	events := d.feed.Subscribe(t.Context())
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindLineUp })
	// A line that doesn't answer may do it all the same: neither the answer nor the log calls that a failure.
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := d.backend.Disarm(short, by, "desk-1"); !says(err, control.CodeNoAnswer, "may still do it") {
		t.Errorf("a line that doesn't answer: %v", err)
	}
	if log, err := d.audit.Recent(t.Context(), 1); err != nil || len(log) != 1 || !strings.Contains(log[0].Result, "may still do it") {
		t.Errorf("the audit log ends with %+v (%v)", log, err)
	}
	if m, _, err := c.Receive(); err != nil {
		t.Errorf("the line is told %T, %v", m, err)
	}
	heard := make(chan wire.Message, 1)
	go func() {
		m, _, _ := c.Receive()
		heard <- m
	}()
	d.store.Close()
	if _, err := d.backend.Arm(t.Context(), by, "desk-1", ""); err == nil || !strings.Contains(err.Error(), "was not armed, because the audit log") {
		t.Errorf("with a log that can't be written: %v", err)
	}
	if err := d.backend.Acknowledge(t.Context(), by, "desk-1"); err == nil || !strings.Contains(err.Error(), "was not released, because the audit log") {
		t.Errorf("with a log that can't be written: %v", err)
	}
	c.Close()
	<-done
	if m := <-heard; m != nil {
		t.Errorf("the line is told %T", m)
	}
}
