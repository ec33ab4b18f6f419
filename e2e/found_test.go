package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/flattone/flattone/audio/locked/lockedtest"
	"github.com/flattone/flattone/hw/hwtest/child"
)

// keeper is what makes the test's program a process that only keeps what it reads; bare, one that becomes another, for which there is no secret memory.
const (
	keeper = "-keeps-what-it-reads"
	bare   = "-without-secret-memory"
)

// become makes the process another, if it was started as one. It comes first, while there is one thread: a death signal is that one's (see host.Harden).
func become() {
	if len(os.Args) < 2 {
		return
	}
	switch os.Args[1] {
	case keeper:
		kept, err := io.ReadAll(os.Stdin)
		fmt.Println(len(kept), err)
		select {}
	case provides:
		fmt.Fprintln(os.Stderr, provide(os.Args[2], os.Args[3], os.Args[4], os.Args[5]))
		os.Exit(1)
	case bare:
		err := lockedtest.RefuseSecretMemory(syscall.ENOSYS)
		if err == nil {
			err = syscall.Exec(os.Args[2], os.Args[2:], os.Environ())
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestTheHuntFindsWhatIsThere: each form of a number in a process and in a file, and nothing of one digit less.
func TestTheHuntFindsWhatIsThere(t *testing.T) {
	t.Parallel()
	pan, other, less := draw(1, 16), draw(2, 12), draw(3, 16)
	var all []byte
	for _, digits := range [][]byte{pan, other} {
		for _, form := range forms(digits) {
			all = append(append(all, 0xff), form...)
		}
	}
	all = append(append(append(all, 0xff), less[:partial-1]...), 0xff)
	planted := func() (all []*canary) {
		for what, digits := range map[string][]byte{"PAN": pan, "code": other} {
			for form, b := range forms(digits) {
				all = append(all, &canary{what: what + " as " + form, forms: map[string][]byte{form: b}})
			}
		}
		return append(all, newCanary("one digit less", less))
	}
	judge := func(where string, canaries []*canary) {
		for _, c := range canaries {
			if found := c.found > 0; found != (c.what != "one digit less") {
				t.Errorf("in %s: %s is found in %d places", where, c.what, c.found)
			}
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), all, 0o600); err != nil {
		t.Fatal(err)
	}
	inFile := planted()
	searchFiles(t, dir, inFile...)
	judge("a file", inFile)

	cmd := exec.Command(os.Args[0], keeper)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := child.Start(cmd, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	if _, err := in.Write(all); err != nil {
		t.Fatal(err)
	}
	in.Close()
	if said, err := bufio.NewReader(out).ReadString('\n'); err != nil || said != fmt.Sprintln(len(all), nil) {
		t.Fatalf("the process says %q, %v", said, err)
	}
	inMemory := planted()
	searchMemory(t, cmd.Process.Pid, inMemory...)
	judge("memory", inMemory)
}
