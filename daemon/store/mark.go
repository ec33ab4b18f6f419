package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"

	"github.com/flattone/flattone/daemon/private"
)

// markFile says that the folder has a store, and whether that was closed in order. Without it a database that is lost
// would look like a first start, and be replaced by an empty one. It is made after the first commit: before that
// there is nothing to lose.
const markFile = "flattone.mark"

// What it says: words of one length, so that one can replace the other on a full disk.
const (
	markOpened = "opened\n" // what was acknowledged may be in the log alone
	markClosed = "closed\n" // the log is in the database, and may be gone
	markShared = "shared\n" // the database is PostgreSQL's
)

// intact reports what of a marked store is lost.
func intact(dir string) error {
	said, err := os.ReadFile(filepath.Join(dir, markFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	lost := func(name, how string) error {
		return fmt.Errorf("%w; %s says that there was a store, and %s is %s. To begin with an empty vault, move the whole folder away",
			ErrCorrupt, markFile, name, how)
	}
	if string(said) == markShared {
		return fmt.Errorf("%w: its cards are in PostgreSQL; put [store] postgres back into the configuration", ErrElsewhere)
	}
	info, err := os.Stat(filepath.Join(dir, file))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return lost(file, "gone")
	case err != nil:
		return err
	case info.Size() == 0:
		return lost(file, "empty")
	case string(said) == markClosed:
		return nil
	}
	_, err = os.Stat(filepath.Join(dir, file+"-wal"))
	if errors.Is(err, fs.ErrNotExist) {
		return lost(file+"-wal", "gone, with the newest of it")
	}
	return err
}

// markAs makes the mark, or changes it, durably.
func markAs(dir, word string) error {
	path := filepath.Join(dir, markFile)
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return private.Create(path, []byte(word))
	}
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(word), 0)
	return errors.Join(err, f.Sync(), f.Close())
}

// settle brings the log into the database and then says so, before SQLite removes the log: a crash in between
// leaves a log too many, not one too few.
func settle(dir string, db *sql.DB) error {
	if _, err := os.Stat(filepath.Join(dir, markFile)); err != nil {
		return nil // nothing was ever committed
	}
	var busy, pages, moved int
	err := db.QueryRow("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	if err == nil && busy == 0 {
		err = markAs(dir, markClosed)
	}
	if err == nil && busy == 0 {
		return nil
	}
	// The disk is full, or somebody else reads. Nothing is lost, but the log must stay: SQLite would try once more, and
	// remove it behind the mark's back.
	return keepLog(db)
}

func keepLog(db *sql.DB) error {
	conn, err := db.Conn(context.Background())
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(c any) error {
		_, err := c.(sqlite.FileControl).FileControlPersistWAL("main", 1)
		return err
	})
}
