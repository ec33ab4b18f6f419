package host

import (
	"context"
	"fmt"
	"os"

	bus "github.com/godbus/dbus/v5"
)

const (
	loginName = "org.freedesktop.login1"
	loginFace = loginName + ".Manager"
	sessFace  = loginName + ".Session"
)

// Session is somebody's having logged in, as systemd-logind keeps it.
type Session struct {
	ID, User string
	// Remote is logind's word that it came from another machine. Class is what the session is for, Service what let it in, Seat the screen and keyboard.
	Remote               bool
	Class, Service, Seat string
}

// Here reports whether the session's person is at the machine: at its screen and keyboard, or at a terminal that login(1) guards, such as a serial console.
// Remote alone would not do. logind counts as near what comes through ssh from the machine itself, and what cron runs, and both can be had from afar.
func (s Session) Here() bool {
	return s.ID != "" && !s.Remote && s.Class == "user" && (s.Seat != "" || s.Service == "login")
}

// KeepsSessions reports whether systemd runs here, so that who is logged in is known.
func KeepsSessions() bool {
	_, err := os.Stat(booted)
	return err == nil
}

// SessionOf is the session that a process belongs to. One that belongs to none, such as a service's, is an error.
func SessionOf(ctx context.Context, pid int32) (s Session, err error) {
	conn, err := bus.ConnectSystemBus(bus.WithContext(ctx))
	if err != nil {
		return s, fmt.Errorf("ask systemd-logind for a session: %w", err)
	}
	defer conn.Close()
	var path bus.ObjectPath
	err = conn.Object(loginName, "/org/freedesktop/login1").CallWithContext(ctx, loginFace+".GetSessionByPID", 0, uint32(pid)).Store(&path)
	if err != nil {
		return s, fmt.Errorf("ask systemd-logind for the session of process %d: %w", pid, err)
	}
	var all map[string]bus.Variant
	err = conn.Object(loginName, path).CallWithContext(ctx, "org.freedesktop.DBus.Properties.GetAll", 0, sessFace).Store(&all)
	if err != nil {
		return s, fmt.Errorf("ask systemd-logind about a session: %w", err)
	}
	var seat struct {
		ID   string
		Path bus.ObjectPath
	}
	for name, to := range map[string]any{"Id": &s.ID, "Name": &s.User, "Remote": &s.Remote, "Class": &s.Class, "Service": &s.Service, "Seat": &seat} {
		v, told := all[name]
		if !told {
			return Session{}, fmt.Errorf("systemd-logind does not tell a session's %s", name)
		}
		if err := v.Store(to); err != nil {
			return Session{}, fmt.Errorf("systemd-logind tells a session's %s otherwise than it should: %w", name, err)
		}
	}
	s.Seat = seat.ID
	return s, nil
}
