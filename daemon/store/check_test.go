package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestCheckGoesOnAfterTheStart: a file too large to be looked through at the start is in use meanwhile, and no more once it
// is found damaged.
func TestCheckGoesOnAfterTheStart(t *testing.T) {
	for _, damaged := range []bool{false, true} {
		dir := t.TempDir()
		db := open(t, dir)
		err := db.Write(t.Context(), func(tx *Tx) (err error) {
			for n := range 500 {
				err = errors.Join(err, add(tx, n))
			}
			return err
		})
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		if damaged {
			path := filepath.Join(dir, file)
			b, err := os.ReadFile(path)
			if err == nil {
				copy(b[len(b)-4096:], bytes.Repeat([]byte{0xa5}, 4096))
				err = os.WriteFile(path, b, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if db, err = Open(t.Context(), Config{Dir: dir, longestCheck: time.Nanosecond}); err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if c := db.on.(*lite).check; damaged {
			<-c.done
		} else if _, next := c.some(t.Context(), nil); next != checkEvery {
			t.Errorf("it is looked through again in %v", next)
		}
		trouble, written := db.Trouble(), db.Write(t.Context(), func(tx *Tx) error { return add(tx, 1000) })
		for _, err := range []error{trouble, written} {
			if errors.Is(err, ErrCorrupt) != damaged || !damaged && err != nil {
				t.Errorf("damaged is %v: the trouble is %v, and a write ends in %v", damaged, trouble, written)
			}
		}
	}
}

// TestAGrownLogEndsALook: a table is looked through while the log has room, or else later and from its start, and those before it aren't again. What can't be
// read is told until it can; and a day later all begins anew.
func TestAGrownLogEndsALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, said := time.Now(), []string(nil)
		var mu sync.Mutex // the end of a sleep is no order to the race detector
		say := func(format string, args ...any) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, fmt.Sprintf("%v "+format, append([]any{time.Since(began)}, args...)...))
		}
		var log atomic.Int64
		unreadable := errors.New("unreadable")
		ctx, cancel := context.WithCancel(t.Context())
		looks := 0
		c := &check{cancel: cancel, done: make(chan struct{}), logSize: log.Load,
			tables: func(context.Context) ([]string, error) { return []string{"a", "b"}, nil },
		}
		c.look = func(ctx context.Context, table string) error {
			say("%s", table)
			switch looks++; looks {
			case 2: // the table is large, and others write meanwhile
				time.Sleep(1050 * time.Millisecond)
				log.Store(mostLog + 1)
				<-ctx.Done()
				log.Store(0) // its snapshot is gone
				return ctx.Err()
			case 4:
				return unreadable
			case 7:
				return ErrCorrupt
			}
			return nil
		}
		go c.run(ctx, 0)
		for _, after := range []time.Duration{time.Hour, 23*time.Hour + 90*time.Second, time.Hour, checkEvery} {
			time.Sleep(after)
			synctest.Wait()
			say("%v", c.found())
		}
		<-c.done
		want := []string{"0s a", "0s b", "1m1.1s b", "1h0m0s <nil>",
			"24h1m1.1s a", "24h1m30s store: look for damage: unreadable", "24h2m1.1s a", "24h2m1.1s b", "25h1m30s <nil>",
			"48h2m1.1s a", "49h1m30s store: look for damage: " + ErrCorrupt.Error()}
		if !slices.Equal(said, want) {
			t.Errorf("it went\n%s\nand should have gone\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
		}
	})
}

// TestTheLogGivesItsRoomBack: once nobody reads an old snapshot any more.
func TestTheLogGivesItsRoomBack(t *testing.T) {
	db := open(t, t.TempDir())
	log := filepath.Join(db.dir, file+"-wal")
	size := func() int64 {
		info, err := os.Stat(log)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	write := func(n int) {
		if err := db.Write(t.Context(), func(tx *Tx) error { return addOf(tx, n, 1<<20) }); err != nil {
			t.Fatal(err)
		}
	}
	err := db.Read(t.Context(), func(tx *Tx) error {
		var n int
		if err := tx.One([]any{&n}, "SELECT COUNT(*) FROM audit_entry"); err != nil {
			return err
		}
		for n := range keptLog>>20 + 8 {
			write(n)
		}
		return nil
	})
	if err != nil || size() <= keptLog {
		t.Fatalf("beside a reader the log has %d bytes, %v", size(), err)
	}
	for n := range 3 {
		write(1000 + n)
	}
	if size() > keptLog {
		t.Errorf("without one it still has %d bytes", size())
	}
}

// TestClosedWhileItIsChecked: whoever closes doesn't wait for the whole file to be looked through.
func TestClosedWhileItIsChecked(t *testing.T) {
	dir := t.TempDir()
	open(t, dir).Close()
	db, err := Open(t.Context(), Config{Dir: dir, longestCheck: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil || db.Trouble() != nil {
		t.Errorf("closed with %v, the trouble is %v", err, db.Trouble())
	}
	open(t, dir)
}
