package store

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Errors at opening.
var (
	// ErrHeld: another daemon runs on the same state folder, or goes by the same box's name.
	ErrHeld = errors.New("another daemon holds this state folder")
	// ErrNewer: a newer program has migrated the database.
	ErrNewer = errors.New("the database was written by a newer program")
	// ErrElsewhere: the state folder is of a store of the other kind.
	ErrElsewhere = errors.New("the state folder belongs to another store")
	// ErrUnsafe: PostgreSQL is set up so that what it has committed may be lost.
	ErrUnsafe = errors.New("the database may lose what it has acknowledged")
)

// Errors at any time. What was acknowledged before stays; what failed was not written.
var (
	// ErrFull: the disk or the quota is full.
	ErrFull = errors.New("no space left for the store: free some, then it goes on by itself")
	// ErrReadOnly: the folder, its files or its file system can't be written.
	ErrReadOnly = errors.New("the store can't be written: check the state folder's owner, mode and mount, or whether the database is a standby")
	// ErrDisk: the kernel can't read or write what the disk holds. A file system that has turned itself read-only under an open store says so by it as well.
	ErrDisk = errors.New("the disk fails: dmesg says why, and whether its file system has turned itself read-only; once it can be written the store goes on by itself")
	// ErrCorrupt: the database file is damaged, or is none. Nothing is written any more once a store has met it.
	ErrCorrupt = errors.New("the database is damaged: keep a copy of it, then restore a backup")
	// ErrAway: PostgreSQL doesn't answer, or the connection was lost before a commit.
	ErrAway = errors.New("the database doesn't answer: see that PostgreSQL runs and can be reached, then it goes on by itself")
	// ErrUnknown: the connection was lost in a commit and it couldn't be found out whether that was done. It is the one error after which a write may be there.
	ErrUnknown = errors.New("the database was lost in the middle of a commit, and whether that was done is not known")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("the store is closed")
	// ErrNoRow: the query has no result.
	ErrNoRow = errors.New("no such row")
)

// explain adds one of this package's errors to what the database or the kernel said, where one fits.
func explain(err error) error {
	for _, known := range []error{ErrFull, ErrReadOnly, ErrDisk, ErrCorrupt, ErrNewer, ErrUnknown, ErrAway, ErrHeld, ErrElsewhere, ErrUnsafe} {
		if errors.Is(err, known) {
			return err
		}
	}
	kind := kindOf(err)
	if kind == nil {
		return err
	}
	return fmt.Errorf("%w: %w", kind, err)
}

func kindOf(err error) error {
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return ErrFull
	case errors.Is(err, unix.EROFS), errors.Is(err, fs.ErrPermission):
		return ErrReadOnly
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return kindOfShared(err)
	}
	// SQLite reports these as I/O errors of their own: the index file beside the log can't grow; a file ends before a page that it should have.
	switch e.Code() {
	case sqlite3.SQLITE_IOERR_SHMSIZE:
		return ErrFull
	case sqlite3.SQLITE_IOERR_SHORT_READ:
		return ErrCorrupt
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return ErrFull
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return ErrReadOnly
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return ErrCorrupt
	case sqlite3.SQLITE_IOERR:
		return ErrDisk
	}
	return nil
}
