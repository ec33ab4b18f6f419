package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// longestCheck bounds how long a start looks for damage: a box that holds ten million cards must take the next within a second of its start. It is
// enough for some 100 MB; what is larger is looked through while cards are taken.
const longestCheck = 500 * time.Millisecond

// check looks through a whole SQLite file while it is in use.
//
//	Open ──within the bound──▶ good | damaged: Open fails
//	  └────beyond it─────────▶ looking ──▶ good | damaged: writes fail from then on
type check struct {
	cancel context.CancelFunc
	done   chan struct{}
	damage atomic.Pointer[error]
}

// begunCheck looks for as long as it may, and reports whether that was enough.
func begunCheck(ctx context.Context, db *sql.DB, most time.Duration) (whole bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, most, errBound)
	defer cancel()
	err = quickCheck(ctx, db)
	if err != nil && errors.Is(context.Cause(ctx), errBound) && !errors.Is(explain(err), ErrCorrupt) {
		return false, nil
	}
	return err == nil, err
}

var errBound = errors.New("the start has looked long enough")

// checkMeanwhile begins from the start: SQLite can't be asked where it was.
func checkMeanwhile(db *sql.DB) *check {
	ctx, cancel := context.WithCancel(context.Background())
	c := &check{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		if err := quickCheck(ctx, db); err != nil && ctx.Err() == nil {
			err = fmt.Errorf("store: look for damage: %w", explain(err))
			c.damage.Store(&err)
		}
	}()
	return c
}

// quickCheck reads the whole database once, so that damage is told at start and not at the first card.
func quickCheck(ctx context.Context, db *sql.DB) error {
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", ErrCorrupt, verdict)
	}
	return nil
}

func (c *check) found() error {
	if err := c.damage.Load(); err != nil {
		return *err
	}
	return nil
}

func (c *check) stop() {
	c.cancel()
	<-c.done
}
