package control

import (
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"testing"
)

// self is this process as the kernel names it to a peer.
func self(t *testing.T) Actor {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "s"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	peer, err := l.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	a, err := actorOf(peer)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTheKernelNamesThePeer(t *testing.T) {
	a := self(t)
	if a.UID != uint32(os.Getuid()) || a.GID != uint32(os.Getgid()) || a.PID != int32(os.Getpid()) {
		t.Errorf("peer is %+v", a)
	}
	if u, err := user.Current(); err == nil && a.Name != u.Username {
		t.Errorf("peer's name is %q, want %q", a.Name, u.Username)
	}
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		if !slices.Contains(a.groups, uint32(g)) {
			t.Errorf("group %d is missing from %v", g, a.groups)
		}
	}
}
