package vault

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/flattone/flattone/daemon/store/storetest"
)

var kills = flag.Int("kills", 20, "how many times TestKill kills the process under load")

// loadUntilKilled names the folder in which this process, started by TestKill, works until it is killed.
const loadUntilKilled = "FLATTONE_TEST_LOAD"

// loadForever looks whether all that was left to it is whole, and then works.
func loadForever(dir string) {
	r, err := openRig(context.Background(), dir)
	if err == nil {
		_, err = r.whole(context.Background())
	}
	if err == nil {
		_, err = r.audit.Verify(context.Background())
	}
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	r.load(context.Background(), os.Stdout, fmt.Sprint(os.Getpid()), math.MaxInt)
}

// TestKill kills a process that seals, uses and shreds cards and rotates its key, time and again over the same folder, with the real signal. Whatever it leaves
// is whole and the audit log verifies, each time; and every token that it acknowledged is there exactly once, with its outbox and audit rows, and opens, unless it
// was shredded.
func TestKill(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := storetest.At(filepath.Join(dir, "state")); err != nil { // before the process that is killed asks
		t.Fatal(err)
	}
	said := acknowledged{}
	for round := range *kills {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), loadUntilKilled+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for left := 1 + rand.N(40); left > 0 && lines.Scan(); left-- {
			said.keep(t, lines.Text())
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // said before it died
			said.keep(t, lines.Text())
		}
		cmd.Wait()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
			t.Fatalf("round %d: ended by itself: %v", round, cmd.ProcessState)
		}
	}
	if len(said) < *kills {
		t.Fatalf("only %d tokens were acknowledged in %d rounds", len(said), *kills)
	}
	r, err := openRig(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if err := r.holds(t.Context(), said); err != nil {
		t.Error(err)
	}
}
