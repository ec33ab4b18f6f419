package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// CodeHeader is the header by which a request carries a code of the second factor.
const CodeHeader = "Flattone-Code"

// freshTime is how long a code is good for the session that it was given in.
const freshTime = 5 * time.Minute

// Login is the session that a process belongs to: who logged in, and whether at the box itself.
type Login struct {
	ID, User string
	// Here is false where it can't be told.
	Here bool
}

var aCode = regexp.MustCompile(`^[0-9]{6}$`)

// vouch lets a custodian's or installer's command pass that comes from the box itself, or bears a code of the second factor, or follows such a one soon
// enough in the same session. The factor is that of the person who logged in, whoever he has become since (sudo, su): by.Person from then on.
//
// Where no sessions are kept, which is where systemd doesn't run, everybody is at the box. Where they are, and one can't be told, its person is not.
func (s *Server) vouch(ctx context.Context, by *Actor, r *http.Request) error {
	by.Person = by.Name
	if s.login == nil {
		return nil
	}
	login, err := s.loginOf(ctx, *by)
	if err != nil {
		s.log.Warn("admin socket: a peer's session can't be told, and is taken for one from afar", "user", by.Name, "err", err)
		login = Login{}
	}
	if login.User != "" {
		by.Person = login.User
	}
	if login.Here || s.fresh.is(by.Person, login.ID) {
		return nil
	}
	code := r.Header.Get(CodeHeader)
	if code != "" && !aCode.MatchString(code) {
		return &Error{CodeBadRequest, "a code of a second factor has six digits", "send what your authenticator shows"}
	}
	if err := s.backend.CheckFactor(ctx, *by, code); err != nil {
		return err
	}
	s.fresh.add(by.Person, login.ID)
	return nil
}

// loginOf asks for the session of the process that connected. Its number may be another process's by now, which then would vouch for it; so the kernel is
// asked for the process itself (SO_PEERPIDFD, Linux 6.5), and whether that still lived once the answer was there. Before 6.5 the number has to do: to
// abuse it, somebody would have to have it given to a process of a session at the box in the moment between connecting and being answered.
func (s *Server) loginOf(ctx context.Context, a Actor) (Login, error) {
	fd, err := a.process()
	if errors.Is(err, unix.ENOPROTOOPT) {
		return s.login(ctx, a.PID)
	}
	if err != nil {
		return Login{}, fmt.Errorf("the process that connected: %w", err)
	}
	defer unix.Close(fd)
	login, err := s.login(ctx, a.PID)
	if err != nil {
		return Login{}, err
	}
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0); n != 0 || err != nil {
		return Login{}, fmt.Errorf("the process that connected has ended: %w", cmp.Or(err, error(unix.ESRCH)))
	}
	return login, nil
}

// process is a pidfd of who connected.
func (a Actor) process() (fd int, err error) {
	if a.conn == nil {
		return -1, os.ErrInvalid
	}
	raw, err := a.conn.SyscallConn()
	if err != nil {
		return -1, err
	}
	var failed error
	err = raw.Control(func(c uintptr) { fd, failed = unix.GetsockoptInt(int(c), unix.SOL_SOCKET, unix.SO_PEERPIDFD) })
	return fd, errors.Join(err, failed)
}

// freshness remembers who gave a code lately, and in which session. A session that has no name is remembered not at all.
type freshness struct {
	mu    sync.Mutex
	until map[[2]string]time.Time
}

func (f *freshness) is(person, session string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Before(f.until[[2]string{person, session}])
}

func (f *freshness) add(person, session string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	for key, until := range f.until {
		if !now.Before(until) {
			delete(f.until, key)
		}
	}
	if session != "" {
		f.until[[2]string{person, session}] = now.Add(freshTime)
	}
}

func (f *freshness) drop(person string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key := range f.until {
		if key[0] == person {
			delete(f.until, key)
		}
	}
}

// guarded reports whether a call is one of custodians' or installers' alone, and so wants a second factor from afar.
func guarded(may []Role) bool {
	return !slices.ContainsFunc(may, func(r Role) bool { return r != Custodian && r != Installer })
}
