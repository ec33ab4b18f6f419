package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"slices"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Actor is who is at the other end of a connection, in the kernel's word as of the moment they connected.
type Actor struct {
	UID, GID uint32
	// PID is of use to a reader of the audit log only: it may be somebody else's by the time it is read.
	PID int32
	// Name is the user's name, or "uid N" where the system knows none.
	Name string

	// groups are the supplementary groups.
	groups []uint32
}

func (a Actor) String() string { return a.Name }

// actorOf asks the kernel who is at the other end of c.
func actorOf(c *net.UnixConn) (Actor, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Actor{}, fmt.Errorf("reading peer credentials: %w", err)
	}
	var cred *unix.Ucred
	var groups []uint32
	var failed error
	err = raw.Control(func(fd uintptr) {
		if cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); failed == nil {
			groups, failed = peerGroups(fd)
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return Actor{}, fmt.Errorf("reading peer credentials: %w", err)
	}
	a := Actor{UID: cred.Uid, GID: cred.Gid, PID: cred.Pid, groups: groups}
	a.Name = fmt.Sprintf("uid %d", a.UID)
	if u, err := user.LookupId(strconv.FormatUint(uint64(a.UID), 10)); err == nil {
		a.Name = u.Username
	}
	return a, nil
}

// peerGroups reads SO_PEERGROUPS (Linux 4.13): the groups the peer really has, which /etc/group need not
// say. The kernel answers ERANGE, and the size it wants, to a buffer that is too small.
func peerGroups(fd uintptr) ([]uint32, error) {
	groups := make([]uint32, 32)
	for range 2 {
		size := uint32(4 * len(groups))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&groups[0])), uintptr(unsafe.Pointer(&size)), 0)
		switch errno {
		case 0:
			return groups[:size/4], nil
		case syscall.ERANGE:
			groups = make([]uint32, size/4)
		default:
			return nil, os.NewSyscallError("getsockopt SO_PEERGROUPS", errno)
		}
	}
	return nil, errors.New("the peer's groups don't keep still")
}

// policy says who may command the box.
type policy struct {
	users    []uint32 // root and the daemon's own user
	group    uint32   // the technicians' group
	hasGroup bool     // false: the group doesn't exist here
}

// newPolicy looks the technicians' group up. A group that does not exist lets nobody in.
func newPolicy(group string) (policy, error) {
	p := policy{users: []uint32{0, uint32(os.Geteuid())}}
	if group == "" {
		return p, nil
	}
	g, err := user.LookupGroup(group)
	var unknown user.UnknownGroupError
	if errors.As(err, &unknown) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("looking up group %s: %w", group, err)
	}
	gid, err := strconv.ParseUint(g.Gid, 10, 32)
	if err != nil {
		return p, fmt.Errorf("group %s has no numeric id: %w", group, err)
	}
	p.group, p.hasGroup = uint32(gid), true
	return p, nil
}

// allows lets in who is on the list, or in the group, and nobody else.
func (p policy) allows(a Actor) bool {
	return slices.Contains(p.users, a.UID) ||
		p.hasGroup && (a.GID == p.group || slices.Contains(a.groups, p.group))
}

type actorKey struct{}

// actorFrom is the Actor of the connection a request came by.
func actorFrom(ctx context.Context) (Actor, bool) {
	a, ok := ctx.Value(actorKey{}).(Actor)
	return a, ok
}
