package qemu

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flattone/flattone/e2e/shell"
	"github.com/flattone/flattone/hw/hwtest/child"
)

// machine is emulated whole: processor, Debian's kernel, sound cards (see .ci/qemu), serial ports that lead out of it, a USB adapter with one more, and
// a TPM. It has no network but its loopback.
//
//	off ──on──▶ runs ──off──▶ off
type machine struct {
	shell.Shell
	dir string
	// tpm is the folder of what its TPM remembers.
	tpm string
	agent
	cmd *exec.Cmd
	*child.Child
}

// newMachine is a machine that was just installed, and runs. When the test ends it is gone.
func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{dir: t.TempDir()}
	m.Shell = shell.Shell{T: t, Try: m.try, Patience: patience}
	if err := errors.Join(os.RemoveAll(m.share()), os.Mkdir(m.share(), 0o755)); err != nil {
		t.Fatal(err)
	}
	image, err := filepath.Abs(rig + "/disk")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", "raw", m.at("disk")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	m.insertTPM("tpm")
	m.on()
	t.Cleanup(func() {
		if m.Runs() {
			if t.Failed() {
				t.Logf("the journal ends:\n%s", m.Journal("--lines=200", "--unit=flattone*"))
			}
			m.off()
		}
	})
	return m
}

// at is a file beside its disk, and share a folder that the machine has as /share; it stays, for whoever wants to hear what was recorded.
func (m *machine) at(name string) string { return filepath.Join(m.dir, name) }
func (m *machine) share() string         { return rig + "/share" }

// insertTPM has it run with a TPM of that name from the next boot on, which is a new one unless it had it before.
func (m *machine) insertTPM(name string) {
	m.T.Helper()
	m.tpm = m.at(name)
	if err := os.MkdirAll(m.tpm, 0o700); err != nil {
		m.T.Fatal(err)
	}
}

// processor is the machine's. Where this one helps, it has two like it; but not within another virtual machine, where that may hang. Else it is emulated, and
// its time goes by what it does: an instruction takes 2 ns, however long the emulation of it takes, so that a busy host makes the machine slow, and its sound
// has no gaps for that.
func processor() []string {
	emulated := []string{"-accel", "tcg,thread=single", "-icount", "shift=1", "-smp", "1"}
	kvm, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return emulated
	}
	kvm.Close()
	if cpu, err := os.ReadFile("/proc/cpuinfo"); err != nil || bytes.Contains(cpu, []byte(" hypervisor ")) {
		return emulated
	}
	return []string{"-accel", "kvm", "-smp", "2"}
}

// on boots it, and waits until it can be told something.
func (m *machine) on() {
	m.T.Helper()
	m.spawn("swtpm", "socket", "--tpm2", "--tpmstate", "dir="+m.tpm, "--ctrl", "type=unixio,path="+m.at("tpm.sock"), "--flags", "startup-clear", "--terminate")
	soon(m.T, "the TPM answers", func() bool { _, err := os.Stat(m.at("tpm.sock")); return err == nil })
	os.Remove(m.at("agent.sock"))
	m.cmd, m.Child = m.spawn(append(append([]string{"qemu-system-x86_64"}, processor()...), "-M", "q35", "-cpu", "max", "-m", "1024", "-nodefaults", "-nic", "none",
		"-display", "none", "-no-reboot", "-kernel", rig+"/vmlinuz", "-initrd", rig+"/initrd", "-append", "console=ttyS0 quiet panic=-1 mitigations=off",
		"-drive", "if=virtio,format=qcow2,cache=unsafe,file="+m.at("disk"), "-virtfs", "local,mount_tag=share,security_model=none,path="+m.share(),
		"-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
		"-chardev", "socket,id=agent,server=on,wait=off,path="+m.at("agent.sock"), "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
		"-chardev", "file,id=console,append=on,path="+m.at("console"), "-serial", "chardev:console",
		"-chardev", "socket,id=ttyS1,server=on,wait=off,path="+m.at("ttyS1.sock"), "-serial", "chardev:ttyS1",
		"-chardev", "socket,id=ttyS2,server=on,wait=off,path="+m.at("ttyS2.sock"), "-serial", "chardev:ttyS2",
		"-chardev", "null,id=relay", "-device", "qemu-xhci,id=usb", "-device", "usb-serial,bus=usb.0,chardev=relay,always-plugged=on",
		"-trace", "usb_serial_handle_control", "-msg", "timestamp=on", "-D", m.at("trace"),
		"-chardev", "socket,id=tpm,path="+m.at("tpm.sock"), "-tpmdev", "emulator,id=tpm,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm")...)
	var err error
	soon(m.T, "the machine can be told something", func() bool {
		m.conn, err = net.Dial("unix", m.at("agent.sock"))
		return err == nil || !m.Runs()
	})
	if err == nil {
		m.in = bufio.NewReader(m.conn)
		err = m.wake(bootPatience)
	}
	if err != nil {
		m.T.Fatalf("the machine did not boot: %v\n%s", err, shell.Read(m.T, m.at("console")))
	}
}

// spawn starts a program that ends with this one.
func (m *machine) spawn(argv ...string) (*exec.Cmd, *child.Child) {
	m.T.Helper()
	out, err := os.OpenFile(m.at("console"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		m.T.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	c, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		m.T.Fatal(err)
	}
	return cmd, c
}

// off has it power off, and waits.
func (m *machine) off() {
	m.T.Helper()
	m.exec("/usr/bin/systemctl", "poweroff") // the answer may come too late
	select {
	case <-m.Gone():
	case <-time.After(bootPatience):
		m.T.Errorf("the machine does not power off within %v", bootPatience)
		m.cmd.Process.Kill()
		<-m.Gone()
	}
	m.conn.Close()
}

// try runs a command as one of its users, and says what it printed and how it ended.
func (m *machine) try(user string, argv ...string) (output string, code int) {
	m.T.Helper()
	run := []string{"/usr/bin/setpriv", "--reuid=" + user, "--regid=" + user, "--init-groups"}
	if user == shell.Console {
		run = append([]string{"/usr/bin/systemd-run", "--quiet", "--wait", "--pipe", "--collect", "--uid=root"}, shell.Session...)
	}
	output, code, err := m.exec(append(append(run, "--"), argv...)...)
	if err != nil {
		m.T.Fatalf("%s: %v", strings.Join(argv, " "), err)
	}
	return output, code
}

// put writes a file of root's into it.
func (m *machine) put(name string, content []byte, mode string) {
	m.T.Helper()
	if err := os.WriteFile(filepath.Join(m.share(), "put"), content, 0o600); err != nil {
		m.T.Fatal(err)
	}
	m.Run("install", "-D", "--mode="+mode, "/share/put", name)
}
