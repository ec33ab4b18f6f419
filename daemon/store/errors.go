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
	// ErrHeld: another daemon runs on the same state folder.
	ErrHeld = errors.New("another daemon holds this state folder")
	// ErrNewer: a newer program has migrated the database.
	ErrNewer = errors.New("the database was written by a newer program")
)

// Errors at any time. What was acknowledged before stays; what failed was not written.
var (
	// ErrFull: the disk or the quota is full.
	ErrFull = errors.New("no space left for the state folder: free some, then it goes on by itself")
	// ErrReadOnly: the folder, its files or its file system can't be written.
	ErrReadOnly = errors.New("the state folder can't be written: check its owner, mode and mount")
	// ErrCorrupt: the database file is damaged, or is none.
	ErrCorrupt = errors.New("the database is damaged: keep a copy of the state folder, then restore a backup")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("the store is closed")
	// ErrNoRow: the query has no result.
	ErrNoRow = errors.New("no such row")
)

// explain adds one of this package's errors to what SQLite or the kernel said, where one fits.
func explain(err error) error {
	for _, known := range []error{ErrFull, ErrReadOnly, ErrCorrupt, ErrNewer} {
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
		return nil
	}
	// The index file beside the log can't grow: SQLite reports that as an I/O error of its own.
	if e.Code() == sqlite3.SQLITE_IOERR_SHMSIZE {
		return ErrFull
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return ErrFull
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return ErrReadOnly
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return ErrCorrupt
	}
	return nil
}
