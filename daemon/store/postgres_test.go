package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/store/storetest"
)

// fault is what becomes of a connection once a COMMIT is sent on it.
type fault int

const (
	none       fault = iota
	cutBefore        // the server never gets it
	cutAfter         // the server commits, and nobody is told
	cutForGood       // the same, and nobody can connect any more
	cutBegin         // the server isn't even reached by the BEGIN
)

// cutter dials connections that it cuts.
type cutter struct {
	next atomic.Int32
	gone atomic.Bool
}

func (c *cutter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if c.gone.Load() {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("unplugged")}
	}
	conn, err := dial(ctx, network, address)
	return &cable{conn, c}, err
}

type cable struct {
	net.Conn
	by *cutter
}

func (c *cable) Write(b []byte) (int, error) {
	when := []byte("; COMMIT")
	if fault(c.by.next.Load()) == cutBegin {
		when = []byte("BEGIN ")
	}
	if !bytes.Contains(b, when) {
		return c.Conn.Write(b)
	}
	how := fault(c.by.next.Swap(int32(none)))
	if how == none {
		return c.Conn.Write(b)
	}
	defer c.Conn.Close()
	c.by.gone.Store(how == cutForGood)
	if how == cutAfter || how == cutForGood {
		if _, err := c.Conn.Write(b); err != nil {
			return 0, err
		}
		c.Conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		c.Conn.Read(make([]byte, 4096)) // the answer, which comes after the flush
	}
	return 0, net.ErrClosed
}

// TestLostConnection: whatever is lost when, a write is told to be done if and only if it is, and there is one of it. Where that can't be found out it is
// said so.
func TestLostConnection(t *testing.T) {
	for how, test := range map[fault]struct {
		want error
		rows string
	}{
		cutBegin:   {nil, "[0 1 2]"},
		cutBefore:  {nil, "[0 1 2]"},
		cutAfter:   {nil, "[0 1 2]"},
		cutForGood: {ErrUnknown, "[0 1 2]"},
	} {
		t.Run(fmt.Sprint(how), func(t *testing.T) {
			t.Parallel()
			c, cfg := &cutter{}, onPostgres(t, "box")
			cfg.Postgres.dial = c.dial
			db := openAs(t, cfg)
			write := func(n int) error {
				return db.Write(t.Context(), func(tx *Tx) error { return add(tx, n) })
			}
			if err := write(0); err != nil {
				t.Fatal(err)
			}
			c.next.Store(int32(how))
			if err := write(1); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if how == cutForGood {
				if err := write(2); !errors.Is(err, ErrAway) || errors.Is(err, ErrUnknown) || !errors.Is(db.Trouble(), ErrAway) {
					t.Errorf("while the database is away: %v, the trouble is %v", err, db.Trouble())
				}
				c.gone.Store(false)
				time.Sleep(refusedFor)
			}
			if err := write(2); err != nil || db.Trouble() != nil {
				t.Errorf("connected again: %v, the trouble is %v", err, db.Trouble())
			}
			if got := fmt.Sprint(rows(t, db)); got != test.rows {
				t.Errorf("rows %s, want %s", got, test.rows)
			}
		})
	}
}

