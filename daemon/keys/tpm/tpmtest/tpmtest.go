// Package tpmtest runs TPMs for tests: swtpm, which is TCG's reference code, each with a state of its own, at a unix socket. It exists because a TPM can't
// be pretended: what it refuses is what is tested. It must never end a process that it didn't start, nor touch this machine's TPM.
package tpmtest

import (
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"
)

// Start starts a new TPM, into which a machine has been measured, and returns its socket. It ends with the test.
func Start(t testing.TB) (socket string) {
	t.Helper()
	dir := t.TempDir()
	socket = filepath.Join(dir, "tpm.sock")
	swtpm := exec.Command("swtpm", "socket", "--tpm2", "--tpmstate", "dir="+dir, "--server", "type=unixio,path="+socket, "--flags", "not-need-init,startup-clear")
	swtpm.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := swtpm.Start(); err != nil {
		t.Fatalf("%v: apt-get install swtpm", err)
	}
	t.Cleanup(func() {
		swtpm.Process.Kill()
		swtpm.Wait()
	})
	for start := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		err := measure(socket, "the firmware of this machine")
		if err == nil {
			return socket
		}
		if time.Since(start) > time.Minute {
			t.Fatalf("swtpm doesn't come: %v", err)
		}
	}
}

// Boot measures something else into the register of secure boot, as another firmware would.
func Boot(t testing.TB, socket, what string) {
	t.Helper()
	if err := measure(socket, what); err != nil {
		t.Fatal(err)
	}
}

func measure(socket, what string) error {
	t, err := linuxudstpm.Open(socket)
	if err != nil {
		return err
	}
	defer t.Close()
	_, err = tpm2.PCREvent{
		PCRHandle: tpm2.AuthHandle{Handle: 7, Auth: tpm2.PasswordAuth(nil)},
		EventData: tpm2.TPM2BEvent{Buffer: []byte(what)},
	}.Execute(t)
	return err
}
