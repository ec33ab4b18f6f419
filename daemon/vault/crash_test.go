package vault

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
)

var kills = flag.Int("kills", 20, "how many times TestKill kills the process that seals")

// sealUntilKilled names the folder in which this process, started by TestKill, seals until it is killed.
const sealUntilKilled = "FLATTONE_TEST_SEAL"

// sealForever looks whether all that was left to it is whole, and then seals from four goroutines and says so, a line for each token, once it is
// acknowledged.
func sealForever(dir string) {
	r, err := openRig(context.Background(), dir)
	if err == nil {
		_, err = r.whole(context.Background())
	}
	if err == nil {
		_, err = r.audit.Verify(context.Background())
	}
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

// TestKill kills a process in the middle of sealing, time and again over the same folder, with the real signal.
// Whatever it leaves is whole and the audit log verifies, each time; and every token that it acknowledged is there
// exactly once, with its outbox and audit rows, and opens.
func TestKill(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	acknowledged := map[string]string{}
	for round := range *kills {
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
	if len(acknowledged) < *kills {
		t.Fatalf("only %d tokens were acknowledged in %d rounds", len(acknowledged), *kills)
	}
	r, err := openRig(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if err := r.holds(t.Context(), acknowledged); err != nil {
		t.Error(err)
	}
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

// holds compares the vault with what was acknowledged. What wasn't is there whole or not at all.
func (r *rig) holds(ctx context.Context, acknowledged map[string]string) error {
	var wrong []error
	failed := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	cards, err := r.whole(ctx)
	if err != nil || cards < len(acknowledged) {
		failed("%d cards, %d acknowledged (%w)", cards, len(acknowledged), err)
	}
	for id, token := range acknowledged {
		s, found := visa(id), ""
		if err := r.db.Read(ctx, func(tx *store.Tx) error {
			return tx.One([]any{&found}, "SELECT token FROM card WHERE capture = $1", s.ID)
		}); err != nil || found != token {
			failed("capture %s: %q, want the token that was acknowledged (%v)", id, found, err)
			continue
		}
		if again, err := r.seal(s); err != nil || again != token {
			failed("capture %s: resent, it got another token (%v)", id, err)
		}
		err := r.vault.Use(ctx, charge(token), func(c *secret.Card) error {
			if string(c.PAN.Reveal()) != s.pan || string(c.Expiry.Reveal()) != s.expiry || c.CVV.Len() != 0 {
				failed("capture %s: another card", id)
			}
			return nil
		})
		if err != nil {
			failed("capture %s: %w", id, err)
		}
	}
	if _, err := r.audit.Verify(ctx); err != nil {
		failed("%w", err)
	}
	return errors.Join(wrong...)
}

// whole counts the cards, each of which must have one outbox row and one audit entry, and neither without a card.
func (r *rig) whole(ctx context.Context) (cards int, err error) {
	parts := map[string][3]int{} // of each capture
	count := func(tx *store.Tx, part int, query string) error {
		return tx.Each(func(scan func(...any) error) error {
			var capture string
			err := scan(&capture)
			n := parts[capture]
			n[part]++
			parts[capture] = n
			return err
		}, query)
	}
	err = r.db.Read(ctx, func(tx *store.Tx) error {
		return errors.Join(count(tx, 0, "SELECT capture FROM card"), count(tx, 1, "SELECT stream FROM outbox"),
			count(tx, 2, `SELECT SUBSTR(body ->> 'origin', LENGTH('capture ') + 1) FROM audit_entry WHERE body ->> 'action' = 'card.sealed'`))
	})
	for capture, n := range parts {
		if n != [3]int{1, 1, 1} {
			err = errors.Join(err, fmt.Errorf("capture %s: %d cards, outbox rows, audit entries", capture, n))
		}
	}
	return len(parts), err
}
