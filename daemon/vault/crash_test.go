package vault

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/flattone/flattone/daemon/store"
)

// sealUntilKilled names the folder in which this process, started by TestKill, seals until it is killed.
const sealUntilKilled = "FLATTONE_TEST_SEAL"

// sealForever seals from four goroutines and says so, a line for each token, once it is acknowledged.
func sealForever(dir string) {
	r, err := openRig(context.Background(), dir)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%d-%d-%d", os.Getpid(), worker, n)
				token, err := r.seal(visa(id))
				mu.Lock()
				fmt.Println(id, token, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// TestKill kills a process in the middle of sealing, 20 times over the same folder, with the real signal.
// Every token that it acknowledged must be there exactly once, with its outbox and audit rows, and open.
func TestKill(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	acknowledged := map[string]string{}
	for round := range 20 {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), sealUntilKilled+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for left := 1 + rand.N(40); left > 0 && lines.Scan(); left-- {
			keep(t, acknowledged, lines.Text())
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // said before it died
			keep(t, acknowledged, lines.Text())
		}
		cmd.Wait()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
			t.Fatalf("round %d: ended by itself: %v", round, cmd.ProcessState)
		}
	}
	if len(acknowledged) < 20 {
		t.Fatalf("only %d tokens were acknowledged in 20 rounds", len(acknowledged))
	}
	r, err := openRig(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	r.holds(t, acknowledged)
}

// keep takes a line "capture token error".
func keep(t *testing.T, acknowledged map[string]string, line string) {
	t.Helper()
	f := strings.SplitN(line, " ", 3)
	if len(f) != 3 || f[2] != "<nil>" || !strings.HasPrefix(f[1], "tok_") {
		t.Fatalf("the sealing process said %q", line)
	}
	acknowledged[f[0]] = f[1]
}

// holds compares the vault with what was acknowledged.
func (r *rig) holds(t *testing.T, acknowledged map[string]string) {
	t.Helper()
	if got := r.rows(t); got[0] != got[1] || got[0] != got[2] || got[0] < len(acknowledged) {
		t.Errorf("rows of card, outbox, audit %v for %d acknowledged tokens", got, len(acknowledged))
	}
	for id, token := range acknowledged {
		var found string
		var count int
		err := r.db.Read(t.Context(), func(tx *store.Tx) error {
			return tx.One([]any{&found, &count}, "SELECT MIN(token), COUNT(*) FROM card WHERE capture = $1", captureID(id))
		})
		if err != nil || found != token || count != 1 {
			t.Errorf("capture %s: %d rows, want the one that was acknowledged (%v)", id, count, err)
			continue
		}
		if again := r.mustSeal(t, visa(id)); again != token {
			t.Errorf("capture %s: resent after the crash, it got another token", id)
		}
		if err := r.reveals(t, token, visa(id)); err != nil {
			t.Errorf("capture %s: %v", id, err)
		}
	}
	if _, err := r.audit.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
