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

	"github.com/flattone/flattone/hw/hwtest/child"
)

// machine is a container that boots a real systemd, with a disk of its own over the image. It has no network but its loopback.
//
//	off ──on──▶ runs ──off, or it powers itself off──▶ off
type machine struct {
	t   *testing.T
	dir string
	// pid is that of its systemd as this process counts them, while it runs.
	pid          string
	cmd          *exec.Cmd
	*child.Child // what boots it
}

// newMachine is a machine that was just installed, and runs. When the test ends it is gone.
func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, dir: t.TempDir()}
	m.on()
	t.Cleanup(func() {
		if t.Failed() && m.Runs() {
			t.Logf("the journal ends:\n%s", m.journal("--lines=80", "--unit=flattone*"))
		}
		m.off()
	})
	return m
}

var leader = regexp.MustCompile(`X_NSPAWN_LEADER_PID=(\d+)`)

// on boots it, and waits until its systemd has started all there is to start.
func (m *machine) on() {
	m.t.Helper()
	at := filepath.Join(m.dir, "notify")
	os.Remove(at)
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: at, Net: "unixgram"})
	if err != nil {
		m.t.Fatal(err)
	}
	defer notify.Close()
	console, err := os.Create(filepath.Join(m.dir, "console"))
	if err != nil {
		m.t.Fatal(err)
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
			m.t.Fatalf("the machine did not boot: %v\n%s", err, read(m.t, console.Name()))
		}
		told = string(datagram[:n])
		if found := leader.FindStringSubmatch(told); found != nil {
			m.pid = found[1]
		}
	}
}

// spawn starts what boots it.
func (m *machine) spawn(notify string, console io.Writer) {
	m.t.Helper()
	m.cmd = exec.Command("../../.ci/box", "boot", m.dir)
	m.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+notify)
	m.cmd.Stdout, m.cmd.Stderr = console, console
	var err error
	if m.Child, err = child.Start(m.cmd, syscall.SIGTERM); err != nil {
		m.t.Fatal(err)
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
		m.t.Errorf("the machine does not power off within %v", patience)
		syscall.Kill(-m.cmd.Process.Pid, syscall.SIGKILL)
		<-m.Gone()
	}
}

// command is a command in the machine, by one of its users, as a transient unit of its systemd.
func (m *machine) command(user string, argv ...string) *exec.Cmd {
	run := []string{"--target", m.pid, "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
		"systemd-run", "--quiet", "--wait", "--pipe", "--collect"}
	if user == console {
		user = "root"
		run = append(run, "--property=PAMName=login", "--setenv=XDG_SESSION_TYPE=tty", "--setenv=XDG_SESSION_CLASS=user")
	}
	return exec.Command("nsenter", append(append(run, "--uid="+user, "--"), argv...)...)
}

// console is root, whom login(1) has let in at the machine itself. Whoever else runs a command here has no session.
const console = "console"

// try runs a command, and says what it printed and how it ended.
func (m *machine) try(user string, argv ...string) (output string, code int) {
	m.t.Helper()
	out, err := m.command(user, argv...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.t.Fatal(err)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return string(out), code
}

// run runs a command that must succeed, as root.
func (m *machine) run(argv ...string) string { m.t.Helper(); return m.runAs("root", argv...) }

func (m *machine) runAs(user string, argv ...string) string {
	m.t.Helper()
	out, code := m.try(user, argv...)
	if code != 0 {
		m.t.Fatalf("%s as %s ended with %d:\n%s", strings.Join(argv, " "), user, code, out)
	}
	return out
}

// put writes a file of root's into it.
func (m *machine) put(name string, content []byte, mode string) {
	m.t.Helper()
	cmd := m.command("root", "install", "-D", "--mode="+mode, "/dev/stdin", name)
	cmd.Stdin = bytes.NewReader(content)
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("write %s: %v\n%s", name, err, out)
	}
}

// journal is what journalctl says.
func (m *machine) journal(args ...string) string {
	m.t.Helper()
	return m.run(append([]string{"journalctl", "--no-pager", "--quiet"}, args...)...)
}

// active are the box's units that run, or are about to end.
func (m *machine) active() string {
	m.t.Helper()
	return m.run("systemctl", "list-units", "--plain", "--no-legend", "--state=active,deactivating", "flattone*")
}

// property is one of a unit, as systemd has it.
func (m *machine) property(unit, name string) string {
	m.t.Helper()
	return strings.TrimSpace(m.run("systemctl", "show", "--value", "--property="+name, unit))
}
