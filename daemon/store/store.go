// Package store keeps everything that must survive: one SQL schema on an embedded SQLite file.
//
// It exists so that "acknowledged" has one meaning in the product: [DB.Write] returns nil only after the
// transaction is committed and flushed to the disk, and whatever it returned nil for is there after kill
// -9, a power cut or a full disk. Writes that arrive while the disk is busy share the next flush (group
// commit), each in a savepoint of its own, so one that fails takes nothing of its neighbours with it.
//
// One daemon owns a state folder, by a lock that the kernel drops when the process dies; a second one is
// refused. Files are 0600 and folders 0700, whatever the umask; those that aren't are refused. A database that was
// here once and is lost is [ErrCorrupt], never a first start.
//
// The package knows SQL and files, and nothing of cards: what is secret is sealed before it comes here. It
// must never see a PAN, and never report a write as done that a crash could undo.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"

	"github.com/flattone/flattone/daemon/private"
)

// file is the database's name in the state folder.
const file = "flattone.db"

// readers bounds the connections that read. Readers never wait for the writer, nor it for them (WAL).
const readers = 4

// DB is an open store. Safe for concurrent use.
type DB struct {
	dir   string
	lock  *os.File
	write *sql.DB
	conn  *statements // the writer's one connection; only its goroutine uses it
	read  *sql.DB
	idle  chan *statements // connections of read that nobody reads by

	queue   chan *request
	closing chan struct{}
	closed  sync.Once
	done    chan struct{} // the writer has ended

	trouble atomic.Pointer[error] // why the last write failed
}

// Open opens the store in the folder dir, creating both when neither was ever there, brings the schema up to date, and
// starts the writer. Close it again.
//
// Errors are [ErrHeld], [ErrReadOnly], [ErrFull] and [ErrCorrupt], wrapped with what was being done.
func Open(ctx context.Context, dir string) (*DB, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("store: find the state folder: %w", err)
	}
	if err := makeFolder(dir); err != nil {
		return nil, fmt.Errorf("store: make the state folder: %w", explain(err))
	}
	lock, err := hold(dir)
	if err != nil {
		return nil, err
	}
	db := &DB{dir: dir, lock: lock, idle: make(chan *statements, readers), queue: make(chan *request), closing: make(chan struct{}), done: make(chan struct{})}
	if err := db.open(ctx, filepath.Join(dir, file)); err != nil {
		db.release()
		return nil, fmt.Errorf("store: open %s: %w", filepath.Join(dir, file), explain(err))
	}
	go db.loop()
	return db, nil
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

func (db *DB) open(ctx context.Context, path string) error {
	if err := intact(db.dir); err != nil {
		return err
	}
	if err := create(path); err != nil {
		return err
	}
	var err error
	// WAL with synchronous=FULL flushes the log before a commit returns; secure_delete overwrites what is
	// deleted; temp_store keeps sorting out of files.
	if db.write, err = connect(path, "", "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(ON)",
		"foreign_keys(ON)", "temp_store(MEMORY)"); err != nil {
		return err
	}
	db.write.SetMaxOpenConns(1)
	if err := check(ctx, db.write); err != nil {
		return err
	}
	if err := migrate(ctx, db.dir, db.write); err != nil {
		return err
	}
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return err
	}
	db.conn = &statements{on: conn, known: map[string]*sql.Stmt{}}
	if db.read, err = connect(path, "ro", "query_only(ON)", "temp_store(MEMORY)"); err != nil {
		return err
	}
	for range readers {
		conn, err := db.read.Conn(ctx)
		if err != nil {
			return err
		}
		db.idle <- &statements{on: conn, known: map[string]*sql.Stmt{}}
	}
	// The log's name first: SQLite flushes it with the first commit only, and a mark without a log is a loss.
	if err := private.SyncFolder(db.dir); err != nil {
		return err
	}
	return markAs(db.dir, markOpened)
}

// create makes the file before SQLite does, which would use the umask; the log and index files that SQLite
// adds take over its mode. The folder is flushed, so that the name is as durable as what will be in it.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return private.SyncFolder(filepath.Dir(path))
}

// connect opens a pool on path. The pragmas hold for each of its connections.
func connect(path, mode string, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_pragma": append([]string{"busy_timeout(5000)"}, pragmas...)}
	if mode != "" {
		q.Set("mode", mode)
	}
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	c, err := sqlite.NewConnector(dsn.String())
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

// check reads the whole database once, so that damage is told at start and not at the first card.
func check(ctx context.Context, db *sql.DB) error {
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", ErrCorrupt, verdict)
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
		for range readers { // whoever still reads ends first
			idle := <-db.idle
			err = errors.Join(err, idle.Close())
		}
		err = errors.Join(err, db.release())
	})
	return err
}

// release closes what open managed to open, in reverse.
func (db *DB) release() error {
	var first error
	keep := func(err error) {
		if first == nil && err != nil {
			first = fmt.Errorf("store: close: %w", explain(err))
		}
	}
	if db.read != nil {
		keep(db.read.Close())
	}
	if db.conn != nil {
		keep(db.conn.Close())
	}
	if db.write != nil {
		keep(settle(db.dir, db.write))
		keep(db.write.Close())
	}
	keep(db.lock.Close())
	return first
}
