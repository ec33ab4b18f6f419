package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/host"
	"github.com/flattone/flattone/daemon/store"
)

// systemd hears that flattoned works while its store and its switchboard answer, and not while either hangs.
func TestWatchdogIsPettedOnlyWhileItWorks(t *testing.T) {
	d := newHouse(t).daemon()
	notify := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notify, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const most = 200 * time.Millisecond
	t.Setenv("NOTIFY_SOCKET", notify)
	t.Setenv("WATCHDOG_USEC", fmt.Sprint(most.Microseconds()))
	petted := func(within time.Duration) bool {
		c.SetReadDeadline(time.Now().Add(within))
		_, err := c.Read(make([]byte, 100))
		return err == nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- host.KeepAlive(ctx, slog.New(slog.DiscardHandler), "works", d.works) }()
	for name, hang := range map[string]func(until <-chan struct{}){
		"the store": func(until <-chan struct{}) {
			d.store.Write(t.Context(), func(*store.Tx) error { <-until; return nil })
		},
		"the switchboard": func(until <-chan struct{}) {
			d.board.mu.Lock()
			<-until
			d.board.mu.Unlock()
		},
	} {
		if !petted(time.Minute) {
			t.Fatal("systemd hears nothing while all is well")
		}
		until, over := make(chan struct{}), make(chan struct{})
		go func() { defer close(over); hang(until) }()
		for told := 0; told < 10 && petted(most); told++ { // before it hung
		}
		if petted(3 * most) {
			t.Errorf("%s hangs, and systemd is told that all is well", name)
		}
		close(until)
		<-over
	}
	if !petted(time.Minute) {
		t.Error("systemd hears nothing once all is well again")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A store that is closed is an error, not a pet.
func TestWorksFails(t *testing.T) {
	h := newHouse(t)
	d, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.works(t.Context()); err != nil {
		t.Error(err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	if err := d.works(t.Context()); !errors.Is(err, store.ErrClosed) {
		t.Errorf("closed, it says %v", err)
	}
}

// What systemd can't be had to do stands on the board as long as that lasts; and of a line that somebody has stopped, that.
func TestSystemdsTroubleIsTold(t *testing.T) {
	d := newHouse(t).daemon()
	stands := func() string {
		var all []string
		for _, c := range d.health.Snapshot() {
			if c.Code == health.LinesUnkept || c.Code == health.UnitRefused || c.Code == health.ProcessStopped {
				all = append(all, string(c.Code)+" "+c.Line+" "+c.Detail)
			}
		}
		return strings.Join(all, ", ")
	}
	d.systemdTrouble("", errors.New("no bus"))
	d.systemdTrouble("desk-1", errors.New("no polkit"))
	if got := stands(); got != "unit_refused desk-1 no polkit, lines_unkept  no bus" {
		t.Errorf("there stands %s", got)
	}
	d.systemdTrouble("", nil)
	d.systemdTrouble("desk-1", nil)
	d.board.stopped("desk-2")
	d.board.stopped("nobody")
	if got := stands(); got != "process_stopped desk-2 " {
		t.Errorf("there stands %s", got)
	}
}

// A line that was left behind by two upgrades isn't taken for one that is starting.
func TestVersionsApart(t *testing.T) {
	d := newHouse(t).daemon()
	nc, err := net.Dial("unix", d.cfg.LineSocket())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	hello := `{"Line":"desk-1","Min":98,"Max":99}`
	if _, err := nc.Write(append([]byte{0, 0, 0, byte(len(hello)), 1}, hello...)); err != nil {
		t.Fatal(err)
	}
	if said, err := io.ReadAll(nc); err != nil || !strings.Contains(string(said), "upgrade the older of the two") {
		t.Errorf("it is told %s, %v", said, err)
	}
	if err := d.lineSock.Close(); err != nil { // which waits until all was told
		t.Fatal(err)
	}
	for _, c := range d.health.Snapshot() {
		if c.Code == health.VersionsApart && c.Line == "desk-1" && strings.Contains(c.Remedy, "flattone restart desk-1") {
			return
		}
	}
	t.Errorf("there stands %+v", d.health.Snapshot())
}

func TestHandedSocketIsWhereToolsLook(t *testing.T) {
	dir := t.TempDir()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "admin.sock"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := agree(l, &config.Config{RuntimeDir: dir}); err != nil {
		t.Error(err)
	}
	if err := agree(l, &config.Config{RuntimeDir: "/run/elsewhere"}); err == nil || !strings.Contains(err.Error(), "/run/elsewhere/admin.sock") {
		t.Errorf("it says %v", err)
	}
}

// The vault opens with the key that systemd hands over, status says so, and no warning of a key file stands.
func TestKeyFromACredential(t *testing.T) {
	h := newHouse(t)
	t.Setenv("CREDENTIALS_DIRECTORY", h.dir)
	h.cfg.Vault = config.Vault{Credential: "vault.key"}
	for sealed, want := range map[string]string{"none": control.KeyCredential, "k6iUCUh0RJCQyvL8k8q1UyAA": control.KeyTPM, "Whxqht+dQJax1aZeCGLxmiAA": control.KeyHost} {
		if err := os.WriteFile(filepath.Join(h.dir, "vault.key.sealed"), []byte(sealed), 0o400); err != nil {
			t.Fatal(err)
		}
		d := h.daemon()
		s, err := d.backend.Status(t.Context())
		if err != nil || s.KeyKind != want {
			t.Errorf("the key is of kind %q, %v", s.KeyKind, err)
		}
		for _, c := range s.Conditions {
			if c.Code == health.KeyFile {
				t.Error("it is said to come from a file")
			}
		}
		if err := errors.Join(d.close(), os.Remove(filepath.Join(h.dir, "vault.key.sealed"))); err != nil {
			t.Fatal(err)
		}
	}
}
