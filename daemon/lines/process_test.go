package lines

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// The test program is also the processes it tests: which one, the environment says.
const (
	roleKey   = "FLATTONE_LINES_TEST_ROLE"
	socketKey = "FLATTONE_LINES_TEST_SOCKET"
)

// A death signal is an attribute of the thread that forked: only the main thread of a child can tell it. A
// goroutine that locks its thread while the program initialises keeps the main one (runtime.LockOSThread).
var _ = func() bool { runtime.LockOSThread(); return true }()

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "--answer" {
		beAsked()
		return
	}
	switch os.Getenv(roleKey) {
	case "":
		goleak.VerifyTestMain(m)
	case "flattoned":
		beFlattoned()
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		beLine()
	case "talker":
		fmt.Fprint(os.Stdout, "to stdout\n")
		fmt.Fprint(os.Stderr, "to stderr\n", strings.Repeat("x", longestLine+1), "\nlast words")
	case "line":
		beLine()
	}
}

// report is what a child says of itself.
type report struct {
	PID, Parent, Group int
	DeathSignal        syscall.Signal
	Args               []string
}

// beLine reports to the test's socket and does what it is told: the kernel closes its end of the connection
// when it dies, which is how the test knows.
func beLine() {
	c, err := net.Dial("unix", os.Getenv(socketKey))
	if err != nil {
		os.Exit(1)
	}
	var death int32 // PR_GET_PDEATHSIG writes an int
	r := report{PID: os.Getpid(), Parent: os.Getppid(), Group: unix.Getpgrp(), Args: os.Args[1:]}
	if err := unix.Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&death)), 0, 0, 0); err != nil {
		os.Exit(1)
	}
	r.DeathSignal = syscall.Signal(death)
	json.NewEncoder(c).Encode(r)
	word, _ := bufio.NewReader(c).ReadString('\n')
	switch word {
	case "fail\n":
		os.Exit(3)
	case "crash\n":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
}

// beFlattoned keeps one line until it is killed.
func beFlattoned() {
	os.Setenv(roleKey, "line")
	self, err := os.Executable()
	if err != nil {
		os.Exit(1)
	}
	k, err := NewChildren(Config{Bin: self, Names: []string{"one"}, Args: func(string) []string { return nil }}, Deps{Log: newRecords().log()})
	if err != nil {
		os.Exit(1)
	}
	k.Run(context.Background())
}

// child is a process that reported.
type child struct {
	net.Conn
	report
}

// stage is where children report.
type stage struct {
	t *testing.T
	l net.Listener
}

func newStage(t *testing.T, role string) stage {
	t.Helper()
	dir, err := os.MkdirTemp("", "lines") // short enough for a socket's address
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	t.Setenv(roleKey, role)
	t.Setenv(socketKey, path)
	return stage{t, l}
}

func (s stage) next() child {
	s.t.Helper()
	c, err := s.l.Accept()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	ch := child{Conn: c}
	if err := json.NewDecoder(c).Decode(&ch.report); err != nil {
		s.t.Fatal(err)
	}
	return ch
}

// tell has the child end in a way.
func (c child) tell(word string) { io.WriteString(c, word+"\n") }

// awaitEnd returns when the child is dead.
func (c child) awaitEnd(t *testing.T) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(time.Minute)) // no measure of speed: a child that lives then has been forgotten
	if n, err := c.Read(make([]byte, 100)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("child %d still speaks", c.PID)
	}
}

// start runs Children of this test program, and gives what stops it and waits for it.
func start(t *testing.T, deps Deps, grace time.Duration, names ...string) (stop func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	k, err := NewChildren(Config{Bin: self, Names: names, Args: func(n string) []string { return []string{"--line", n} }, Grace: grace}, deps)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, k)
}

// noChildren fails if a child of this process is left, alive or as a zombie.
func noChildren(t *testing.T) {
	t.Helper()
	if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); !errors.Is(err, unix.ECHILD) {
		t.Errorf("a child is left: wait4 gives %d, %v", pid, err)
	}
}

