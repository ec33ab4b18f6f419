package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// socketMode lets everybody knock: who may do what is said by the kernel's word on the peer and by the config's roles, of people who share no group; and
// who isn't let in is told so, and noted.
const socketMode = 0o666

// groupMode is that of a socket at which nobody else is answered.
const groupMode = 0o660

// ErrInUse: another daemon answers on the admin socket.
var ErrInUse = errors.New("another flattoned answers there")

// Listen opens a socket at path for our own user and, where there is such a group, its members.
func Listen(path, group string) (*net.UnixListener, error) {
	l, err := listen(path, groupMode)
	if err != nil {
		return nil, err
	}
	if err := give(path, group); err != nil {
		l.Close()
		return nil, fmt.Errorf("opening the socket %s: %w", path, err)
	}
	return l, nil
}

// give lets a group have what is at path. Only root and the group's members can; otherwise it keeps our own group.
func give(path, group string) error {
	g, err := user.LookupGroup(group)
	if _, unknown := errors.AsType[user.UnknownGroupError](err); unknown {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking up group %s: %w", group, err)
	}
	id, err := strconv.Atoi(g.Gid)
	if err != nil {
		return fmt.Errorf("group %s has no numeric id: %w", group, err)
	}
	if err = os.Chown(path, -1, id); errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// listen opens the socket at path, in the place of one that a dead daemon left behind. What is alive, or is
// no socket, it leaves alone.
func listen(path string, mode fs.FileMode) (*net.UnixListener, error) {
	failed := func(err error) error { return fmt.Errorf("opening the socket %s: %w", path, err) }
	if err := removeStale(path); err != nil {
		return nil, failed(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, failed(err)
	}
	if err = errors.Join(openFolder(filepath.Dir(path)), os.Chmod(path, mode)); err != nil {
		l.Close()
		return nil, failed(err)
	}
	return l, nil
}

// openFolder lets everybody through a folder that is ours to what is open to them in it, though not look around there. A folder of somebody else's is left
// alone.
func openFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if info.Sys().(*syscall.Stat_t).Uid != uint32(os.Geteuid()) || info.Mode()&0o001 != 0 {
		return nil
	}
	return os.Chmod(dir, info.Mode().Perm()|0o001)
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

// boundedListener holds at most cap(room) connections at a time of those who have a role, cap(desk) of who is the desk and nothing else, and cap(strangers) of
// those who have none. Of the first the others wait in the kernel, in a queue of its own length, until one of those is done or runs into a time-out; those of the
// other two it closes without a word, so that they can't keep anybody out.
type boundedListener struct {
	*net.UnixListener
	room, desk, strangers chan struct{}
	// whoIs names a peer; refused hears of those who were closed out.
	whoIs   func(*net.UnixConn) Actor
	refused func(Actor)
}

func (l boundedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		by := l.whoIs(c)
		narrow := l.strangers
		switch {
		case by.is(Technician, Custodian, Auditor, Installer), by.is(Viewer) && !by.is(Desk):
			l.room <- struct{}{}
			return &boundedConn{c, by, sync.OnceFunc(func() { <-l.room })}, nil
		case by.is(Desk):
			narrow = l.desk
		}
		select {
		case narrow <- struct{}{}:
			return &boundedConn{c, by, sync.OnceFunc(func() { <-narrow })}, nil
		default:
			c.Close()
			l.refused(by)
		}
	}
}

// boundedConn is a connection of somebody who has a name.
type boundedConn struct {
	*net.UnixConn
	by    Actor
	leave func()
}

func (c *boundedConn) Close() error {
	defer c.leave()
	return c.UnixConn.Close()
}
