package control

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestListenTakesADeadDaemonsPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false) // as after kill -9
	dead.Close()
	l, err := listen(path, socketMode)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != fs.ModeSocket|socketMode {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err = listen(path, socketMode); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), path) {
		t.Errorf("a second daemon gets %v", err)
	}
}

// Everybody gets to the socket through a folder that is ours, and may not look around in it.
func TestEverybodyGetsThroughOurFolder(t *testing.T) {
	for mode, want := range map[fs.FileMode]fs.FileMode{0o750: 0o751, 0o700: 0o701, 0o755: 0o755} {
		dir := filepath.Join(t.TempDir(), "run")
		if err := errors.Join(os.Mkdir(dir, mode), os.Chmod(dir, mode)); err != nil {
			t.Fatal(err)
		}
		l, err := listen(filepath.Join(dir, "admin.sock"), socketMode)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != want {
			t.Errorf("a folder of mode %o became %v, %v; want %o", mode, info.Mode(), err, want)
		}
	}
}

func TestListenLeavesAloneWhatIsNoSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(path, socketMode); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("got %v", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "mine" {
		t.Error("the file was touched")
	}
	if _, err := listen(filepath.Join(path, "x"), socketMode); err == nil {
		t.Error("no error below a file")
	}
}

func TestUnreachableSaysWhatToDo(t *testing.T) {
	c := &Client{socket: "/run/x.sock"}
	for _, tc := range []struct {
		err        error
		code, says string
	}{
		{fs.ErrNotExist, CodeUnreachable, "is flattoned running?"},
		{syscall.ECONNREFUSED, CodeUnreachable, "start it again"},
		{syscall.EACCES, CodeDenied, "group flattone-admin"},
		{errors.New("odd"), CodeUnreachable, "log"},
	} {
		e := c.unreachable(tc.err)
		if e.Code != tc.code || !strings.Contains(e.Remedy, tc.says) || !strings.Contains(e.Text, c.socket) {
			t.Errorf("%v: %+v", tc.err, e)
		}
	}
}

func TestDialSaysWhatIsNoSocket(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		file: " is no socket", dir: " is no socket", filepath.Join(dir, strings.Repeat("x", 120)): "the system takes 107",
	} {
		_, err := Dial(path)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Code != CodeUnreachable || !strings.Contains(e.Text, path) || !strings.Contains(e.Text, says) || e.Remedy == "" {
			t.Errorf("%s: got %v, want that it says %q", path, err, says)
		}
	}
}

// A socket that was handed over is served as it is, and is there again for the next server.
func TestHandedSocketIsLeftAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	theirs, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		f, err := theirs.File()
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.FileListener(f)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		b := &scripted{Feed: NewFeed(), asked: make(chan string, 16)}
		s, err := New(Config{Socket: path, Roles: everything, Handed: l.(*net.UnixListener)}, Deps{Backend: b, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		if _, err := dial(t, path).Status(t.Context()); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if info, err := os.Lstat(path); err != nil || info.Mode() != fs.ModeSocket|0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	}
}
