// Package hosttest is a machine for tests of what speaks to systemd: a bus of its own, and a systemd on it that can be broken.
//
// It exists for what a real systemd can't be made to show at will: that it is away, that it refuses, that it gives up on a unit. The bus is the real dbus-daemon,
// and a unit's processes are real ones; what a real systemd does with the real units is tested in a booted one (e2e/box).
package hosttest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/godbus/dbus/v5"
)

// busConfig lets everybody say and be everything.
const busConfig = `<busconfig><type>system</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>`

// SystemBus is a bus that can be lost.
type SystemBus struct {
	t      *testing.T
	file   string
	daemon *exec.Cmd
}

// Bus starts a bus, which is this process's system bus until the test ends.
func Bus(t *testing.T) *SystemBus {
	t.Helper()
	dir, err := os.MkdirTemp("", "bus") // short enough for a socket's address
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	file, socket := filepath.Join(dir, "conf"), filepath.Join(dir, "bus")
	if err := os.WriteFile(file, fmt.Appendf(nil, busConfig, socket), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+socket)
	b := &SystemBus{t: t, file: file}
	b.Up()
	t.Cleanup(b.Down)
	return b
}

// Up starts it again after Down, with nobody on it.
func (b *SystemBus) Up() {
	b.t.Helper()
	b.daemon = exec.Command("dbus-daemon", "--config-file="+b.file, "--nofork", "--nopidfile", "--print-address")
	b.daemon.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test that panics cleans nothing up
	b.daemon.Stderr = os.Stderr
	out, err := b.daemon.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.daemon.Start(); err != nil {
		b.t.Fatalf("%v; install dbus-daemon", err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		b.t.Fatalf("dbus-daemon doesn't start: %v", err)
	}
}

// Down ends it, and every connection to it.
func (b *SystemBus) Down() {
	if b.daemon != nil {
		b.daemon.Process.Kill()
		b.daemon.Wait() // says that it was killed
		b.daemon = nil
	}
}

// Connect is a connection to the bus under a well-known name.
func Connect(t *testing.T, name string) *dbus.Conn {
	t.Helper()
	conn, err := dbus.ConnectSystemBus()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if reply, err := conn.RequestName(name, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("be %s: %v, %v", name, reply, err)
	}
	return conn
}
