package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
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

// logPages is how much log is brought into the database at a time, 32 MB. It takes a fifth of the time that eight times a thousand pages do: most captures
// change the same pages.
const logPages = 8000

// keptLog is what the log's file keeps of its size when the log begins anew.
const keptLog = 40 << 20

// lite is the engine of one SQLite file.
type lite struct {
	litetx  // the writer's
	dir     string
	all     *sql.DB // what is done to the whole file: schema, log
	readers *readers
	looking *sql.DB // what looks through it
	files   files
	check   *check
	empty   bool // nothing of anybody's is in the transaction
	bare    bool // the request under way has no savepoint
}

// openLite opens the file, and looks for damage as long as the start may take.
func openLite(ctx context.Context, cfg Config) (_ *lite, err error) {
	e := &lite{dir: cfg.Dir, readers: newReaders()}
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
	// WAL with synchronous=FULL flushes the log before a commit returns; secure_delete overwrites what is deleted; temp_store keeps sorting out of files;
	// journal_size_limit has a log that had to grow give its room back.
	writing, err := connector(path, "", "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(ON)", "foreign_keys(ON)", "temp_store(MEMORY)",
		fmt.Sprintf("wal_autocheckpoint(%d)", logPages), fmt.Sprintf("journal_size_limit(%d)", keptLog))
	if err != nil {
		return nil, err
	}
	e.all = sql.OpenDB(writing)
	e.all.SetMaxOpenConns(1)
	whole, err := begunCheck(ctx, e.all, cmp.Or(cfg.longestCheck, longestCheck))
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, cfg.Dir, goose.DialectSQLite3, e.all); err != nil {
		return nil, err
	}
	writer, err := newParsed(ctx, writing)
	if err != nil {
		return nil, err
	}
	e.litetx = litetx{context.Background(), writer}
	reading, err := connector(path, "ro", "query_only(ON)", "temp_store(MEMORY)", "cache_size(-8000)")
	if err != nil {
		return nil, err
	}
	for range mostReaders {
		reader, err := newParsed(ctx, reading)
		if err != nil {
			return nil, err
		}
		e.readers.add(reader)
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
	e.looking = sql.OpenDB(reading)
	e.check = checkMeanwhile(e.looking, path+"-wal", whole)
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

// connector makes connections to path. The pragmas hold for each of them.
func connector(path, mode string, pragmas ...string) (driver.Connector, error) {
	q := url.Values{"_pragma": append([]string{"busy_timeout(5000)"}, pragmas...)}
	if mode != "" {
		q.Set("mode", mode)
	}
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return sqlite.NewConnector(dsn.String())
}

func (e *lite) begin() error {
	e.empty = true
	return e.run("BEGIN IMMEDIATE")
}

// save makes no savepoint for the first: with it all goes that there is. One costs a copy of each page that is changed after it.
func (e *lite) save() error {
	if e.bare, e.empty = e.empty, false; e.bare {
		return nil
	}
	return e.run("SAVEPOINT request")
}

func (e *lite) release() error {
	if e.bare {
		return nil
	}
	return e.run("RELEASE request")
}

func (e *lite) undo() error {
	if e.bare {
		e.rollback()
		return e.begin()
	}
	if err := e.run("ROLLBACK TO request"); err != nil {
		return err
	}
	return e.release()
}

func (e *lite) commit() error { return e.run("COMMIT") }

// rollback has no error to tell: a transaction that SQLite has ended by itself makes it fail.
func (e *lite) rollback() { e.run("ROLLBACK") }

func (e *lite) run(query string) error {
	_, err := e.exec(query, nil)
	return err
}

// again: SQLite has one writer, whom nobody hinders.
func (e *lite) again(error) bool { return false }

func (e *lite) read(ctx context.Context, snapshot bool, do func(statements) error) error {
	conn, err := e.readers.take(ctx)
	if err != nil {
		return err
	}
	defer e.readers.give(conn)
	if snapshot {
		// Neither is cancelled: a connection must not be given back in a transaction.
		whole := litetx{context.Background(), conn}
		if _, err := whole.exec("BEGIN", nil); err != nil {
			return err
		}
		defer whole.exec("ROLLBACK", nil)
	}
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
	var errs []error
	if e.check != nil {
		e.check.stop()
		errs = append(errs, e.looking.Close())
	}
	errs = append(errs, e.readers.close())
	if e.on != nil {
		errs = append(errs, e.on.close())
	}
	if e.all != nil {
		errs = append(errs, settle(e.dir, e.all), e.all.Close())
	}
	return errors.Join(errs...)
}
