package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"

	"github.com/coreos/go-systemd/v22/dbus"
	bus "github.com/godbus/dbus/v5"
)

// Errors of [Units].
var (
	// ErrNoBus: systemd can't be spoken to, now.
	ErrNoBus = errors.New("systemd does not answer on the system bus")
	// ErrRefused: systemd hears, and this process's user may not have that done.
	ErrRefused = errors.New("systemd refuses")
	// ErrNoUnit: there is no such unit file.
	ErrNoUnit = errors.New("systemd has no such unit")
)

// Unit is a service, as systemd has it just now.
type Unit struct {
	Name string
	// State is systemd's ActiveState: active, activating, deactivating, inactive, failed.
	State string
	// Job is what systemd is about to do with it, such as start or stop; mostly nothing.
	Job string
	// Restarts is how often systemd has started it again by itself since somebody had it started.
	Restarts int
}

// Units is a connection to systemd.
type Units struct {
	conn    *dbus.Conn
	changed chan struct{}
	done    chan struct{}
}

// OpenUnits connects to systemd, and hears of every change of a unit from then on. Close it at the end.
func OpenUnits(ctx context.Context) (*Units, error) {
	conn, err := dbus.NewSystemConnectionContext(ctx)
	if err != nil {
		return nil, explained("reach systemd", err)
	}
	u := &Units{conn: conn, changed: make(chan struct{}, 1), done: make(chan struct{})}
	updates := make(chan *dbus.PropertiesUpdate, 64)
	conn.SetPropertiesSubscriber(updates, make(chan error, 1))
	if err := conn.Subscribe(); err != nil {
		conn.Close()
		return nil, explained("hear of changes of units", err)
	}
	go func() {
		for {
			select {
			case <-u.done:
				return
			case <-updates:
			}
			select {
			case u.changed <- struct{}{}:
			default: // somebody is to look anyway
			}
		}
	}()
	return u, nil
}

// Close hangs up.
func (u *Units) Close() {
	close(u.done)
	u.conn.Close()
}

// Changed yields after any unit of the machine has changed: whoever waits for one looks again. It misses none, and does not say that the connection
// was lost.
func (u *Units) Changed() <-chan struct{} { return u.changed }

// List is the services whose names fit a pattern, such as flattone-line@*.service, as far as systemd has them in memory: one that was stopped, and left nothing
// to tell of, is not among them.
func (u *Units) List(ctx context.Context, pattern string) ([]Unit, error) {
	if !u.conn.Connected() {
		return nil, fmt.Errorf("list %s: %w: the connection was lost; it is tried again", pattern, ErrNoBus)
	}
	found, err := u.conn.ListUnitsByPatternsContext(ctx, nil, []string{pattern})
	if err != nil {
		return nil, explained("list "+pattern, err)
	}
	var list []Unit
	for _, f := range found {
		restarts, err := u.conn.GetServicePropertyContext(ctx, f.Name, "NRestarts")
		if err != nil {
			return nil, explained("ask about "+f.Name, err)
		}
		n, _ := restarts.Value.Value().(uint32)
		list = append(list, Unit{Name: f.Name, State: f.ActiveState, Job: f.JobType, Restarts: int(n)})
	}
	return list, nil
}

// Start has a unit started; one that runs is left alone. It waits for nothing but systemd's word that it will be done, and never takes the place of a stop
// that somebody has asked for.
func (u *Units) Start(ctx context.Context, name string) error {
	_, err := u.conn.StartUnitContext(ctx, name, "fail", nil)
	return explained("start "+name, err)
}

// Stop is Start's counterpart.
func (u *Units) Stop(ctx context.Context, name string) error {
	_, err := u.conn.StopUnitContext(ctx, name, "replace", nil)
	return explained("stop "+name, err)
}

// Restart has a unit stopped, if it runs, and started.
func (u *Units) Restart(ctx context.Context, name string) error {
	_, err := u.conn.RestartUnitContext(ctx, name, "fail", nil)
	return explained("restart "+name, err)
}

// explained says what to do about an error of the bus.
func explained(what string, err error) error {
	if err == nil {
		return nil
	}
	said, answered := errors.AsType[bus.Error](err)
	if !answered {
		return fmt.Errorf("%s: %w: %w; look at systemctl status dbus.socket, it is tried again", what, ErrNoBus, err)
	}
	switch said.Name {
	case "org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", "org.freedesktop.DBus.Error.AuthFailed":
		return fmt.Errorf("%s: %w it to user %s (%w); polkit's rule for that comes with the package: look at systemctl status polkit, or install flattone again",
			what, ErrRefused, userName(), err)
	case "org.freedesktop.systemd1.NoSuchUnit", "org.freedesktop.systemd1.LoadFailed":
		return fmt.Errorf("%s: %w (%w); it comes with the package: install flattone again, then systemctl daemon-reload", what, ErrNoUnit, err)
	case "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.Disconnected", "org.freedesktop.DBus.Error.NameHasNoOwner":
		return fmt.Errorf("%s: %w (%w); it is tried again", what, ErrNoBus, err)
	}
	return fmt.Errorf("%s: systemd says: %w", what, err)
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprint(os.Geteuid())
}
