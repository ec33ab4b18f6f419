package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/store/storetest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(openAndClose); dir != "" {
		openRepeatedly(dir)
		os.Exit(0)
	}
	if where := os.Getenv(writeAsBox); where != "" {
		writeUntilKilled(where)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// open opens a store in dir and closes it with the test.
func open(t testing.TB, dir string) *DB {
	t.Helper()
	return openAs(t, Config{Dir: dir})
}

func openAs(t testing.TB, cfg Config) *DB {
	t.Helper()
	os.Chmod(cfg.Dir, 0o700) // [testing.TB.TempDir] lets others in
	db, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// both runs a test on each engine: what a store promises it promises of both.
func both(t *testing.T, test func(t *testing.T, cfg Config)) {
	t.Run("SQLite", func(t *testing.T) { test(t, Config{Dir: t.TempDir()}) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, onPostgres(t, "box")) })
}

func onPostgres(t testing.TB, box string) Config {
	return Config{Dir: t.TempDir(), Postgres: Postgres{Where: storetest.Postgres(t), Box: box}}
}

// add writes a row that tells rows apart by n.
func add(tx *Tx, n int) error { return addOf(tx, n, 100) }

func addOf(tx *Tx, n, bytes int) error {
	_, err := tx.Exec("INSERT INTO audit_entry (box, seq, body, sig) VALUES ('test', $1, $2, $3)", n, make([]byte, bytes), make([]byte, 100))
	return err
}

func rows(t testing.TB, db *DB) (all []int) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *Tx) error {
		return tx.Each(func(scan func(...any) error) error {
			var n int
			err := scan(&n)
			all = append(all, n)
			return err
		}, "SELECT seq FROM audit_entry ORDER BY seq")
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWritesSurviveReopening(t *testing.T) { both(t, testWritesSurviveReopening) }

func testWritesSurviveReopening(t *testing.T, cfg Config) {
	db := openAs(t, cfg)
	for n := range 3 {
		if err := db.Write(t.Context(), func(tx *Tx) error { return add(tx, n) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(rows(t, openAs(t, cfg))); got != "[0 1 2]" {
		t.Errorf("rows %s after reopening, want [0 1 2]", got)
	}
}

// TestGroupCommit holds the writer up while others queue: they must share one transaction, and the failed
// one among them must take nothing but its own rows.
func TestGroupCommit(t *testing.T) {
	both(t, func(t *testing.T, cfg Config) {
		synctest.Test(t, func(t *testing.T) { testGroupCommit(t, cfg) })
	})
}

func testGroupCommit(t *testing.T, cfg Config) {
	db := openAs(t, cfg)
	ctx := t.Context()
	const others = 8
	refused := errors.New("refused")
	results := make([]error, others)
	shared := 0
	var wg sync.WaitGroup
	err := db.Write(ctx, func(tx *Tx) error {
		for n := range others {
			wg.Go(func() {
				results[n] = db.Write(ctx, func(tx *Tx) error {
					var uncommitted int
					if err := tx.One([]any{&uncommitted}, "SELECT COUNT(*) FROM audit_entry"); err != nil {
						return err
					}
					// What this transaction sees and no reader does was written by a neighbour in it.
					if uncommitted > len(rows(t, db)) {
						shared++
					}
					if err := add(tx, 1+n); err != nil {
						return err
					}
					if n == 3 {
						return refused
					}
					return nil
				})
			})
		}
		synctest.Wait() // until all of them queue
		return add(tx, 0)
	})
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	for n, err := range results {
		if want := n == 3; errors.Is(err, refused) != want || err != nil && !want {
			t.Errorf("write %d: %v", n, err)
		}
	}
	if got := fmt.Sprint(rows(t, db)); got != "[0 1 2 3 5 6 7 8]" {
		t.Errorf("rows %s: want all but 4", got)
	}
	if shared == 0 {
		t.Error("no write shared a transaction with another")
	}
}

// TestLostTransactionIsNobodysVerdict: if one request takes the whole transaction with it, its neighbours learn that,
// and not what was wrong with the one: a card may be refused for good by such a word.
func TestLostTransactionIsNobodysVerdict(t *testing.T) {
	both(t, func(t *testing.T, cfg Config) {
		synctest.Test(t, func(t *testing.T) { testLostTransaction(t, cfg) })
	})
}

func testLostTransaction(t *testing.T, cfg Config) {
	db := openAs(t, cfg)
	verdict := errors.New("refused for good")
	var spoiler error
	var wg sync.WaitGroup
	err := db.Write(t.Context(), func(tx *Tx) error {
		wg.Go(func() {
			spoiler = db.Write(t.Context(), func(tx *Tx) error {
				tx.Exec("RELEASE request") // there is nothing left to roll back to
				return verdict
			})
		})
		synctest.Wait() // until it queues, to share this transaction
		return add(tx, 1)
	})
	wg.Wait()
	if err == nil || errors.Is(err, verdict) {
		t.Errorf("the neighbour is told %v", err)
	}
	if !errors.Is(spoiler, verdict) {
		t.Errorf("the one that was refused is told %v", spoiler)
	}
	if got := rows(t, db); len(got) != 0 {
		t.Errorf("rows %v, want none", got)
	}
}

func TestAFailedStatementFailsItsTransaction(t *testing.T) {
	both(t, testAFailedStatementFailsItsTransaction)
}

func testAFailedStatementFailsItsTransaction(t *testing.T, cfg Config) {
	db := openAs(t, cfg)
	err := db.Write(t.Context(), func(tx *Tx) error {
		if err := add(tx, 1); err != nil {
			return err
		}
		tx.Exec("INSERT INTO no_such_table VALUES (1)")
		if err := add(tx, 2); err == nil {
			t.Error("a statement ran after a failed one")
		}
		tx.OnCommit(func() { t.Error("OnCommit of a failed transaction was called") })
		return nil
	})
	if err == nil {
		t.Error("a transaction with a failed statement was committed")
	}
	if got := rows(t, db); len(got) != 0 {
		t.Errorf("rows %v, want none", got)
	}
}

func TestOnCommitComesAfterTheCommit(t *testing.T) { both(t, testOnCommitComesAfterTheCommit) }

func testOnCommitComesAfterTheCommit(t *testing.T, cfg Config) {
	db := openAs(t, cfg)
	seen := 0
	err := db.Write(t.Context(), func(tx *Tx) error {
		tx.OnCommit(func() { seen = len(rows(t, db)) })
		return add(tx, 1)
	})
	if err != nil || seen != 1 {
		t.Errorf("OnCommit saw %d rows, want 1 (%v)", seen, err)
	}
}

func TestOneWithoutARow(t *testing.T) { both(t, testOneWithoutARow) }

func testOneWithoutARow(t *testing.T, cfg Config) {
	db := openAs(t, cfg)
	err := db.Write(t.Context(), func(tx *Tx) error {
		var n int
		if err := tx.One([]any{&n}, "SELECT seq FROM audit_entry"); !errors.Is(err, ErrNoRow) {
			t.Errorf("got %v, want ErrNoRow", err)
		}
		return add(tx, 1)
	})
	if err != nil {
		t.Errorf("a query without a row failed the transaction: %v", err)
	}
	var n int
	if err := db.One(t.Context(), []any{&n}, "SELECT seq FROM audit_entry WHERE seq = $1", 2); !errors.Is(err, ErrNoRow) {
		t.Errorf("by itself: got %v, want ErrNoRow", err)
	}
	if err := db.One(t.Context(), []any{&n}, "SELECT seq FROM audit_entry WHERE seq = $1", 1); err != nil || n != 1 {
		t.Errorf("by itself: got %d, %v", n, err)
	}
}

// TestFirstIsRefused: whoever is first in a transaction takes nothing of the others' with him, and leaves nothing in it.
func TestFirstIsRefused(t *testing.T) {
	both(t, func(t *testing.T, cfg Config) {
		synctest.Test(t, func(t *testing.T) { testFirstIsRefused(t, cfg) })
	})
}

func testFirstIsRefused(t *testing.T, cfg Config) {
	db := openAs(t, cfg)
	refused := errors.New("refused")
	var wg sync.WaitGroup
	err := db.Write(t.Context(), func(tx *Tx) error {
		for n := range 4 {
			wg.Go(func() {
				err := db.Write(t.Context(), func(tx *Tx) error {
					if err := add(tx, n); err != nil || n != 2 {
						return err
					}
					return refused
				})
				if errors.Is(err, refused) != (n == 2) || err != nil && n != 2 {
					t.Errorf("write %d: %v", n, err)
				}
			})
		}
		synctest.Wait() // until all of them queue
		return errors.Join(add(tx, 9), refused)
	})
	wg.Wait()
	if !errors.Is(err, refused) {
		t.Errorf("the first: %v", err)
	}
	if got := fmt.Sprint(rows(t, db)); got != "[0 1 3]" {
		t.Errorf("rows %s: want 0, 1 and 3", got)
	}
}

// TestValuesThatDoNotFit: what a row holds goes into what has room for it, or is an error; nothing is cut or made up.
func TestValuesThatDoNotFit(t *testing.T) { both(t, testValuesThatDoNotFit) }

func testValuesThatDoNotFit(t *testing.T, cfg Config) {
	db := openAs(t, cfg)
	type name string
	var (
		number int64
		small  int8
		yes    bool
		text   string
		named  name
		blob   []byte
	)
	for query, c := range map[string]struct {
		dest []any
		fits bool
	}{
		"SELECT COUNT(*) FROM audit_entry":             {[]any{&number}, true},
		"SELECT COUNT(*), COUNT(*) FROM audit_entry":   {[]any{&number}, false},
		"SELECT COUNT(*) + 300 FROM audit_entry":       {[]any{&small}, false},
		"SELECT COUNT(*) = 0 FROM audit_entry":         {[]any{&yes}, true},
		"SELECT box FROM audit_head":                   {[]any{&text}, true},
		"SELECT box FROM audit_head WHERE true":        {[]any{&named}, true},
		"SELECT box FROM audit_head WHERE size = 0":    {[]any{&number}, false},
		"SELECT edge FROM audit_head":                  {[]any{&blob}, true},
		"SELECT edge FROM audit_head WHERE size = 0":   {[]any{&number}, false},
		"SELECT NULL FROM audit_head":                  {[]any{&blob}, true},
		"SELECT MAX(size) FROM audit_head WHERE false": {[]any{&number}, false},
	} {
		err := db.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.Exec("INSERT INTO audit_head (box, size, edge) VALUES ('a', 0, $1) ON CONFLICT (box) DO NOTHING", []byte{})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.One(t.Context(), c.dest, query); (err == nil) != c.fits {
			t.Errorf("%s into a %T: %v, want it to fit: %t", query, c.dest[0], err, c.fits)
		}
	}
	if text != "a" || named != "a" || !yes || number != 0 || len(blob) != 0 {
		t.Errorf("read %q, %q, %t, %d and %d bytes", text, named, yes, number, len(blob))
	}
}

func TestReadersCannotWrite(t *testing.T) { both(t, testReadersCannotWrite) }

func testReadersCannotWrite(t *testing.T, cfg Config) {
	db := openAs(t, cfg)
	err := db.Read(t.Context(), func(tx *Tx) error { return add(tx, 1) })
	if !errors.Is(err, ErrReadOnly) {
		t.Errorf("got %v, want ErrReadOnly", err)
	}
}

func TestReadIsASnapshot(t *testing.T) { both(t, testReadIsASnapshot) }

func testReadIsASnapshot(t *testing.T, cfg Config) {
	db := openAs(t, cfg)
	count := func(tx *Tx) (n int) {
		if err := tx.One([]any{&n}, "SELECT COUNT(*) FROM audit_entry"); err != nil {
			t.Error(err)
		}
		return n
	}
	err := db.Read(t.Context(), func(tx *Tx) error {
		before := count(tx)
		if err := db.Write(t.Context(), func(tx *Tx) error { return add(tx, 1) }); err != nil {
			return err
		}
		if after := count(tx); after != before {
			t.Errorf("%d rows became %d in one read", before, after)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCancelledWhileWaiting: a write that waits for its turn is given up at once, and never runs.
func TestCancelledWhileWaiting(t *testing.T) { both(t, testCancelledWhileWaiting) }

func testCancelledWhileWaiting(t *testing.T, cfg Config) {
	db := openAs(t, cfg)
	err := db.Write(t.Context(), func(*Tx) error { // the writer is busy here, until the other has given up
		ctx, cancel := context.WithCancel(t.Context())
		gaveUp := make(chan error)
		go func() {
			gaveUp <- db.Write(ctx, func(*Tx) error { t.Error("ran all the same"); return nil })
		}()
		cancel()
		if err := <-gaveUp; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want it cancelled", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCancelledAndClosed(t *testing.T) { both(t, testCancelledAndClosed) }

func testCancelledAndClosed(t *testing.T, cfg Config) {
	db := openAs(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	never := func(*Tx) error { t.Error("ran all the same"); return nil }
	for range 20 { // the writer and the cancellation race for it; both must refuse
		if err := db.Write(ctx, never); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), never); !errors.Is(err, ErrClosed) {
		t.Errorf("write after Close: %v", err)
	}
	if err := db.Read(t.Context(), never); !errors.Is(err, ErrClosed) {
		t.Errorf("read after Close: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestSecondDaemonIsRefused(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	_, err := Open(t.Context(), Config{Dir: dir})
	if !errors.Is(err, ErrHeld) {
		t.Fatalf("got %v, want ErrHeld", err)
	}
	for _, want := range []string{dir, fmt.Sprintf("pid %d", os.Getpid())} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q doesn't name %q", err, want)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

// TestModes opens with the most generous umask there is.
func TestModes(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "a", "b")
	db := open(t, dir)
	if err := db.Write(t.Context(), func(tx *Tx) error { return add(tx, 1) }); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 4 {
		t.Fatalf("%d files, want lock, database, log and index (%v)", len(files), err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", f.Name(), info.Mode())
		}
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if info, err := os.Stat(d); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("folder mode %v, want 0700 (%v)", info.Mode(), err)
		}
	}
}

func TestPragmas(t *testing.T) {
	db := open(t, t.TempDir())
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "secure_delete": "1", "foreign_keys": "1", "busy_timeout": "5000"} {
		var got string
		err := db.Write(t.Context(), func(tx *Tx) error { return tx.One([]any{&got}, "PRAGMA "+pragma) })
		if err != nil || got != want {
			t.Errorf("%s is %q, want %q (%v)", pragma, got, want, err)
		}
	}
}
