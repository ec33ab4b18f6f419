package hosttest

import (
	"cmp"
	"fmt"
	"os/exec"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	systemdName = "org.freedesktop.systemd1"
	systemdPath = dbus.ObjectPath("/org/freedesktop/systemd1")
	unitsPath   = systemdPath + "/unit"
	properties  = "org.freedesktop.DBus.Properties"
	unitFace    = systemdName + ".Unit"
	// restartAfter is RestartSec=.
	restartAfter = 50 * time.Millisecond
)

// Systemd has services, of which each is one process, started again (Restart=always) until it was told to stop.
//
//	inactive, failed ──Start──▶ active ──ended──▶ activating ──after a while──▶ active
//	      ▲                       │ Stop              │ Stop
//	      └───────────────────────┴───────────────────┘
type Systemd struct {
	t     *testing.T
	conn  *dbus.Conn
	start func(unit string) *exec.Cmd

	mu      sync.Mutex
	units   map[string]*service
	refuses bool
	calls   []string
	running sync.WaitGroup
}

type service struct {
	name, state string
	restarts    uint32
	cmd         *exec.Cmd
	stop        chan struct{} // closed when it is to end
}

// NewSystemd is one on the bus of the test. A unit's process is what start makes of its name.
func NewSystemd(t *testing.T, start func(unit string) *exec.Cmd) *Systemd {
	t.Helper()
	s := &Systemd{t: t, start: start, units: map[string]*service{}}
	s.conn = Connect(t, systemdName)
	t.Cleanup(s.stopAll)
	manager := map[string]any{"Subscribe": s.Subscribe, "StartUnit": s.StartUnit, "StopUnit": s.StopUnit, "RestartUnit": s.RestartUnit,
		"ListUnitsByPatterns": s.ListUnitsByPatterns}
	if err := s.conn.ExportMethodTable(manager, systemdPath, systemdName+".Manager"); err != nil {
		t.Fatal(err)
	}
	if err := s.conn.ExportSubtreeMethodTable(map[string]any{"Get": s.Get}, unitsPath, properties); err != nil {
		t.Fatal(err)
	}
	return s
}

// Refuse has it refuse to start, stop and restart anything, as polkit does, or no longer.
func (s *Systemd) Refuse(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuses = on
}

// Away has it leave the bus, or come back.
func (s *Systemd) Away(on bool) {
	if on {
		s.conn.ReleaseName(systemdName)
	} else {
		s.conn.RequestName(systemdName, dbus.NameFlagDoNotQueue)
	}
}

// GiveUp has it give up on a unit, whose process ends: the unit has failed.
func (s *Systemd) GiveUp(unit string) { s.end(unit, "failed") }

// Runs is the names of the units that run.
func (s *Systemd) Runs() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.units {
		if u.state == "active" {
			names = append(names, u.name)
		}
	}
	slices.Sort(names)
	return names
}

// Calls is what it was told to do so far, such as "start a.service".
func (s *Systemd) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Subscribe is the manager's.
func (s *Systemd) Subscribe() *dbus.Error { return nil }

func (s *Systemd) asked(what, unit string) *dbus.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, what+" "+unit)
	if s.refuses {
		return dbus.NewError("org.freedesktop.DBus.Error.AccessDenied", []any{"Permission denied"})
	}
	return nil
}

const job = systemdPath + "/job/1"

// StartUnit is the manager's.
func (s *Systemd) StartUnit(unit, _ string) (dbus.ObjectPath, *dbus.Error) {
	if err := s.asked("start", unit); err != nil {
		return "/", err
	}
	s.begin(unit)
	return job, nil
}

// StopUnit is the manager's.
func (s *Systemd) StopUnit(unit, _ string) (dbus.ObjectPath, *dbus.Error) {
	if err := s.asked("stop", unit); err != nil {
		return "/", err
	}
	s.end(unit, "inactive")
	return job, nil
}

// RestartUnit is the manager's.
func (s *Systemd) RestartUnit(unit, _ string) (dbus.ObjectPath, *dbus.Error) {
	if err := s.asked("restart", unit); err != nil {
		return "/", err
	}
	s.end(unit, "inactive")
	s.begin(unit)
	return job, nil
}

