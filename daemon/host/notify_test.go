package host_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/host"
)

// systemdHears is a socket in the place of systemd's own, and what was said there.
func systemdHears(t *testing.T) (said func(within time.Duration) string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return func(within time.Duration) string {
		c.SetReadDeadline(time.Now().Add(within))
		b := make([]byte, 1000)
		n, _ := c.Read(b) // nothing was said, or in time
		return string(b[:n])
	}
}

const soon = time.Minute // no measure of speed

func TestSystemdIsTold(t *testing.T) {
	said := systemdHears(t)
	if err := host.Alive("waits for a device"); err != nil {
		t.Error(err)
	}
	if got := said(soon); got != "READY=1\nWATCHDOG=1\nSTATUS=waits for a device" {
		t.Errorf("it is told %q", got)
	}
	if err := host.Stopping(); err != nil {
		t.Error(err)
	}
	if got := said(soon); got != "STOPPING=1" {
		t.Errorf("it is told %q", got)
	}
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "none"))
	if err := host.Alive("x"); err == nil {
		t.Error("nobody hears it, and there is no error")
	}
	t.Setenv("NOTIFY_SOCKET", "")
	if err := host.Alive("x"); err != nil {
		t.Errorf("without systemd: %v", err)
	}
}

// systemd hears of a process while it works, and not while it doesn't, or takes too long to say so.
func TestKeepAlive(t *testing.T) {
	const most = 400 * time.Millisecond
	said := systemdHears(t)
	t.Setenv("WATCHDOG_USEC", strconv.FormatInt(most.Microseconds(), 10))
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	ctx, cancel := context.WithCancel(t.Context())
	answers := make(chan error) // of the looks, one by one
	ended := make(chan error)
	go func() {
		ended <- host.KeepAlive(ctx, slog.New(slog.DiscardHandler), "runs", func(ctx context.Context) error {
			if by, ok := ctx.Deadline(); !ok || time.Until(by) > most/2 {
				t.Errorf("it may take until %v", by)
			}
			return <-answers
		})
	}()
	told := func() {
		t.Helper()
		answers <- nil
		if got := said(soon); got != "READY=1\nWATCHDOG=1\nSTATUS=runs" {
			t.Errorf("systemd is told %q", got)
		}
	}
	told()
	told()
	answers <- errors.New("broken")
	if got := said(2 * most); got != "" { // the next look has begun by now, and hangs
		t.Errorf("nothing works, and systemd is told %q", got)
	}
	answers <- nil
	if got := said(most / 10); got != "" {
		t.Errorf("it worked too late, and systemd is told %q", got)
	}
	told()
	cancel()
	select {
	case answers <- nil:
		<-ended
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	}
}

func TestKeepAliveUnwatched(t *testing.T) {
	said := systemdHears(t)
	t.Setenv("WATCHDOG_USEC", "")
	ctx, cancel := context.WithCancel(t.Context())
	looks := 0
	done := make(chan error)
	go func() {
		done <- host.KeepAlive(ctx, slog.New(slog.DiscardHandler), "runs", func(context.Context) error { looks++; return nil })
	}()
	if got := said(soon); !strings.HasPrefix(got, "READY=1\n") {
		t.Errorf("systemd is told %q", got)
	}
	if got := said(20 * time.Millisecond); got != "" {
		t.Errorf("systemd is told %q too", got)
	}
	cancel()
	if err := <-done; err != nil || looks != 1 {
		t.Errorf("it looked %d times, %v", looks, err)
	}
	t.Setenv("WATCHDOG_USEC", "soon")
	if err := host.KeepAlive(t.Context(), nil, "", nil); err == nil || !strings.Contains(err.Error(), "WatchdogSec=") {
		t.Errorf("of a watchdog that can't be read it says %v", err)
	}
}

func TestSupervised(t *testing.T) {
	_, err := os.Stat("/run/systemd/system")
	for pid, want := range map[string]bool{"": false, "1": false, strconv.Itoa(os.Getpid()): err == nil} {
		t.Setenv("SYSTEMD_EXEC_PID", pid)
		if got := host.Supervised(); got != want {
			t.Errorf("as %q: %v", pid, got)
		}
	}
}