func TestStartsAndStopsEveryLine(t *testing.T) {
	s := newStage(t, "line")
	stop := start(t, Deps{Log: newRecords().log()}, 0, "one", "two")
	a, b := s.next(), s.next()
	if got := a.Args[1] + " " + b.Args[1]; a.Args[0] != "--line" || got != "one two" && got != "two one" {
		t.Errorf("arguments are %q and %q", a.Args, b.Args)
	}
	for _, c := range []child{a, b} {
		if c.Parent != os.Getpid() || c.Group != c.PID || c.DeathSignal != syscall.SIGKILL {
			t.Errorf("parent %d, group %d, death signal %v; want %d, %d, killed", c.Parent, c.Group, c.DeathSignal, os.Getpid(), c.PID)
		}
	}
	stop()
	a.awaitEnd(t)
	b.awaitEnd(t)
	noChildren(t)
}

func TestStartsAgain(t *testing.T) {
	s := newStage(t, "line")
	rec, exits := newRecords(), make(chan int, 10)
	stop := start(t, Deps{Log: rec.log(), OnExit: func(_ string, times int) { exits <- times }}, 0, "one")
	seen := map[int]bool{}
	for i, word := range []string{"fail", "crash", "end"} {
		c := s.next()
		if seen[c.PID] {
			t.Errorf("process %d again", c.PID)
		}
		seen[c.PID] = true
		c.tell(word)
		if times := <-exits; times != i+1 {
			t.Errorf("told of %d exits, want %d", times, i+1)
		}
	}
	s.next()
	stop()
	noChildren(t)
	log := strings.Join(rec.all(), "\n")
	for _, want := range []string{"exit status 3", "signal: killed", "ended by itself", "has stopped"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log doesn't say %q:\n%s", want, log)
		}
	}
}

func TestKillsWhatDoesNotStop(t *testing.T) {
	s := newStage(t, "stubborn")
	stop := start(t, Deps{Log: newRecords().log()}, 20*time.Millisecond, "one")
	c := s.next()
	stop()
	c.awaitEnd(t)
	noChildren(t)
}

// TestDiesWithItsParent kills flattoned in the way that leaves it no time for anything.
func TestDiesWithItsParent(t *testing.T) {
	s := newStage(t, "flattoned")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	flattoned := exec.Command(self)
	if err := flattoned.Start(); err != nil {
		t.Fatal(err)
	}
	c := s.next()
	if c.Parent != flattoned.Process.Pid {
		t.Errorf("the line's parent is %d, want %d", c.Parent, flattoned.Process.Pid)
	}
	if err := flattoned.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	flattoned.Wait() // says that it was killed
	c.awaitEnd(t)
}

func TestOutputOfAProcess(t *testing.T) {
	newStage(t, "talker")
	rec, exits := newRecords(), make(chan int, 1000)
	stop := start(t, Deps{Log: rec.log(), OnExit: func(_ string, times int) { exits <- times }}, 0, "one")
	<-exits
	stop()
	var says []string
	for _, r := range rec.all() {
		if text, ok := strings.CutPrefix(r, "the line's process says text="); ok {
			says = append(says, text)
		}
	}
	want := []string{"to stdout", "to stderr", strings.Repeat("x", longestLine) + " cut=true", "last words"}
	if len(says) < len(want) || strings.Join(says[:len(want)], "\n") != strings.Join(want, "\n") {
		t.Errorf("the log has %q, want %q", says, want)
	}
}

// TestCannotStart: the program was there for New and is broken when it is needed.
func TestCannotStart(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "flattone-line")
	if err := os.WriteFile(bin, []byte("#!/no/such/interpreter\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	rec := newRecords()
	ctx, cancel := context.WithCancel(t.Context())
	k, err := NewChildren(Config{Bin: bin, Names: []string{"one"}, Args: func(string) []string { return nil }},
		Deps{Log: rec.log(), OnExit: func(string, int) { cancel() }})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Run(ctx); err != nil {
		t.Error(err)
	}
	if log := strings.Join(rec.all(), "\n"); !strings.Contains(log, "start "+bin+": ") {
		t.Errorf("the log says %q", log)
	}
}
