package control

import (
	"errors"
	"io/fs"
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
	l, err := listen(path, policy{group: uint32(os.Getgid()), hasGroup: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != fs.ModeSocket|socketMode {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err = listen(path, policy{}); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), path) {
		t.Errorf("a second daemon gets %v", err)
	}
}

func TestListenLeavesAloneWhatIsNoSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(path, policy{}); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("got %v", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "mine" {
		t.Error("the file was touched")
	}
	if _, err := listen(filepath.Join(path, "x"), policy{}); err == nil {
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
