package host

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/godbus/dbus/v5"
)

// What logind may be about to do, and what it is asked to wait with.
const (
	Shutdown = "shutdown"
	Sleep    = "sleep"
)

const (
	loginService = "org.freedesktop.login1"
	loginPath    = "/org/freedesktop/login1"
	loginManager = "org.freedesktop.login1.Manager"
)

// Preparing is what the machine is about to do, and how long it waits at the most for those who asked it to: InhibitDelayMaxSec= of logind.conf.
type Preparing struct {
	Shutdown, Sleep bool
	Within          time.Duration
}

// Login is logind: who stops the machine.
type Login struct{ bus *Bus }

// NewLogin speaks to logind on a bus.
func NewLogin(bus *Bus) *Login { return &Login{bus} }

// Inhibit has the machine wait with [Shutdown] or [Sleep] until the answer is closed, as long as logind allows at the most. It is asked for one at a time: for both in one
// call (shutdown:sleep) logind wants a privilege that a service's user doesn't have.
func (l *Login) Inhibit(ctx context.Context, what, why string) (io.Closer, error) {
	conn, err := l.bus.connect()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	answer := make(chan *dbus.Call, 1)
	conn.Object(loginService, loginPath).Go(loginManager+".Inhibit", 0, answer, what, "flattone", why, "delay")
	select {
	case call := <-answer:
		return lock(call)
	case <-ctx.Done():
		go func() { // an answer that comes yet is a lock, and would be held until the process ends
			if late, err := lock(<-answer); err == nil {
				late.Close()
			}
		}()
		return nil, fmt.Errorf("have logind wait with %s: %w", what, ctx.Err())
	}
}

func lock(call *dbus.Call) (io.Closer, error) {
	var fd dbus.UnixFD
	if err := call.Store(&fd); err != nil {
		return nil, fmt.Errorf("have logind wait with %v: %w", call.Args[0], err)
	}
	return os.NewFile(uintptr(fd), "inhibitor"), nil
}

// Watch tells what the machine is about to do: as it is now, and whenever it may have changed. The channel is closed when ctx ends, and when logind
// or the bus is lost.
func (l *Login) Watch(ctx context.Context) (<-chan Preparing, error) {
	conn, err := l.bus.connect()
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	heard, err := hear(ctx, conn, func(s *dbus.Signal) bool {
		switch s.Name {
		case loginManager + ".PrepareForShutdown", loginManager + ".PrepareForSleep":
			return true
		}
		return s.Name == ownerChanged && len(s.Body) > 0 && s.Body[0] == loginService
	}, []dbus.MatchOption{dbus.WithMatchSender(loginService), dbus.WithMatchInterface(loginManager), dbus.WithMatchMember("PrepareForShutdown")},
		[]dbus.MatchOption{dbus.WithMatchSender(loginService), dbus.WithMatchInterface(loginManager), dbus.WithMatchMember("PrepareForSleep")},
		[]dbus.MatchOption{dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, loginService)})
	if err != nil {
		stop()
		return nil, err
	}
	now, err := preparing(ctx, conn)
	if err != nil {
		stop()
		return nil, err
	}
	told := make(chan Preparing)
	go func() {
		defer close(told)
		defer stop()
		for {
			select {
			case told <- now:
			case <-ctx.Done():
				return
			}
			if _, more := <-heard; !more {
				return
			}
			if now, err = preparing(ctx, conn); err != nil {
				return
			}
		}
	}()
	return told, nil
}

// ownerChanged says that a service came or went.
const ownerChanged = "org.freedesktop.DBus.NameOwnerChanged"

// preparing asks logind.
func preparing(ctx context.Context, conn *dbus.Conn) (p Preparing, err error) {
	p.Shutdown, err = property[bool](ctx, conn, loginService, loginPath, loginManager, "PreparingForShutdown")
	if err == nil {
		p.Sleep, err = property[bool](ctx, conn, loginService, loginPath, loginManager, "PreparingForSleep")
	}
	var within uint64
	if err == nil {
		within, err = property[uint64](ctx, conn, loginService, loginPath, loginManager, "InhibitDelayMaxUSec")
	}
	p.Within = time.Duration(within) * time.Microsecond
	return p, err
}
