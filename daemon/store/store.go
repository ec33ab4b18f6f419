// Package store keeps everything that must survive: one SQL schema, on an embedded SQLite file or in a PostgreSQL database
// that several boxes share.
//
// It exists so that "acknowledged" has one meaning in the product: [DB.Write] returns nil only after the
// transaction is committed and flushed to the disk, and whatever it returned nil for is there after kill
// -9, a power cut or a full disk. Writes that arrive while the disk is busy share the next flush (group
// commit), each in a savepoint of its own, so one that fails takes nothing of its neighbours with it.
//
// One daemon owns a state folder, by a lock that the kernel drops when the process dies; a second one is
// refused. Files are 0600 and folders 0700, whatever the umask; those that aren't are refused. A database that was
// here once and is lost is [ErrCorrupt], never a first start. A store that has met damage while in use, by whoever read or wrote or by looking through it each day,
// or whose files were taken away from under it, acknowledges nothing any more until it is opened anew.
//
// The package knows SQL and files, and nothing of cards: what is secret is sealed before it comes here. It
// must never see a PAN, and never report a write as done that a crash could undo.
package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/daemon/private"
)

// Config says where the store is.
type Config struct {
	// Dir is the state folder. With PostgreSQL it holds what is one box's own, and no rows.
	Dir string
	// Postgres is the database, if it isn't a file in Dir.
	Postgres Postgres
	// Unhurried lets a write transaction take as long as it does, as that of a restore, which has all rows in it. Otherwise PostgreSQL's are bounded, as others wait.
	Unhurried bool

	longestCheck time.Duration // tests: 0 is [longestCheck]
}

// DB is an open store. Safe for concurrent use.
type DB struct {
	dir  string
	lock *os.File
	on   engine

	queue   chan *request
	scrubs  chan chan error
	closing chan struct{}
	closed  sync.Once
	done    chan struct{} // the writer has ended

	trouble atomic.Pointer[error] // why the last write failed
	damaged atomic.Pointer[error] // what a read or a write has met: it stays
}

// Open opens the store in the folder cfg.Dir, creating both when neither was ever there, brings the schema up to date, and
// starts the writer. Close it again.
//
// Errors are [ErrHeld], [ErrNewer], [ErrElsewhere], [ErrUnsafe], [ErrAway], [ErrReadOnly], [ErrFull], [ErrDisk] and [ErrCorrupt],
// wrapped with what was being done.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("store: find the state folder: %w", err)
	}
	cfg.Dir = dir
	if err := makeFolder(dir); err != nil {
		return nil, fmt.Errorf("store: make the state folder: %w", explain(err))
	}
	lock, err := hold(dir)
	if err != nil {
		return nil, err
	}
	db := &DB{dir: dir, lock: lock, queue: make(chan *request), scrubs: make(chan chan error), closing: make(chan struct{}), done: make(chan struct{})}
	if db.on, err = openEngine(ctx, cfg); err != nil {
		lock.Close()
		return nil, fmt.Errorf("store: open %s: %w", cfg.name(), explain(err))
	}
	go db.loop()
	return db, nil
}

func openEngine(ctx context.Context, cfg Config) (engine, error) {
	if cfg.Postgres.Where != "" {
		return openShared(ctx, cfg)
	}
	return openLite(ctx, cfg)
}

// name is what the database is called in an error.
func (cfg Config) name() string {
	if cfg.Postgres.Where != "" {
		return "PostgreSQL at " + cfg.Postgres.Where
	}
	return filepath.Join(cfg.Dir, file)
}

// makeFolder makes the folder if it isn't there, with those it lies in, and flushes each one's name. One that is
// there must be private, as what is in it must be: a key that others could have put there is refused as well.
func makeFolder(dir string) error {
	switch info, err := os.Stat(dir); {
	case err == nil:
		return judge(dir, info)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return makeAll(dir)
}

func makeAll(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeAll(filepath.Dir(dir)); err == nil {
			err = os.Mkdir(dir, 0o700)
		}
	}
	if err != nil {
		return err
	}
	return private.SyncFolder(filepath.Dir(dir))
}

// judge refuses a state folder that others get at, and files in it that they do.
func judge(dir string, info fs.FileInfo) error {
	if err := private.JudgeFolder(dir, info, os.Geteuid()); err != nil {
		return err
	}
	for _, name := range []string{"lock", file, file + "-wal", file + "-shm", markFile, schemaFile} {
		path := filepath.Join(dir, name)
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = private.Judge(path, info, os.Geteuid(), "chmod 600 it, and find out who let others in: what is sealed in it stays sealed")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Close ends the writer after the commit it is in, closes the files and gives the folder free. Writes still
// waiting get [ErrClosed].
func (db *DB) Close() error {
	var err error
	db.closed.Do(func() {
		close(db.closing)
		<-db.done
		if err = errors.Join(db.on.close(), db.lock.Close()); err != nil {
			err = fmt.Errorf("store: close: %w", explain(err))
		}
	})
	return err
}
