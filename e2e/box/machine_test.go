package box

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flattone/flattone/e2e/shell"
	"github.com/flattone/flattone/hw/hwtest/child"
)

// machine is a container that boots a real systemd, with a disk of its own over the image. It has no network but its loopback.
//
//	off ──on──▶ runs ──off, or it powers itself off──▶ off
type machine struct {
	shell.Shell
	dir string
	// pid is that of its systemd as this process counts them, while it runs.
	pid          string
	cmd          *exec.Cmd
	*child.Child // what boots it
}

// newMachine is a machine that was just installed, and runs. When the test ends it is gone.
func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{dir: t.TempDir()}
	m.Shell = shell.Shell{T: t, Try: m.try, Patience: patience}
	m.on()
	t.Cleanup(func() {
		if t.Failed() && m.Runs() {
			t.Logf("the journal ends:\n%s", m.Journal("--lines=30", "--unit=flattone*"))
		}
		m.off()
	})
	return m
}

var leader = regexp.MustCompile(`X_NSPAWN_LEADER_PID=(\d+)`)

// on boots it, and waits until its systemd has started all there is to start.
func (m *machine) on() {
	m.T.Helper()
	at := filepath.Join(m.dir, "notify")
	os.Remove(at)
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: at, Net: "unixgram"})
	if err != nil {
		m.T.Fatal(err)
	}
	defer notify.Close()
	console, err := os.Create(filepath.Join(m.dir, "console"))
	if err != nil {
		m.T.Fatal(err)
	}
	defer console.Close()
	m.spawn(at, console)
	go func() { <-m.Gone(); notify.Close() }() // nobody will tell any more
	notify.SetReadDeadline(time.Now().Add(patience))
	for told := ""; !strings.Contains(told, "Container running: Ready"); {
		var datagram [4096]byte
		n, err := notify.Read(datagram[:])
		if err != nil {
			m.off()
			m.T.Fatalf("the machine did not boot: %v\n%s", err, shell.Read(m.T, console.Name()))
		}
		told = string(datagram[:n])
		if found := leader.FindStringSubmatch(told); found != nil {
			m.pid = found[1]
		}
	}
}

// spawn starts what boots it.
func (m *machine) spawn(notify string, console io.Writer) {
	m.T.Helper()
	m.cmd = exec.Command("../../.ci/box", "boot", m.dir)
	m.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+notify)
	m.cmd.Stdout, m.cmd.Stderr = console, console
	var err error
	if m.Child, err = child.Start(m.cmd, syscall.SIGTERM); err != nil {
		m.T.Fatal(err)
	}
}

// off has it power off, as the button does where nobody is asked, and waits.
func (m *machine) off() {
	m.cmd.Process.Signal(syscall.SIGTERM)
	m.awaitOff()
}

// awaitOff waits until it has powered off by itself.
func (m *machine) awaitOff() {
	select {
	case <-m.Gone():
	case <-time.After(patience):
		m.T.Errorf("the machine does not power off within %v", patience)
		syscall.Kill(-m.cmd.Process.Pid, syscall.SIGKILL)
		<-m.Gone()
	}
}

// command is a command in the machine, by one of its users, as a transient unit of its systemd.
func (m *machine) command(user string, argv ...string) *exec.Cmd {
	run := []string{"--target", m.pid, "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
		"systemd-run", "--quiet", "--wait", "--pipe", "--collect"}
	if user == shell.Console {
		user = "root"
		run = append(run, shell.Session...)
	}
	return exec.Command("nsenter", append(append(run, "--uid="+user, "--"), argv...)...)
}

// try runs a command, and says what it printed and how it ended.
func (m *machine) try(user string, argv ...string) (output string, code int) {
	m.T.Helper()
	out, err := m.command(user, argv...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.T.Fatal(err)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return string(out), code
}

// put writes a file of root's into it.
func (m *machine) put(name string, content []byte, mode string) {
	m.T.Helper()
	cmd := m.command("root", "install", "-D", "--mode="+mode, "/dev/stdin", name)
	cmd.Stdin = bytes.NewReader(content)
	if out, err := cmd.CombinedOutput(); err != nil {
		m.T.Fatalf("write %s: %v\n%s", name, err, out)
	}
}

// active are the box's units that run, or are about to end.
func (m *machine) active() string {
	m.T.Helper()
	return m.Run("systemctl", "list-units", "--plain", "--no-legend", "--state=active,deactivating", "flattone*")
}
