package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// socketMode lets the socket's owner and group in; the kernel's word on the peer is checked besides.
const socketMode = 0o660

// ErrInUse: another daemon answers on the admin socket.
var ErrInUse = errors.New("another flattoned answers there")

// Listen opens a socket at path for our own user and, where there is such a group, its members; they need to get at its folder.
func Listen(path, group string) (*net.UnixListener, error) {
	p, err := newPolicy(group)
	if err != nil {
		return nil, err
	}
	return listen(path, p)
}

// listen opens the socket at path, in the place of one that a dead daemon left behind. What is alive, or is
// no socket, it leaves alone.
func listen(path string, p policy) (*net.UnixListener, error) {
	failed := func(err error) error { return fmt.Errorf("opening the socket %s: %w", path, err) }
	if err := removeStale(path); err != nil {
		return nil, failed(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, failed(err)
	}
	if p.hasGroup {
		// Only root and members of the group may give it away; otherwise the socket keeps our own group,
		// and the technicians' way in is through systemd, which sets the group itself.
		err = errors.Join(openFolder(filepath.Dir(path), p.group), os.Chown(path, -1, int(p.group)))
		if errors.Is(err, fs.ErrPermission) {
			err = nil
		}
	}
	if err = errors.Join(err, os.Chmod(path, socketMode)); err != nil {
		l.Close()
		return nil, failed(err)
	}
	return l, nil
}

// openFolder lets the group into a folder that is ours and closed to others: without it nobody gets to the socket. A
// folder that anybody may enter is left alone.
func openFolder(dir string, group uint32) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if info.Sys().(*syscall.Stat_t).Uid != uint32(os.Geteuid()) || info.Mode()&0o007 != 0 {
		return nil
	}
	return os.Chown(dir, -1, int(group))
}

func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("there is something else of that name, which is not a socket")
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		c.Close()
		return ErrInUse
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w, perhaps: %w", ErrInUse, err)
	}
	return os.Remove(path)
}

// boundedListener holds at most cap(room) connections at a time. The others wait in the kernel, in a queue of
// its own length, until one of those is done or runs into a time-out.
type boundedListener struct {
	*net.UnixListener
	room chan struct{}
}

func (l boundedListener) Accept() (net.Conn, error) {
	l.room <- struct{}{}
	leave := sync.OnceFunc(func() { <-l.room })
	c, err := l.AcceptUnix()
	if err != nil {
		leave()
		return nil, err
	}
	return &boundedConn{c, leave}, nil
}

type boundedConn struct {
	*net.UnixConn
	leave func()
}

func (c *boundedConn) Close() error {
	defer c.leave()
	return c.UnixConn.Close()
}
