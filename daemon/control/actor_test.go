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

func TestPolicyIsDefaultDeny(t *testing.T) {
	const own, technicians = 500, 600
	with := policy{users: []uint32{0, own}, group: technicians, hasGroup: true}
	without := policy{users: []uint32{0, own}}
	for name, tc := range map[string]struct {
		a             Actor
		with, without bool
	}{
		"root":                  {Actor{UID: 0}, true, true},
		"the daemon itself":     {Actor{UID: own, GID: own}, true, true},
		"primary group":         {Actor{UID: 700, GID: technicians}, true, false},
		"one of its groups":     {Actor{UID: 700, GID: 700, groups: []uint32{4, technicians}}, true, false},
		"root's group only":     {Actor{UID: 700, GID: 0, groups: []uint32{0}}, false, false},
		"nobody":                {Actor{UID: 65534, GID: 65534}, false, false},
		"gid like an user's id": {Actor{UID: technicians, GID: own}, false, false},
	} {
		if got := with.allows(tc.a); got != tc.with {
			t.Errorf("%s: %v where the group exists", name, got)
		}
		if got := without.allows(tc.a); got != tc.without {
			t.Errorf("%s: %v where it doesn't", name, got)
		}
	}
}

func TestAGroupUnknownHereLetsNobodyIn(t *testing.T) {
	p, err := newPolicy("no-such-group-here")
	if err != nil || p.hasGroup {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err = newPolicy("root"); err != nil || !p.hasGroup || p.group != 0 {
		t.Errorf("a known group: %+v, %v", p, err)
	}
}
