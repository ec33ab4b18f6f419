package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// TestTwoBoxesWriteAtOnce: what one reads before it writes stays true, though another writes the same.
func TestTwoBoxesWriteAtOnce(t *testing.T) {
	t.Parallel()
	cfg := onPostgres(t, "one")
	other := Config{Dir: t.TempDir(), Postgres: Postgres{Where: cfg.Postgres.Where, Box: "other"}}
	var wg sync.WaitGroup
	const each = 50
	for _, db := range []*DB{openAs(t, cfg), openAs(t, other)} {
		for range 4 {
			wg.Go(func() {
				for range each {
					if err := db.Write(t.Context(), func(tx *Tx) error { _, err := appendRow(tx); return err }); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	wg.Wait()
	got := rows(t, openAs(t, Config{Dir: t.TempDir(), Postgres: Postgres{Where: cfg.Postgres.Where, Box: "reader"}}))
	if len(got) != 8*each || got[len(got)-1] != 8*each-1 {
		t.Errorf("%d rows, want %d", len(got), 8*each)
	}
}

// appendRow reads where the table ends and writes there, as the audit log does.
func appendRow(tx *Tx) (next int, err error) {
	if err := tx.One([]any{&next}, "SELECT COALESCE(MAX(seq) + 1, 0) FROM audit_entry"); err != nil {
		return 0, err
	}
	return next, add(tx, next)
}

// writeAsBox is the database that this process, started by TestOneOfTwoBoxesIsKilled, writes to until it is killed; beside it, its folder and its name.
const (
	writeAsBox = "FLATTONE_TEST_BOX"
	boxFolder  = "FLATTONE_TEST_BOX_FOLDER"
	boxName    = "killed"
)

// writeUntilKilled says each row once it is acknowledged.
func writeUntilKilled(where string) {
	ctx := context.Background()
	db, err := Open(ctx, Config{Dir: os.Getenv(boxFolder), Postgres: Postgres{Where: where, Box: boxName}})
	for err == nil {
		var row int
		err = db.Write(ctx, func(tx *Tx) (err error) {
			row, err = appendRow(tx)
			return err
		})
		if err == nil {
			fmt.Println(row)
		}
	}
	fmt.Println(err)
}

// TestOneOfTwoBoxesIsKilled, again and again in the middle of what it writes: the other goes on, nothing that either was told is lost, and whoever comes
// back under the name can.
func TestOneOfTwoBoxesIsKilled(t *testing.T) {
	t.Parallel()
	cfg := onPostgres(t, "stays")
	db, dir := openAs(t, cfg), filepath.Join(t.TempDir(), "state")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var told []int
	write := func() {
		var row int
		err := db.Write(t.Context(), func(tx *Tx) (err error) {
			row, err = appendRow(tx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, row)
	}
	for range 3 {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), writeAsBox+"="+cfg.Postgres.Where, boxFolder+"="+dir)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			row, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Fatalf("the other box says %q", lines.Text())
			}
			told = append(told, row)
			if write(); n == 10 {
				cmd.Process.Kill() // and what it said until then is still read
			}
		}
		cmd.Wait()
		write()
	}
	got := rows(t, db)
	for _, row := range told {
		if !slices.Contains(got, row) {
			t.Errorf("row %d was acknowledged and is lost", row)
		}
	}
	slices.Sort(told)
	if n := len(slices.Compact(told)); n != len(told) || len(got) < n || len(got) > n+3 || got[len(got)-1] != len(got)-1 {
		t.Errorf("%d rows up to %d: %d were told, of which %d apart", len(got), got[len(got)-1], len(told), n)
	}
}
