package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/store/powercut"
)

// openAndClose names the folder in which this process, started by TestPowerCutWhileOpening, opens a store, writes, and closes it, twice.
const openAndClose = "FLATTONE_TEST_OPEN"

// openRepeatedly says what it fails of.
func openRepeatedly(dir string) {
	for n := range 4 {
		if err := openOnce(dir, n); err != nil {
			fmt.Println(err)
		}
	}
}

// openOnce writes a row if n is even, and says so.
func openOnce(dir string, n int) error {
	db, err := Open(context.Background(), Config{Dir: filepath.Join(dir, "state")})
	if err != nil {
		return err
	}
	if n%2 == 0 {
		err = db.Write(context.Background(), func(tx *Tx) error { return add(tx, n) })
		fmt.Println("written")
	}
	return errors.Join(err, db.Close())
}

// TestPowerCutWhileOpening ends the power at every moment of a store's first start, of its end, and of starts after that: those are when files are made
// and removed, and the mark is changed. It must open, with every row that was acknowledged.
func TestPowerCutWhileOpening(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	recorded := t.TempDir()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), openAndClose+"="+recorded)
	trace, err := powercut.Record(t.Context(), recorded, cmd)
	if err != nil {
		t.Fatal(err)
	}
	if said := trace.Said(trace.Moments()); said != "written\nwritten\n" {
		t.Fatalf("it said %q", said)
	}
	every := 1
	if testing.Short() {
		every = 10
	}
	for moment := 0; moment <= trace.Moments(); moment += every {
		dir := t.TempDir()
		if err := trace.Cut(moment, rand.New(rand.NewPCG(uint64(moment), 0)), dir); err != nil {
			t.Fatal(err)
		}
		db, err := Open(t.Context(), Config{Dir: filepath.Join(dir, "state")})
		if err != nil {
			t.Errorf("moment %d of %d: %v", moment, trace.Moments(), err)
			continue
		}
		if got, said := rows(t, db), strings.Count(trace.Said(moment), "written"); len(got) < said {
			t.Errorf("moment %d of %d: %d rows, %d were acknowledged", moment, trace.Moments(), len(got), said)
		}
		if err := errors.Join(db.Close(), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	}
}
