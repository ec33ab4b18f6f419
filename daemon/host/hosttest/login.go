package hosttest

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// Logind is a logind that stops no machine.
type Logind struct {
	stub

	lock   sync.Mutex
	denies bool
	pipes  []pipe
}

// pipe is a lock that was given: it is held as long as somebody beside its two ends here has it open.
type pipe struct {
	what string
	r, w *os.File
}

// NewLogind is one on the bus of the test, which waits so long for those who asked it to.
func NewLogind(t *testing.T, within time.Duration) *Logind {
	t.Helper()
	l := &Logind{stub: stub{t: t, path: "/org/freedesktop/login1", iface: "org.freedesktop.login1.Manager", values: map[string]any{
		"PreparingForShutdown": false, "PreparingForSleep": false, "InhibitDelayMaxUSec": uint64(within.Microseconds())}}}
	l.serve("org.freedesktop.login1", map[string]any{"Inhibit": l.inhibit})
	t.Cleanup(func() {
		for _, p := range l.pipes {
			p.r.Close()
			p.w.Close()
		}
	})
	return l
}

func (l *Logind) inhibit(what, _, _, mode string) (dbus.UnixFD, *dbus.Error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	if l.denies || mode != "delay" || what != "shutdown" && what != "sleep" { // of both at once the real one says the same
		return 0, dbus.NewError("org.freedesktop.DBus.Error.AccessDenied", []any{"Permission denied"})
	}
	r, w, err := os.Pipe()
	if err != nil {
		return 0, dbus.MakeFailedError(err)
	}
	l.pipes = append(l.pipes, pipe{what, r, w})
	return dbus.UnixFD(w.Fd()), nil
}

// Deny has it refuse who asks it to wait.
func (l *Logind) Deny(on bool) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.denies = on
}

// Held is what it is asked to wait with, by a process that is this one.
func (l *Logind) Held() (held []string) {
	l.lock.Lock()
	defer l.lock.Unlock()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		l.t.Fatal(err)
	}
	ends := map[string]int{}
	for _, fd := range open {
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", fd.Name())); err == nil {
			ends[to]++
		}
	}
	for _, p := range l.pipes {
		to, err := os.Readlink(filepath.Join("/proc/self/fd", strconv.Itoa(int(p.w.Fd()))))
		if err != nil {
			l.t.Fatal(err)
		}
		if ends[to] > 2 {
			held = append(held, p.what)
		}
	}
	slices.Sort(held)
	return held
}

// Prepare says that the machine is about to stop ("Shutdown") or to sleep ("Sleep"), or no more.
func (l *Logind) Prepare(what string, on bool) {
	l.t.Helper()
	l.set("PreparingFor"+what, on)
	if err := l.conn.Emit(l.path, l.iface+".PrepareFor"+what, on); err != nil {
		l.t.Fatal(err)
	}
}

// Timedated is a timedated without a clock.
type Timedated struct {
	stub
}

// NewTimedated is one on the bus of the test.
func NewTimedated(t *testing.T, synchronised bool) *Timedated {
	t.Helper()
	d := &Timedated{stub{t: t, path: "/org/freedesktop/timedate1", iface: "org.freedesktop.timedate1", values: map[string]any{"NTPSynchronized": synchronised}}}
	d.serve("org.freedesktop.timedate1", nil)
	return d
}

// Say sets whether the clock is synchronised. Only aloud is it signalled, as the real one does of settings.
func (d *Timedated) Say(synchronised, aloud bool) {
	d.t.Helper()
	d.set("NTPSynchronized", synchronised)
	if !aloud {
		return
	}
	if err := d.conn.Emit(d.path, properties+".PropertiesChanged", d.iface,
		map[string]dbus.Variant{"NTP": dbus.MakeVariant(synchronised)}, []string{}); err != nil {
		d.t.Fatal(err)
	}
}

// stub is a service that has an object with properties.
type stub struct {
	t     *testing.T
	conn  *dbus.Conn
	path  dbus.ObjectPath
	iface string

	mu     sync.Mutex
	values map[string]any
}

// serve puts the object on the bus, and the service's name to it.
func (s *stub) serve(name string, methods map[string]any) {
	s.t.Helper()
	s.conn = Connect(s.t, name)
	for iface, table := range map[string]map[string]any{s.iface: methods, properties: {"Get": s.get}} {
		if err := s.conn.ExportMethodTable(table, s.path, iface); err != nil {
			s.t.Fatal(err)
		}
	}
}

// Away takes it off the bus.
func (s *stub) Away() { s.conn.Close() }

func (s *stub) set(name string, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[name] = value
}

func (s *stub) get(iface, name string) (dbus.Variant, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, known := s.values[name]
	if !known || iface != s.iface {
		return dbus.Variant{}, dbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", []any{name})
	}
	return dbus.MakeVariant(value), nil
}
