package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
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
		<-db.on.(*lite).check.done
		trouble, written := db.Trouble(), db.Write(t.Context(), func(tx *Tx) error { return add(tx, 1000) })
		for _, err := range []error{trouble, written} {
			if errors.Is(err, ErrCorrupt) != damaged || !damaged && err != nil {
				t.Errorf("damaged is %v: the trouble is %v, and a write ends in %v", damaged, trouble, written)
			}
		}
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
