package vault

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/flattone/flattone/daemon/store/powercut"
)

var powerCuts = flag.Int("power-cuts", 10, "how many power cuts TestPowerCut simulates")

// sealInRounds names the folder in which this process, started by TestPowerCut, opens a vault, seals, and closes it, some times over.
const sealInRounds = "FLATTONE_TEST_SEAL_ROUNDS"

// sealRounds seals from four goroutines, and says so, a line for each token, once it is acknowledged. It is enough for the log to be brought into the
// database more than once.
func sealRounds(dir string) error {
	for round := range 2 {
		r, err := openRig(context.Background(), dir)
		if err != nil {
			return err
		}
		var wg sync.WaitGroup
		for worker := range 4 {
			wg.Go(func() {
				for n := range 60 {
					id := fmt.Sprintf("%d-%d-%d", round, worker, n)
					token, err := r.seal(visa(id))
					fmt.Printf("%s %s %v\n", id, token, err)
				}
			})
		}
		wg.Wait()
		r.close()
	}
	return nil
}

// TestPowerCut ends the power at random moments of a process that seals, and opens what the disk then holds. Every token that was acknowledged before must
// be there exactly once, with its outbox and audit rows, and open. The same on a disk that ignores flushes must fail, or the test could find nothing.
func TestPowerCut(t *testing.T) {
	trace := recordSealing(t)
	broken := func(trace *powercut.Trace, seed uint64) error {
		r := rand.New(rand.NewPCG(seed, 0))
		moment := r.IntN(trace.Moments() + 1)
		acknowledged := map[string]string{}
		for lines := bufio.NewScanner(strings.NewReader(trace.Said(moment))); lines.Scan(); {
			keep(t, acknowledged, lines.Text())
		}
		dir := t.TempDir()
		defer os.RemoveAll(dir)
		if err := trace.Cut(moment, r, dir); err != nil {
			t.Fatal(err)
		}
		after, err := openRig(t.Context(), dir)
		if err != nil {
			return fmt.Errorf("moment %d of %d: it doesn't start: %w", moment, trace.Moments(), err)
		}
		defer after.close()
		if err := after.holds(t.Context(), acknowledged); err != nil {
			return fmt.Errorf("moment %d of %d: %w", moment, trace.Moments(), err)
		}
		return nil
	}
	cuts := *powerCuts
	if testing.Short() {
		cuts = 2
	}
	for seed := range uint64(cuts) {
		if err := broken(trace, seed); err != nil {
			t.Errorf("cut %d: %v", seed, err)
		}
	}
	for seed := range uint64(20) {
		if broken(trace.Unflushed(), seed) != nil {
			return
		}
	}
	t.Error("20 cuts on a disk that flushes nothing, and nothing was missed")
}

func recordSealing(t *testing.T) *powercut.Trace {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), sealInRounds+"="+dir)
	trace, err := powercut.Record(t.Context(), dir, cmd)
	if err != nil {
		t.Fatal(err)
	}
	return trace
}
