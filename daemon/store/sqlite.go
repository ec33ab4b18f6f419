package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	"golang.org/x/sys/unix"
	"modernc.org/sqlite"

	"github.com/flattone/flattone/daemon/private"
)

// file is the database's name in the state folder.
const file = "flattone.db"

// keptLog is what the log's file keeps of its size when the log begins anew.
const keptLog = 16 << 20

// mostReaders bounds the connections that read. Readers never wait for the writer, nor it for them (WAL).
const mostReaders = 4

// lite is the engine of one SQLite file.
type lite struct {
	litetx  // the writer's
	dir     string
	write   *sql.DB
	readers *sql.DB
	reading int          // how many connections read
	idle    chan *parsed // those by which nobody reads now
	closed  chan struct{}
	files   files
	check   *check
}

// openLite opens the file, and looks for damage as long as the start may take.
func openLite(ctx context.Context, cfg Config) (_ *lite, err error) {
	e := &lite{dir: cfg.Dir, idle: make(chan *parsed, mostReaders), closed: make(chan struct{})}
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	path := filepath.Join(cfg.Dir, file)
	if err := intact(cfg.Dir); err != nil {
		return nil, err
	}
	if err := create(path); err != nil {
		return nil, err
	}
	// WAL with synchronous=FULL flushes the log before a commit returns; secure_delete overwrites what is
	// deleted; temp_store keeps sorting out of files; journal_size_limit has a log that had to grow give its room back.
	if e.write, err = connect(path, "", "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(ON)",
		"foreign_keys(ON)", "temp_store(MEMORY)", fmt.Sprintf("journal_size_limit(%d)", keptLog)); err != nil {
		return nil, err
	}
	e.write.SetMaxOpenConns(1)
	whole, err := begunCheck(ctx, e.write, cmp.Or(cfg.longestCheck, longestCheck))
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, cfg.Dir, goose.DialectSQLite3, e.write); err != nil {
		return nil, err
	}
	conn, err := e.write.Conn(ctx)
	if err != nil {
		return nil, err
	}
	e.litetx = litetx{context.Background(), newParsed(conn)}
	if e.readers, err = connect(path, "ro", "query_only(ON)", "temp_store(MEMORY)"); err != nil {
		return nil, err
	}
	for range mostReaders {
		conn, err := e.readers.Conn(ctx)
		if err != nil {
			return nil, err
		}
		e.idle <- newParsed(conn)
		e.reading++
	}
	// The log's name first: SQLite flushes it with the first commit only, and a mark without a log is a loss.
	if err := private.SyncFolder(cfg.Dir); err != nil {
		return nil, err
	}
	if err := markAs(cfg.Dir, markOpened); err != nil {
		return nil, err
	}
	if e.files, err = filesOf(path); err != nil {
		return nil, err
	}
	e.check = checkMeanwhile(e.readers, path+"-wal", whole)
	return e, nil
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

func (e *lite) begin() error   { return e.run("BEGIN IMMEDIATE") }
func (e *lite) save() error    { return e.run("SAVEPOINT request") }
func (e *lite) release() error { return e.run("RELEASE request") }
func (e *lite) commit() error  { return e.run("COMMIT") }

func (e *lite) undo() error {
	if err := e.run("ROLLBACK TO request"); err != nil {
		return err
	}
	return e.release()
}

// rollback has no error to tell: a transaction that SQLite has ended by itself makes it fail.
func (e *lite) rollback() { e.run("ROLLBACK") }

func (e *lite) run(query string) error {
	_, err := e.exec(query, nil)
	return err
}

// again: SQLite has one writer, whom nobody hinders.
func (e *lite) again(error) bool { return false }

func (e *lite) read(ctx context.Context, do func(statements) error) error {
	var conn *parsed
	select {
	case conn = <-e.idle: // nobody's any more once close has them all
	case <-ctx.Done():
		return ctx.Err()
	case <-e.closed:
		return ErrClosed
	}
	defer func() { e.idle <- conn }()
	// Neither is cancelled: a connection must not be given back in a transaction.
	whole := litetx{context.Background(), conn}
	if _, err := whole.exec("BEGIN", nil); err != nil {
		return err
	}
	defer whole.exec("ROLLBACK", nil)
	return do(litetx{ctx, conn})
}

// scrub empties the log into the file, where deleted rows are zeros; while somebody reads an old snapshot, it is left as it is.
func (e *lite) scrub() error {
	var busy, pages, moved int
	_, err := e.one([]any{&busy, &pages, &moved}, "PRAGMA wal_checkpoint(TRUNCATE)", nil)
	return err
}

func (e *lite) damage() error {
	if err := e.files.inPlace(); err != nil {
		return err
	}
	return e.check.found()
}

// close closes what was opened, in reverse. Whoever still reads ends first.
func (e *lite) close() error {
	close(e.closed)
	var errs []error
	if e.check != nil {
		e.check.stop()
	}
	for range e.reading {
		errs = append(errs, (<-e.idle).close())
	}
	if e.readers != nil {
		errs = append(errs, e.readers.Close())
	}
	if e.on != nil {
		errs = append(errs, e.on.close())
	}
	if e.write != nil {
		errs = append(errs, settle(e.dir, e.write), e.write.Close())
	}
	return errors.Join(errs...)
}
