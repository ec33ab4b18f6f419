package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// longestCheck bounds how long a start looks for damage: a box that holds ten million cards must take the next within a second of its start. It is
// enough for some 100 MB; what is larger is looked through while cards are taken.
const longestCheck = 500 * time.Millisecond

const (
	// checkEvery is how often a store that is in use is looked through once more: a page that nobody asks for is damaged unseen.
	checkEvery = 24 * time.Hour
	// checkRest is how long it is left alone where the log has grown too much meanwhile, or it couldn't be read.
	checkRest = time.Minute
	// mostLog is what the log may grow to while a table is looked through, whose snapshot keeps the log from beginning anew: some 10 000 cards.
	mostLog = 256 << 20
	// logEvery is how often it is looked at: what is written meanwhile is more.
	logEvery = 100 * time.Millisecond
)

// check looks through a SQLite file while it is in use: table by table, with a snapshot each.
//
//	Open ──within the bound──▶ good ◀──────────────┐
//	  │ └─damaged: it fails     │ a day later      │ the last table
//	  └────beyond it──────────▶ looking ───────────┘
//	                           │ ▲ └─▶ damaged: writes fail from then on
//	       the log has grown,  ▼ │ a minute later: the same table
//	          or can't be read rests
//
// A table is begun from its start each time: SQLite can't be asked where it was. So under a load that fills the log faster than the largest table is read, a
// look takes until that load is over.
type check struct {
	tables  func(context.Context) ([]string, error)
	look    func(ctx context.Context, table string) error
	logSize func() int64
	cancel  context.CancelFunc
	done    chan struct{}
	failed  atomic.Pointer[error] // why the file isn't known to be good
}

// begunCheck looks for as long as it may, and reports whether that was enough.
func begunCheck(ctx context.Context, db *sql.DB, most time.Duration) (whole bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, most, errBound)
	defer cancel()
	err = quickCheck(ctx, db, "1")
	if err != nil && errors.Is(context.Cause(ctx), errBound) && !errors.Is(explain(err), ErrCorrupt) {
		return false, nil
	}
	return err == nil, err
}

var errBound = errors.New("the start has looked long enough")

// checkMeanwhile looks at once where the start hasn't seen all, and each day.
func checkMeanwhile(db *sql.DB, log string, whole bool) *check {
	var first time.Duration
	if whole {
		first = checkEvery
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &check{
		tables: func(ctx context.Context) ([]string, error) { return tablesOf(ctx, db) },
		look:   func(ctx context.Context, table string) error { return quickCheck(ctx, db, `"`+table+`"`) },
		logSize: func() int64 {
			info, err := os.Stat(log)
			if err != nil {
				return 0
			}
			return info.Size()
		},
		cancel: cancel, done: make(chan struct{}),
	}
	go c.run(ctx, first)
	return c
}

// run looks after first, and then again and again.
func (c *check) run(ctx context.Context, first time.Duration) {
	defer close(c.done)
	var left []string
	for wait := first; pause(ctx, wait); {
		if left, wait = c.some(ctx, left); errors.Is(c.found(), ErrCorrupt) {
			return
		}
	}
}

// pause reports whether the time passed before ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// some looks through the tables that are left, all if none are, until one can't be looked through. It answers with those that are left then, and when to go on.
func (c *check) some(ctx context.Context, left []string) (_ []string, wait time.Duration) {
	var err error
	if len(left) == 0 {
		left, err = c.tables(ctx)
	}
	for ; err == nil && len(left) > 0; left = left[1:] {
		if err = c.table(ctx, left[0]); errors.Is(err, errGrown) {
			return left, checkRest
		}
		if err != nil {
			break
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, 0
	case err != nil:
		err = fmt.Errorf("store: look for damage: %w", explain(err))
		c.failed.Store(&err)
		return nil, checkRest
	}
	c.failed.Store(nil)
	return nil, checkEvery
}

var errGrown = errors.New("the log has grown too much")

// table looks through one, unless the log grows too much meanwhile.
func (c *check) table(ctx context.Context, name string) error {
	looking, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for pause(looking, logEvery) {
			if c.logSize() > mostLog {
				cancel(errGrown)
			}
		}
	}()
	err := c.look(looking, name)
	if errors.Is(context.Cause(looking), errGrown) && err != nil && !errors.Is(explain(err), ErrCorrupt) {
		err = errGrown
	}
	cancel(nil)
	<-watched
	return err
}

func tablesOf(ctx context.Context, db *sql.DB) (all []string, err error) {
	rows, err := db.QueryContext(ctx, "SELECT 'sqlite_schema' UNION ALL SELECT name FROM sqlite_schema WHERE type = 'table'")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		all = append(all, name)
	}
	return all, rows.Err()
}

// quickCheck reads the whole database once, so that damage is told at start and not at the first card; or one table with what belongs to it, which tells
// nothing of free pages.
func quickCheck(ctx context.Context, db *sql.DB, what string) error {
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check("+what+")").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", ErrCorrupt, verdict)
	}
	return nil
}

func (c *check) found() error {
	if err := c.failed.Load(); err != nil {
		return *err
	}
	return nil
}

func (c *check) stop() {
	c.cancel()
	<-c.done
}
