package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/flattone/flattone/daemon/config"
)

// grants is a policy in which all names are known.
func grants(t *testing.T, roles config.Roles) policy {
	t.Helper()
	p, unknown, err := newPolicy(roles)
	if err != nil || len(unknown) > 0 {
		t.Fatal(unknown, err)
	}
	return p
}

func TestPolicyIsDefaultDeny(t *testing.T) {
	const anna, staff, wheel = 500, 600, 700
	p := policy{users: map[uint32][]Role{anna: {Auditor}}, groups: map[uint32][]Role{staff: {Technician}, wheel: {Installer}}}
	for name, tc := range map[string]struct {
		a    Actor
		want []Role
	}{
		"by name":               {Actor{UID: anna}, []Role{Viewer, Auditor}},
		"by the primary group":  {Actor{UID: 900, GID: staff}, []Role{Viewer, Technician}},
		"by one of the groups":  {Actor{UID: 900, GID: 900, groups: []uint32{4, staff}}, []Role{Viewer, Technician}},
		"all add up":            {Actor{UID: anna, GID: staff, groups: []uint32{wheel}}, []Role{Viewer, Technician, Auditor, Installer}},
		"root, unnamed":         {Actor{UID: 0, GID: 0, groups: []uint32{0}}, []Role{}},
		"nobody":                {Actor{UID: 65534, GID: 65534}, []Role{}},
		"gid like a user's id":  {Actor{UID: 900, GID: anna}, []Role{}},
		"uid like a group's id": {Actor{UID: staff, GID: 900}, []Role{}},
	} {
		if got := p.roles(tc.a); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func TestNamesBecomeNumbers(t *testing.T) {
	p, unknown, err := newPolicy(config.Roles{Viewer: []string{"@root", "no-such-user"}, Auditor: []string{"root", config.Self}, Installer: []string{"@no-such-group"}})
	if err != nil || !slices.Equal(unknown, []string{"no-such-user", "@no-such-group"}) {
		t.Errorf("unknown are %v, %v", unknown, err)
	}
	if !slices.Equal(p.groups[0], []Role{Viewer}) || !slices.Contains(p.users[0], Auditor) || !slices.Contains(p.users[uint32(os.Geteuid())], Auditor) {
		t.Errorf("%+v", p)
	}
}

// matrix is what each role may by itself: "yes", "code" where it takes one from afar, or "-".
func matrix(t *testing.T) string {
	t.Helper()
	var table strings.Builder
	fmt.Fprintf(&table, "%-38s", "")
	for _, role := range Roles() {
		fmt.Fprintf(&table, " %-10s", role)
	}
	table.WriteString("\n")
	b := &scripted{Feed: NewFeed(), asked: make(chan string, 4096)}
	s := &Server{backend: b, log: slog.New(slog.DiscardHandler), streams: make(chan struct{}, 1), stopping: make(chan struct{}),
		refusals: newRefusals(func(context.Context, Actor, string, string) {}),
		login:    func(context.Context, int32) (Login, error) { return Login{ID: "1", User: "anna"}, nil }}
	defer s.refusals.close()
	h := s.handler()
	for _, rt := range s.routes() {
		fmt.Fprintf(&table, "%-38s", rt.pattern)
		for _, role := range Roles() {
			fmt.Fprintf(&table, " %-10s", passes(t, h, rt.pattern, role))
		}
		table.WriteString("\n")
		for name, a := range map[string]Actor{"nobody the kernel names": {}, "a user without a role": {Name: "mallory"}} {
			if got := ask1(t, h, rt.pattern, a); got != http.StatusForbidden {
				t.Errorf("%s: %s is answered %d", rt.pattern, name, got)
			}
		}
	}
	return table.String()
}

func passes(t *testing.T, h http.Handler, pattern string, role Role) string {
	t.Helper()
	p := policy{users: map[uint32][]Role{1: {role}}}
	a := Actor{UID: 1, Name: "anna"}
	a.roles = p.roles(a)
	status, code := askAs(t, h, pattern, a, role)
	switch {
	case code == CodeNotBound:
		return string(bound)
	case code == CodeUnknownPayment:
		return string(own)
	}
	switch status {
	case http.StatusForbidden:
		return "-"
	case http.StatusUnauthorized:
		return "code"
	case http.StatusOK, http.StatusBadRequest: // let in, and asked for something that wants more words
		return "yes"
	default:
		t.Errorf("%s as %s is answered %d", pattern, role, status)
		return "?"
	}
}

// ask1 asks for one thing as somebody. The one stream begins and is left.
func ask1(t *testing.T, h http.Handler, pattern string, a Actor) int {
	t.Helper()
	status, _ := askAs(t, h, pattern, a, "")
	return status
}

// askAs does so in one of his roles, as the desk for an agent who is bound to nothing, and answers with the error's code besides.
func askAs(t *testing.T, h http.Handler, pattern string, a Actor, as Role) (status int, code string) {
	t.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	ctx, leave := context.WithCancel(context.WithValue(t.Context(), actorKey{}, a))
	leave() // what has to wait for something ends at once
	r, err := http.NewRequestWithContext(ctx, method, "http://flattone"+strings.NewReplacer("{line}", "one", "{person}", "otto", "{token}", "tok_x", "{ceremony}", "c").Replace(path), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if as == Desk && !strings.Contains(pattern, "redeem") {
		r.Header.Set(AgentHeader, "ben")
	}
	w := &recorder{header: http.Header{}}
	h.ServeHTTP(w, r)
	if w.status == 0 {
		w.status = http.StatusOK // nothing but a body, or a stream
	}
	var e Error
	if w.status != http.StatusOK {
		json.Unmarshal(w.body.Bytes(), &e) // what is no JSON has no code
	}
	return w.status, e.Code
}

// TestMatrix holds every route, as every role, against what a reader of the two files is told. It is to be changed by hand, with thought.
func TestMatrix(t *testing.T) {
	got := matrix(t)
	for _, file := range []string{"testdata/matrix.txt", "../../SECURITY.md"} {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(got) {
			if line = strings.TrimRight(line, " \n"); !strings.Contains(string(want), "\n"+line+"\n") && !strings.HasPrefix(string(want), line+"\n") {
				t.Errorf("%s doesn't have\n%s", file, line)
			}
		}
		if routes := strings.Count(string(want), "\nGET /v1/") + strings.Count(string(want), "\nPOST /v1/") + strings.Count(string(want), "\nDELETE /v1/"); routes != strings.Count(got, "/v1/") {
			t.Errorf("%s has %d routes, and there are %d", file, routes, strings.Count(got, "/v1/"))
		}
	}
}

// as runs f on a thread that is another user for good, and with it ends. To the kernel, and so to whom f connects to, it is that user.
func as(t *testing.T, uid, gid int, groups []uint32, f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked
		if err := become(uid, gid, groups); err != nil {
			done <- err
			return
		}
		f()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestRealUsers come through the real socket as the users and groups that they are, of whom the machine need not know.
func TestRealUsers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	const viewer, technician, stranger, staff = 54001, 54002, 54003, 54100
	b, socket := serve(t, func(s *Server) {
		s.policy.users = map[uint32][]Role{viewer: {Viewer}}
		s.policy.groups = map[uint32][]Role{staff: {Technician}}
	})
	open(t, socket)
	b.Publish(Event{Kind: KindRing, Line: "one", On: true, Number: "+15550100"})
	b.Publish(Event{Kind: KindToken, Line: "one", Capture: "c", Token: "tok_x", Brand: "visa", Last4: "4242"})
	get := func(uid int, groups []uint32, path string) (first, all string) {
		as(t, uid, uid, groups, func() {
			first, all = raw(t, socket, "GET /v1/"+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		})
		return first, all
	}
	for _, tc := range []struct {
		uid    int
		groups []uint32
		path   string
		status string
		says   string
	}{
		{viewer, nil, "status", "200", `"state_dir"`},
		{viewer, nil, "lines", "200", `"name":"one"`},
		{viewer, nil, "tokens", "403", "user uid 54001 may not: this is for technician, custodian or auditor, and uid 54001 is viewer"},
		{technician, []uint32{5, staff}, "tokens", "200", "tok_x"},
		{technician, []uint32{5, staff}, "audit", "403", "this is for auditor, and uid 54002 is viewer and technician"},
		{technician, []uint32{5}, "status", "403", "this is for viewer, and uid 54002 has no role at this box"},
		{stranger, nil, "status", "403", "have root grant it to you"},
		{stranger, nil, "nothing", "403", "no role"},
		{0, nil, "status", "403", "root has no role"},
	} {
		first, all := get(tc.uid, tc.groups, tc.path)
		if !strings.HasPrefix(first, "HTTP/1.1 "+tc.status) || !strings.Contains(all, tc.says) {
			t.Errorf("%d asks for %s: %s, want %s and %q", tc.uid, tc.path, all, tc.status, tc.says)
		}
		if strings.Contains(all, "+15550100") && tc.uid == viewer {
			t.Errorf("a viewer is told who calls: %s", all)
		}
	}
	noted := strings.Join(b.refusals(), "\n")
	for _, want := range []string{"uid 54001: GET /v1/tokens: user uid 54001 may not", "uid 54002: GET /v1/audit: ", "uid 54002: GET /v1/status: ", "uid 54003: GET /v1/status: ", "root: GET /v1/status: "} {
		if !strings.Contains(noted, want) {
			t.Errorf("the audit log lacks %q:\n%s", want, noted)
		}
	}
}

// TestAWatchIsSpared: who is no technician sees that something happens, and nothing of the caller or his card.
func TestAWatchIsSpared(t *testing.T) {
	for role, spared := range map[Role]bool{Viewer: true, Auditor: true, Custodian: true, Installer: true, Technician: false, Desk: false} {
		b, socket := serve(t, func(s *Server) { s.policy.users = map[uint32][]Role{uint32(os.Geteuid()): {role}} })
		b.Publish(Event{Kind: KindRing, Line: "one", On: true, Number: "+15550100"})
		b.Publish(Event{Kind: KindVerdict, Line: "one", Capture: "c", Field: "pan", Code: CodeOK, Brand: "visa", Last4: "4242"})
		b.Publish(Event{Kind: KindToken, Line: "one", Capture: "c", Token: "tok_x", Brand: "visa", Last4: "4242"})
		ctx, stop := context.WithCancel(t.Context())
		var got []Event
		if err := dial(t, socket).Watch(ctx, func(e Event) {
			if got = append(got, e); len(got) == 3 {
				stop()
			}
		}); err != nil || len(got) != 3 {
			t.Fatal(got, err)
		}
		all := fmt.Sprint(got)
		for _, secret := range []string{"+15550100", "visa", "4242", "tok_x"} {
			spared := spared || role == Desk && secret == "+15550100"
			if strings.Contains(all, secret) == spared {
				t.Errorf("a watch of the %s has %s: %v, want %v", role, secret, !spared, spared)
			}
		}
		if got[1].Code != CodeOK || !got[0].On {
			t.Errorf("a watch of the %s is told too little: %+v", role, got)
		}
	}
}

// TestStrangersKeepNobodyOut: they hold all connections that they can get, and are closed out; who has a role is served beside them, and the log isn't flooded.
func TestStrangersKeepNobodyOut(t *testing.T) { keepsNobodyOut(t, 54003) }

// TestTheDeskKeepsNobodyOut: whatever it holds, who has another role is served beside it.
func TestTheDeskKeepsNobodyOut(t *testing.T) { keepsNobodyOut(t, 54004, Desk) }

// keepsNobodyOut has a user with these roles and no others hold all that he can get.
func keepsNobodyOut(t *testing.T, uid int, roles ...Role) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	b, socket := serve(t, func(s *Server) { s.policy.users[uint32(uid)] = roles })
	open(t, socket)
	var held []net.Conn
	as(t, uid, uid, nil, func() {
		for range 200 {
			c, err := net.Dial("unix", socket)
			if err != nil {
				t.Error(err)
				return
			}
			held = append(held, c)
		}
	})
	if _, err := dial(t, socket).Status(t.Context()); err != nil {
		t.Error(err)
	}
	for _, c := range held {
		c.Close()
	}
	if got := b.refusals(); len(got) != 1 || !strings.HasPrefix(got[0], fmt.Sprintf("uid %d: connection: ", uid)) {
		t.Errorf("noted are %q", got)
	}
}

// TestTheDesksClientWaits: it has no more connections at a time than the desk may have, and loses nothing of what it asks.
func TestTheDesksClientWaits(t *testing.T) {
	_, socket := serve(t, nil)
	c := At(socket)
	defer c.Close()
	var all sync.WaitGroup
	for range 10 * maxDesk {
		all.Go(func() {
			if _, err := c.Status(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := c.http.Transport.(*http.Transport).MaxConnsPerHost; got != maxDesk {
		t.Errorf("it has %d", got)
	}
}

func TestADenialSaysWhoMayGrant(t *testing.T) {
	p := policy{named: map[Role][]string{Technician: {"root", "@flattone-admin"}}}
	anna := Actor{Name: "anna", roles: []Role{Viewer, Auditor}}
	if e := p.denied(anna, commanding); e.Text != "user anna may not: this is for technician, and anna is viewer and auditor" ||
		!strings.Contains(e.Remedy, "by the group flattone-admin, once you have logged in again, or by your name under technician in [roles]") {
		t.Errorf("%+v", e)
	}
	if e := p.denied(anna, installing); !strings.Contains(e.Remedy, "your name under installer in [roles]") {
		t.Errorf("%+v", e)
	}
	if e := p.denied(Actor{}, viewing); e.Code != CodeDenied || e.Remedy == "" {
		t.Errorf("%+v", e)
	}
}

// open lets other users get to the test's socket.
func open(t *testing.T, socket string) {
	t.Helper()
	for dir := filepath.Dir(socket); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := user.LookupId("54001"); !errors.As(err, new(user.UnknownUserIdError)) {
		t.Fatalf("this machine has a user 54001: %v", err)
	}
}

// become makes the calling thread another user: the kernel's own calls know one thread, and not the process.
func become(uid, gid int, groups []uint32) error {
	for _, call := range [][4]uintptr{
		{unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(unsafe.SliceData(groups)))},
		{unix.SYS_SETRESGID, uintptr(gid), uintptr(gid), uintptr(gid)},
		{unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)},
	} {
		if _, _, errno := unix.RawSyscall(call[0], call[1], call[2], call[3]); errno != 0 {
			return fmt.Errorf("becoming user %d: %w", uid, errno)
		}
	}
	runtime.KeepAlive(groups)
	return nil
}
