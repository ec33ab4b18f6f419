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
	"testing"

	"github.com/flattone/flattone/daemon/store/powercut"
	"github.com/flattone/flattone/daemon/store/storetest"
)

var powerCuts = flag.Int("power-cuts", 10, "how many power cuts TestPowerCut simulates")

// loadInRounds names the folder in which this process, started by TestPowerCut, opens a vault, works, and closes it, twice.
const loadInRounds = "FLATTONE_TEST_LOAD_ROUNDS"

func loadRounds(dir string) error {
	for round := range 2 {
		r, err := openRig(context.Background(), dir)
		if err != nil {
			return err
		}
		r.load(context.Background(), os.Stdout, fmt.Sprint(round), 40)
		r.close()
	}
	return nil
}

// TestPowerCut ends the power at random moments of a process that seals, uses and shreds cards and rotates its key, and opens what the disk then holds. Every token
// that was acknowledged before must be there exactly once, with its outbox and audit rows, and open unless it was shredded. The same on a disk that ignores
// flushes must fail, or the test could find nothing.
func TestPowerCut(t *testing.T) {
	storetest.OnlySQLite(t, "PostgreSQL writes to the disk itself: what it does in a power cut is its own affair, with fsync and full_page_writes on, or it is refused")
	trace := recordLoad(t)
	broken := func(trace *powercut.Trace, seed uint64) error {
		r := rand.New(rand.NewPCG(seed, 0))
		moment := r.IntN(trace.Moments() + 1)
		said := acknowledged{}
		for lines := bufio.NewScanner(strings.NewReader(trace.Said(moment))); lines.Scan(); {
			said.keep(t, lines.Text())
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
		if err := after.holds(t.Context(), said); err != nil {
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

func recordLoad(t *testing.T) *powercut.Trace {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), loadInRounds+"="+dir)
	trace, err := powercut.Record(t.Context(), dir, cmd)
	if err != nil {
		t.Fatal(err)
	}
	return trace
}
