package host_test

import (
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/host"
	"github.com/flattone/flattone/daemon/host/hosttest"
	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

// manager is as much of systemd-logind as knows one session, of one process.
type manager struct{ pid uint32 }

const sessionPath = dbus.ObjectPath("/org/freedesktop/login1/session/_31")

func (m manager) GetSessionByPID(pid uint32) (dbus.ObjectPath, *dbus.Error) {
	if pid != m.pid {
		return "", dbus.NewError("org.freedesktop.login1.NoSessionForPID", []any{"PID does not belong to any known session"})
	}
	return sessionPath, nil
}

type seat struct {
	ID   string
	Path dbus.ObjectPath
}

// TestWhoIsAtTheBox asks over a real bus. Only a screen and keyboard, or a terminal that login(1) guards, are at the box.
func TestWhoIsAtTheBox(t *testing.T) {
	console := map[string]any{"Id": "1", "Name": "anna", "Remote": false, "Class": "user", "Service": "login", "Seat": seat{"seat0", "/s"}}
	for name, tc := range map[string]struct {
		change map[string]any
		here   bool
	}{
		"the console":        {nil, true},
		"a serial console":   {map[string]any{"Seat": seat{"", "/"}}, true},
		"a desktop":          {map[string]any{"Service": "gdm-password"}, true},
		"ssh":                {map[string]any{"Service": "sshd", "Seat": seat{"", "/"}, "Remote": true}, false},
		"ssh from itself":    {map[string]any{"Service": "sshd", "Seat": seat{"", "/"}}, false},
		"a remote desktop":   {map[string]any{"Service": "gdm-password", "Remote": true}, false},
		"cron":               {map[string]any{"Service": "cron", "Class": "background", "Seat": seat{"", "/"}}, false},
		"a login's greeter":  {map[string]any{"Service": "gdm", "Class": "greeter"}, false},
		"one without a name": {map[string]any{"Id": ""}, false},
	} {
		t.Run(name, func(t *testing.T) {
			logind(t, console, tc.change)
			s, err := host.SessionOf(t.Context(), 4711)
			if err != nil || s.User != "anna" || s.Here() != tc.here {
				t.Errorf("%+v, %v: here is %v, want %v", s, err, s.Here(), tc.here)
			}
		})
	}
	t.Run("of no session", func(t *testing.T) {
		logind(t, console, nil)
		if s, err := host.SessionOf(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "process 1") || s.Here() {
			t.Errorf("%+v, %v", s, err)
		}
	})
	t.Run("of a logind that says less", func(t *testing.T) {
		less := maps.Clone(console)
		delete(less, "Remote")
		logind(t, less, nil)
		if s, err := host.SessionOf(t.Context(), 4711); err == nil || s.Here() {
			t.Errorf("%+v, %v", s, err)
		}
	})
	t.Run("without a logind", func(t *testing.T) {
		hosttest.Bus(t)
		if _, err := host.SessionOf(t.Context(), 4711); err == nil {
			t.Error("no error")
		}
	})
}

// logind is one with the session on a bus of its own.
func logind(t *testing.T, session, change map[string]any) {
	t.Helper()
	hosttest.Bus(t)
	conn := hosttest.Connect(t, "org.freedesktop.login1")
	props := map[string]*prop.Prop{}
	for name, value := range session {
		if other, ok := change[name]; ok {
			value = other
		}
		props[name] = &prop.Prop{Value: value}
	}
	if err := conn.Export(manager{4711}, "/org/freedesktop/login1", "org.freedesktop.login1.Manager"); err != nil {
		t.Fatal(err)
	}
	if _, err := prop.Export(conn, sessionPath, prop.Map{"org.freedesktop.login1.Session": props}); err != nil {
		t.Fatal(err)
	}
}

func TestSessionsAreSystemds(t *testing.T) {
	_, err := os.Stat("/run/systemd/system")
	if got := host.KeepsSessions(); got != (err == nil) {
		t.Errorf("sessions are kept: %v, and systemd is here: %v", got, err)
	}
}
