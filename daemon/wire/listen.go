package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// ErrInUse: another flattoned answers at the socket.
var ErrInUse = errors.New("another flattoned is running")

// Listener takes the connections of lines. A line that greets slowly holds up no other.
type Listener struct {
	l       *net.UnixListener
	log     *slog.Logger
	allowed func(Peer) bool
	apart   func(line string) // nil: nobody is told
	ready   chan *Conn
	failed  chan error

	open  context.Context // ends with Close
	close context.CancelFunc
	work  sync.WaitGroup
}

// Listen makes the socket at path. Besides this process's own user, processes of the users given may connect;
// they need to be in the group of the socket's folder. A socket that a dead flattoned left behind is replaced;
// with a live one at it the error is [ErrInUse]. Who is refused is logged; and of a line with which no version is shared apart is told, if it isn't nil.
func Listen(path string, log *slog.Logger, apart func(line string), users ...uint32) (*Listener, error) {
	users = append(slices.Clone(users), uint32(os.Geteuid()))
	return listen(path, log, apart, func(p Peer) bool { return slices.Contains(users, p.UID) }, len(users) > 1)
}

func listen(path string, log *slog.Logger, apart func(line string), allowed func(Peer) bool, group bool) (*Listener, error) {
	l, err := bind(path)
	if err != nil {
		return nil, fmt.Errorf("listen for lines at %s: %w", path, err)
	}
	mode := fs.FileMode(0o600)
	if group {
		mode = 0o660
	}
	// Until here the mode was the umask's. Nobody slips in: who connects is asked for his user anyway.
	if err := os.Chmod(path, mode); err != nil {
		l.Close()
		return nil, fmt.Errorf("listen for lines: %w", err)
	}
	ln := &Listener{l: l, log: log, allowed: allowed, apart: apart, ready: make(chan *Conn), failed: make(chan error, 1)}
	ln.open, ln.close = context.WithCancel(context.Background())
	ln.work.Go(ln.run)
	return ln, nil
}

// bind replaces a stale socket. The folder is locked meanwhile, so that of two that start at once neither
// removes the other's fresh socket.
func bind(path string) (*net.UnixListener, error) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("%w; create the folder first", err)
	}
	defer dir.Close()
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, fmt.Errorf("%w: %s is locked (%w); stop the other, or give this one a runtime_dir of its own", ErrInUse, dir.Name(), err)
	}
	addr := &net.UnixAddr{Name: path, Net: "unix"}
	c, err := net.DialUnix("unix", nil, addr)
	switch {
	case err == nil:
		c.Close()
		return nil, fmt.Errorf("%w; stop it, or give this one a runtime_dir of its own", ErrInUse)
	case errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, unix.ECONNREFUSED):
		if err := removeSocket(path); err != nil {
			return nil, err
		}
	default:
		return nil, err
	}
	return net.ListenUnix("unix", addr)
}

// removeSocket removes what nobody answers at, if it is a socket: a file that is in the way has an owner.
func removeSocket(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("there is something else of that name; move it away")
	}
	return os.Remove(path)
}

// Accept waits for the next line that has been greeted. It returns net.ErrClosed after Close, and any other
// error only if the socket is lost.
func (ln *Listener) Accept() (*Conn, error) {
	select {
	case c := <-ln.ready:
		return c, nil
	case err := <-ln.failed:
		return nil, fmt.Errorf("accept a line: %w", err)
	case <-ln.open.Done():
		return nil, net.ErrClosed
	}
}

// Close removes the socket, and waits until nobody is being greeted any more. Connections that Accept has
// given out stay open. Closing again returns net.ErrClosed.
func (ln *Listener) Close() error {
	ln.close()
	err := ln.l.Close()
	ln.work.Wait()
	return err
}

func (ln *Listener) run() {
	for {
		nc, err := ln.l.AcceptUnix()
		switch {
		case err == nil:
			ln.work.Go(func() { ln.greet(nc) })
		case errors.Is(err, net.ErrClosed):
			return
		case shortage(err):
			ln.log.Warn("can't accept a line just now", "error", err)
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ln.open.Done():
				return
			}
		default:
			ln.failed <- err
			return
		}
	}
}

// shortage reports whether accepting failed for want of something that may be there again.
func shortage(err error) bool {
	return slices.ContainsFunc([]error{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM, unix.ECONNABORTED},
		func(e error) bool { return errors.Is(err, e) })
}

// greet opens one connection and hands it to Accept.
func (ln *Listener) greet(nc *net.UnixConn) {
	stop := context.AfterFunc(ln.open, func() { nc.Close() }) // Close waits for no peer who says nothing
	c := NewConn(nc, Daemon)
	var err error
	if c.peer, err = peerOf(nc); err == nil {
		err = c.welcome(ln.allowed)
	}
	if !stop() {
		return
	}
	if err != nil {
		nc.Close()
		if err != io.EOF {
			ln.log.Warn("refused a line", "pid", c.peer.PID, "uid", c.peer.UID, "error", err)
		}
		if refused, ok := errors.AsType[Refused](err); ok && refused.Reason == ReasonVersion && ln.apart != nil {
			ln.apart(c.hello.Line)
		}
		return
	}
	select {
	case ln.ready <- c:
	case <-ln.open.Done():
		nc.Close()
	}
}
