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

	// Person is who logged in as whom this user is, by the name he then had: root by sudo is still the person. It is known only of who gives a
	// custodian's or an installer's command.
	Person string

	// Agent is for whom the desk asks; empty of everybody else. He who has one may no more than the desk may for him.
	Agent string

	// groups are the supplementary groups.
	groups []uint32
	// roles are what the policy granted.
	roles []Role
	conn  *net.UnixConn
}

// String names the user, and the agent or the person behind it where that is another.
func (a Actor) String() string {
	switch {
	case a.Name == "":
		return "unknown"
	case a.Agent != "":
		return a.Name + " (" + a.Agent + ")"
	case a.Person != "" && a.Person != a.Name:
		return a.Name + " (" + a.Person + ")"
	}
	return a.Name
}

// is reports whether the policy granted a one of the roles.
func (a Actor) is(roles ...Role) bool {
	return slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(a.roles, r) })
}

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
	a := Actor{UID: cred.Uid, GID: cred.Gid, PID: cred.Pid, groups: groups, conn: c}
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

type actorKey struct{}

// actorFrom is the Actor of the connection a request came by: nobody, who has no name, where the kernel didn't say.
func actorFrom(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}