// TestServerIsAway: a server that is stopped is told as away, by reads as by writes, and what comes after it is back is written.
func TestServerIsAway(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, "")
	cfg := Config{Dir: t.TempDir(), Postgres: Postgres{Where: s.DSN(t), Box: "box"}}
	db := openAs(t, cfg)
	if err := db.Write(t.Context(), func(tx *Tx) error { return add(tx, 1) }); err != nil {
		t.Fatal(err)
	}
	rows(t, db) // so that there is a reader's connection, too
	s.Stop()
	never := func(tx *Tx) error { return add(tx, 3) }
	for range 3 {
		if err := db.Write(t.Context(), never); !errors.Is(err, ErrAway) || errors.Is(err, ErrUnknown) {
			t.Errorf("a write got %v, want ErrAway", err)
		}
		if err := db.Read(t.Context(), never); !errors.Is(err, ErrAway) || !errors.Is(db.Trouble(), ErrAway) {
			t.Errorf("a read got %v, the trouble is %v, want ErrAway", err, db.Trouble())
		}
	}
	if _, err := Open(t.Context(), Config{Dir: closed(t), Postgres: Postgres{Where: cfg.Postgres.Where, Box: "other"}}); !errors.Is(err, ErrAway) {
		t.Errorf("a start got %v, want ErrAway", err)
	}
	s.Start(t)
	if got := fmt.Sprint(rows(t, db)); got != "[1]" || db.Trouble() != nil {
		t.Errorf("rows %s, the trouble is %v", got, db.Trouble())
	}
	time.Sleep(refusedFor)
	if err := db.Write(t.Context(), func(tx *Tx) error { return add(tx, 2) }); err != nil {
		t.Error(err)
	}
	if got := fmt.Sprint(rows(t, db)); got != "[1 2]" {
		t.Errorf("rows %s, want [1 2]", got)
	}
}

// TestUnsafeServerIsRefused: one that doesn't flush what it says is committed.
func TestUnsafeServerIsRefused(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, "-c fsync=off -c full_page_writes=off")
	_, err := Open(t.Context(), Config{Dir: closed(t), Postgres: Postgres{Where: s.DSN(t), Box: "box"}})
	if !errors.Is(err, ErrUnsafe) || !strings.Contains(err.Error(), "fsync is off, full_page_writes off") {
		t.Errorf("got %v, want ErrUnsafe", err)
	}
}

// TestDatabaseIsSetUpOtherwise: what a session can set right is, and an order of text that isn't that of its bytes is refused.
func TestDatabaseIsSetUpOtherwise(t *testing.T) {
	t.Parallel()
	s := storetest.Shared(t)
	s.SQL(t, "postgres", "CREATE DATABASE hasty")
	s.SQL(t, "postgres", "ALTER DATABASE hasty SET synchronous_commit = off")
	s.SQL(t, "postgres", "CREATE DATABASE linguistic TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' ENCODING 'UTF8'")
	where, _, _ := strings.Cut(s.DSN(t), "dbname=")
	openAs(t, Config{Dir: t.TempDir(), Postgres: Postgres{Where: where + "dbname=hasty", Box: "box"}})
	_, err := Open(t.Context(), Config{Dir: closed(t), Postgres: Postgres{Where: where + "dbname=linguistic", Box: "box"}})
	if err == nil || !strings.Contains(err.Error(), "CREATE DATABASE") {
		t.Errorf("a database with a language's order: %v", err)
	}
}

// closed is a folder as a store wants it.
func closed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestPlainTextIsRefused: what leaves the machine is TLS, whatever the connection string says.
func TestPlainTextIsRefused(t *testing.T) {
	for where, plain := range map[string]bool{
		"host=/run/postgresql dbname=x":                 true,
		"host=localhost dbname=x":                       true,
		"host=127.0.0.1 dbname=x":                       true,
		"host=::1,/run/postgresql dbname=x":             true,
		"host=db.example.com dbname=x":                  false,
		"host=db.example.com dbname=x sslmode=disable":  false,
		"host=localhost,db.example.com sslmode=disable": false,
		"host=10.0.0.1 sslmode=prefer":                  false,
	} {
		c, err := Postgres{Where: where, Box: "box"}.parse()
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		if (c.TLSConfig == nil) != plain || !plain && (c.TLSConfig.InsecureSkipVerify || c.TLSConfig.ServerName == "") {
			t.Errorf("%s: TLS is %+v", where, c.TLSConfig)
		}
		for _, f := range c.Fallbacks {
			if (f.TLSConfig == nil) != plain {
				t.Errorf("%s: falls back on plain text", where)
			}
		}
	}
}