// ListUnitsByPatterns is the manager's.
func (s *Systemd) ListUnitsByPatterns(_, patterns []string) ([][]any, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list [][]any
	for _, u := range s.units {
		if ok, _ := path.Match(patterns[0], u.name); ok {
			list = append(list, []any{u.name, "", "loaded", u.state, "", "", unitPath(u.name), uint32(0), "", dbus.ObjectPath("/")})
		}
	}
	slices.SortFunc(list, func(a, b []any) int { return cmp.Compare(a[0].(string), b[0].(string)) })
	return list, nil
}

// Get is a unit's property: of those that somebody asks about there is one.
func (s *Systemd) Get(m dbus.Message, _, property string) (dbus.Variant, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, _ := m.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	for _, u := range s.units {
		if unitPath(u.name) == at && property == "NRestarts" {
			return dbus.MakeVariant(u.restarts), nil
		}
	}
	return dbus.Variant{}, dbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", []any{property})
}

// unitPath writes a unit's name as its object's: what is no letter or digit, in hexadecimals.
func unitPath(unit string) dbus.ObjectPath {
	var escaped strings.Builder
	for i, c := range []byte(unit) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9' || i == 0) {
			fmt.Fprintf(&escaped, "_%02x", c)
		} else {
			escaped.WriteByte(c)
		}
	}
	return unitsPath + "/" + dbus.ObjectPath(escaped.String())
}

func (s *Systemd) begin(unit string) {
	s.mu.Lock()
	u := s.units[unit]
	if u == nil {
		u = &service{name: unit, state: "inactive"}
		s.units[unit] = u
	}
	if u.state == "active" || u.state == "activating" {
		s.mu.Unlock()
		return
	}
	u.stop, u.restarts = make(chan struct{}), 0
	s.process(u)
	cmd, stop := u.cmd, u.stop
	s.mu.Unlock()
	s.running.Go(func() { s.keep(u, cmd, stop) })
	s.tell(u, "active")
}

// process starts a service's process; s is locked.
func (s *Systemd) process(u *service) {
	u.cmd = s.start(u.name)
	u.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := u.cmd.Start(); err != nil {
		s.t.Errorf("start %s: %v", u.name, err)
	}
	u.state = "active"
}

// keep starts a service's process again until stop is closed.
func (s *Systemd) keep(u *service, cmd *exec.Cmd, stop chan struct{}) {
	for {
		cmd.Wait() // how it ended is all the same
		if !s.unless(stop, func() { u.state = "activating" }) {
			return
		}
		s.tell(u, "activating")
		select {
		case <-stop:
			return
		case <-time.After(restartAfter):
		}
		again := s.unless(stop, func() {
			u.restarts++
			s.process(u)
			cmd = u.cmd
		})
		if !again {
			return
		}
		s.tell(u, "active")
	}
}

// unless does something if a service wasn't told to stop.
func (s *Systemd) unless(stop chan struct{}, do func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if isClosed(stop) {
		return false
	}
	do()
	return true
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// end has a unit's process end by SIGTERM, and the unit be in a state.
func (s *Systemd) end(unit, state string) {
	s.mu.Lock()
	u := s.units[unit]
	if u == nil || isClosed(u.stop) {
		s.mu.Unlock()
		return
	}
	u.state = state
	close(u.stop)
	u.cmd.Process.Signal(syscall.SIGTERM)
	s.mu.Unlock()
	s.tell(u, state)
}

func (s *Systemd) stopAll() {
	s.mu.Lock()
	var names []string
	for name := range s.units {
		names = append(names, name)
	}
	s.mu.Unlock()
	for _, name := range names {
		s.end(name, "inactive")
	}
	s.running.Wait()
}

func (s *Systemd) tell(u *service, state string) {
	s.conn.Emit(unitPath(u.name), properties+".PropertiesChanged", unitFace, map[string]dbus.Variant{"ActiveState": dbus.MakeVariant(state)}, []string{})
}
