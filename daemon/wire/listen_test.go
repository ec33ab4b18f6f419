package wire

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// socket is a short path: t.TempDir's may be too long for a socket's address.
func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "wire")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "line.sock")
}

func listening(t *testing.T, path string) *Listener {
	t.Helper()
	ln, err := Listen(path, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

func TestDialAndAccept(t *testing.T) {
	path := socket(t)
	ln := listening(t, path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket's mode is %v (%v), want 0600", info.Mode(), err)
	}
	line, err := Dial(t.Context(), path, Hello{Line: "one"})
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	daemon, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer daemon.Close()
	if h := daemon.Hello(); h != (Hello{Line: "one", PID: os.Getpid(), Min: MinVersion, Max: MaxVersion}) || h != line.Hello() {
		t.Errorf("the line is %+v", h)
	}
	if p := daemon.Peer(); p.PID != int32(os.Getpid()) || p.UID != uint32(os.Geteuid()) || p.GID != uint32(os.Getegid()) {
		t.Errorf("the peer is %+v", p)
	}
	// What was given out outlives the listener.
	ln.Close()
	card, _ := testCard(t)
	sent := make(chan error, 1)
	go func() { sent <- line.SendCard(Card{Capture: "c"}, card) }()
	m, got, err := daemon.Receive()
	if err != nil || m != (Card{Capture: "c"}) {
		t.Fatalf("got %v, %v", m, err)
	}
	defer got.Destroy()
	if !sameCard(t, got, card) {
		t.Error("card differs")
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept after close: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestSocketForAGroup(t *testing.T) {
	path := socket(t)
	ln, err := Listen(path, slog.New(slog.DiscardHandler), nil, 12345)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the socket's mode is %v (%v), want 0660", info.Mode(), err)
	}
}

func TestRefusesOtherUsers(t *testing.T) {
	path := socket(t)
	log := make(lines, 1)
	ln, err := listen(path, slog.New(slog.NewTextHandler(log, nil)), nil, func(Peer) bool { return false }, false)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, err = Dial(t.Context(), path, Hello{Line: "one"})
	var refused Refused
	if !errors.As(err, &refused) || refused.Reason != ReasonUser || !strings.Contains(refused.Detail, path) {
		t.Errorf("got %v, want a refusal for the user", err)
	}
	if line := <-log; !strings.Contains(line, "refused a line") || !strings.Contains(line, "uid=") {
		t.Errorf("the log says %q", line)
	}
}

// lines gives each line of a log.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func TestAgree(t *testing.T) {
	for _, test := range []struct {
		min, max  int // what the line offers
		low, high int // what flattoned speaks
		version   int // 0 for none
	}{
		{1, 1, 1, 1, 1},
		{0, 0, 1, 1, 0},
		{0, 1, 1, 1, 1},
		{1, 3, 1, 1, 1},
		{2, 5, 1, 1, 0},
		{1, 1, 1, 2, 1}, // the line is one behind
		{1, 2, 1, 2, 2},
		{2, 3, 1, 2, 2}, // the line is one ahead
		{3, 4, 1, 2, 0}, // two ahead
		{1, 2, 3, 4, 0}, // two behind
		{1, 9, 3, 4, 4},
		{-5, 1, 1, 1, 1},
	} {
		version, ok := agree(Hello{Min: test.min, Max: test.max}, span{test.low, test.high})
		if ok != (test.version != 0) || ok && version != test.version {
			t.Errorf("[%d,%d] meets [%d,%d]: got %d %v, want %d", test.min, test.max, test.low, test.high, version, ok, test.version)
		}
	}
}

// TestGreetings holds a raw peer against the listener.
func TestGreetings(t *testing.T) {
	path := socket(t)
	ln := listening(t, path)
	for name, test := range map[string]struct {
		says   []byte
		answer Message
		reason string // of the refusal, where answer is nil
	}{
		"offers 0 to 0":       {frame(1, []byte(`{"Line":"one","Min":0,"Max":0}`)), nil, ReasonVersion},
		"offers 2 to 5":       {frame(1, []byte(`{"Line":"one","Min":2,"Max":5}`)), nil, ReasonVersion},
		"offers 1 to 3":       {frame(1, []byte(`{"Line":"one","Min":1,"Max":3,"New":true}`)), Welcome{1}, ""},
		"offers 3 to 1":       {frame(1, []byte(`{"Line":"one","Min":3,"Max":1}`)), nil, ReasonHello},
		"has no name":         {frame(1, []byte(`{"Min":1,"Max":1}`)), nil, ReasonHello},
		"begins with a state": {frame(16, []byte(`{"State":"idle"}`)), nil, ReasonHello},
		"speaks HTTP":         {[]byte("GET / HTTP/1.1\r\n\r\n"), nil, ReasonHello},
	} {
		t.Run(name, func(t *testing.T) {
			nc, err := net.Dial("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			if _, err := nc.Write(test.says); err != nil {
				t.Fatal(err)
			}
			m, _, err := readFrame(nc, Daemon)
			if test.answer != nil {
				c, acceptErr := ln.Accept()
				if acceptErr != nil || m != test.answer {
					t.Fatalf("got %v %v, accept %v", m, err, acceptErr)
				}
				c.Close()
				return
			}
			if r, ok := m.(Refused); !ok || r.Reason != test.reason || r.Detail == "" {
				t.Errorf("got %v %v, want a refusal for the %s", m, err, test.reason)
			}
		})
	}
}

func TestDialDoesNotTrustTheGreeting(t *testing.T) {
	for name, answer := range map[string][]byte{
		"a version not offered": frame(2, []byte(`{"Version":7}`)),
		"a command":             frame(32, []byte(`{}`)),
		"its own words":         frame(1, []byte(`{}`)),
		"nothing":               nil,
	} {
		t.Run(name, func(t *testing.T) {
			path := socket(t)
			l, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			var wg sync.WaitGroup
			defer wg.Wait()
			wg.Go(func() {
				if nc, err := l.Accept(); err == nil {
					defer nc.Close()
					readFrame(nc, Line)
					nc.Write(answer)
				}
			})
			if c, err := Dial(t.Context(), path, Hello{Line: "one"}); err == nil {
				c.Close()
				t.Error("the line took it for a welcome")
			}
		})
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	path := socket(t)
	l, err := net.Listen("unix", path) // accepts, as the kernel does, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		if nc, err := l.Accept(); err == nil {
			readFrame(nc, Line)
			cancel()
			nc.Read(make([]byte, 1)) // until Dial gives up
			nc.Close()
		}
	})
	if _, err := Dial(ctx, path, Hello{Line: "one"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := Dial(t.Context(), filepath.Join(filepath.Dir(path), "none"), Hello{Line: "one"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a socket: %v", err)
	}
}

func TestListenAgain(t *testing.T) {
	path := socket(t)
	ln := listening(t, path)
	if _, err := Listen(path, ln.log, nil); !errors.Is(err, ErrInUse) {
		t.Errorf("beside a live one: %v", err)
	}
	if c, err := Dial(t.Context(), path, Hello{Line: "one"}); err != nil {
		t.Errorf("the live one was hurt: %v", err)
	} else {
		c.Close()
	}
	ln.l.SetUnlinkOnClose(false) // as after kill -9
	ln.Close()
	listening(t, path).Close()

	if err := os.WriteFile(path, []byte("somebody's"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path, ln.log, nil); err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("over a file: %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "somebody's" {
		t.Errorf("the file in the way is %q (%v)", content, err)
	}
	if _, err := Listen(filepath.Join(filepath.Dir(path), "none", "line.sock"), ln.log, nil); err == nil || !strings.Contains(err.Error(), "create the folder") {
		t.Errorf("without a folder: %v", err)
	}
}

// TestSlowGreeterHoldsUpNobody: one peer connects and says nothing, and still others are greeted, and Close
// returns.
func TestSlowGreeterHoldsUpNobody(t *testing.T) {
	path := socket(t)
	ln := listening(t, path)
	silent, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	line, err := Dial(t.Context(), path, Hello{Line: "two"})
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	c, err := ln.Accept()
	if err != nil || c.Hello().Line != "two" {
		t.Fatalf("accept: %v", err)
	}
	c.Close()
	ln.Close()
}

// A peer who has closed the connection may have said why. That a message to him failed, with others of ours
// still unread, doesn't take his last words away.
func TestLastWordsAreHeard(t *testing.T) {
	path := socket(t)
	ln := listening(t, path)
	line, err := Dial(t.Context(), path, Hello{Line: "one"})
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	daemon, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := line.Send(Call{Edge: "call_began"}); err != nil {
		t.Fatal(err)
	}
	why := Refused{Reason: ReasonLine, Detail: "has a process already"}
	if err := errors.Join(daemon.Send(why), daemon.Close()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := line.Send(Call{Edge: "call_ended"}); err == nil {
			t.Error("sent to a peer who is gone")
		}
	}
	if _, _, err := line.Receive(); err != why {
		t.Errorf("got %v, want the refusal", err)
	}
	if _, _, err := line.Receive(); err == nil {
		t.Error("the connection doesn't end")
	}
}