// TestBoxNameIsHeld: two boxes of one name would each take the other's marks for its own.
func TestBoxNameIsHeld(t *testing.T) {
	t.Parallel()
	cfg := onPostgres(t, "twin")
	db := openAs(t, cfg)
	again := cfg
	again.Dir = closed(t)
	if _, err := Open(t.Context(), again); !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), "twin") {
		t.Errorf("got %v, want ErrHeld", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	openAs(t, again)
}

// TestFolderBelongsToOneStore: neither kind takes over a folder of the other's, nor an empty database for the one that was there.
func TestFolderBelongsToOneStore(t *testing.T) {
	t.Parallel()
	cfg := onPostgres(t, "box")
	openAs(t, cfg).Close()
	if _, err := Open(t.Context(), Config{Dir: cfg.Dir}); !errors.Is(err, ErrElsewhere) {
		t.Errorf("PostgreSQL's folder as SQLite's: %v", err)
	}
	other := cfg
	other.Postgres.Where = storetest.Postgres(t)
	if _, err := Open(t.Context(), other); !errors.Is(err, ErrCorrupt) {
		t.Errorf("an empty database in place of the store: %v", err)
	}
	openAs(t, cfg)
	dir := t.TempDir()
	open(t, dir).Close()
	for range 2 {
		if _, err := Open(t.Context(), Config{Dir: dir, Postgres: cfg.Postgres}); !errors.Is(err, ErrElsewhere) {
			t.Errorf("SQLite's folder as PostgreSQL's: %v", err)
		}
		os.Remove(filepath.Join(dir, markFile)) // a crash before the mark
	}
}

// TestStatementsWhileRowsAreOpen, of more rows than come at a time, on both engines.
func TestStatementsWhileRowsAreOpen(t *testing.T) {
	both(t, func(t *testing.T, cfg Config) {
		db := openAs(t, cfg)
		const many = 2*fetched + 1
		err := db.Write(t.Context(), func(tx *Tx) error {
			for n := range many {
				if err := add(tx, n); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		stop := errors.New("enough")
		err = db.Read(t.Context(), func(tx *Tx) error {
			for range 2 { // what was ended early is no hindrance
				seen := 0
				err := tx.Each(func(scan func(...any) error) error {
					var n, same int
					if err := scan(&n); err != nil {
						return err
					}
					if err := tx.One([]any{&same}, "SELECT seq FROM audit_entry WHERE seq = $1", n); err != nil || same != n {
						t.Errorf("row %d of %d: %v", same, n, err)
					}
					if seen++; seen == fetched+10 {
						return stop
					}
					return nil
				}, "SELECT seq FROM audit_entry ORDER BY seq")
				if err != stop {
					t.Errorf("ended with %v", err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		var changed []int
		err = db.Write(t.Context(), func(tx *Tx) error {
			return tx.Each(func(scan func(...any) error) error {
				var n int
				err := scan(&n)
				changed = append(changed, n)
				return err
			}, "DELETE FROM audit_entry WHERE seq < $1 RETURNING seq", 3)
		})
		if slices.Sort(changed); err != nil || !slices.Equal(changed, []int{0, 1, 2}) {
			t.Errorf("deleted %v, %v", changed, err)
		}
	})
}

// TestUnhurried: a restore's transaction has the time that it takes, and another's hasn't.
func TestUnhurried(t *testing.T) {
	t.Parallel()
	for _, unhurried := range []bool{false, true} {
		cfg := onPostgres(t, "box")
		cfg.Unhurried = unhurried
		db := openAs(t, cfg)
		err := db.Write(t.Context(), func(*Tx) error {
			ends, bounded := db.on.(*shared).ctx.Deadline()
			if left := time.Until(ends); !bounded || (left > time.Minute) != unhurried {
				t.Errorf("unhurried %v: it has %v left", unhurried, left)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
