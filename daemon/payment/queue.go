package payment

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

const (
	mostAtOnce = 16          // rows of a table that are seen to side by side, besides those whose caller waits
	goneAfter  = time.Minute // how long after it is due another box's row is this one's
	look       = time.Minute // how often the store is looked at, whatever is due: another box's rows become due, too
	rest       = time.Second // after a failure of the store
)

// queue is the rows of a table, by their columns id, box, state and due, to which somebody sees when they are due. One box sees to a row at a time: by claiming it
// for as long as a lease lasts, it puts off when it is due.
type queue struct {
	store *store.DB
	log   *slog.Logger
	box   string
	table string
	// left is how long after a start what this box left in a state is due.
	left  map[State]time.Duration
	lease time.Duration
	// see does what is due for a row that this process has occupied and claimed.
	see  func(ctx context.Context, id string)
	wake chan struct{}
	mu   sync.Mutex
	busy map[string]bool // rows that somebody in this process sees to
}

// run sees to rows that are due until ctx ends. under are those that it began.
func (q *queue) run(ctx context.Context, under *sync.WaitGroup) {
	if err := q.hasten(ctx); err != nil {
		q.log.Error("what was left could not be looked for yet", "table", q.table, "error", err)
	}
	slots := make(chan struct{}, mostAtOnce)
	for {
		next, err := q.round(ctx, slots, under)
		if err != nil && ctx.Err() == nil {
			q.log.Error("what is due could not be looked for; in a second it is again", "table", q.table, "error", err)
			next = rest
		}
		select {
		case <-ctx.Done():
			return
		case <-q.wake:
		case <-time.After(next):
		}
	}
}

// hasten has what this box left when it ended be due now, or soon.
func (q *queue) hasten(ctx context.Context) error {
	return q.store.Write(ctx, func(tx *store.Tx) error {
		for state, after := range q.left {
			if _, err := tx.Exec("UPDATE "+q.table+" SET due = $1 WHERE box = $2 AND state = $3 AND due > $1", now().Add(after).UnixMicro(), q.box, string(state)); err != nil {
				return err
			}
		}
		return nil
	})
}

// round begins what is due, and answers with how long there is nothing more.
func (q *queue) round(ctx context.Context, slots chan struct{}, under *sync.WaitGroup) (next time.Duration, err error) {
	var due []string
	soonest := int64(0)
	err = q.store.Read(ctx, func(tx *store.Tx) error {
		due = nil
		err := tx.Each(func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			due = append(due, id)
			return err
		}, "SELECT id FROM "+q.table+" WHERE due > 0 AND (due <= $1 AND box = $2 OR due <= $3) ORDER BY due LIMIT 100", now().UnixMicro(), q.box, now().Add(-goneAfter).UnixMicro())
		if err != nil {
			return err
		}
		return tx.One([]any{&soonest}, "SELECT COALESCE(MIN(due), 0) FROM "+q.table+" WHERE due > $1 AND box = $2", now().UnixMicro(), q.box)
	})
	if err != nil {
		return 0, err
	}
	for _, id := range due {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return 0, nil
		}
		under.Go(func() {
			defer func() { <-slots }()
			q.begin(ctx, id)
		})
	}
	if soonest == 0 {
		return look, nil
	}
	return min(time.Until(time.UnixMicro(soonest)), look), nil
}

// begin does what is due for a row, unless somebody does it.
func (q *queue) begin(ctx context.Context, id string) {
	if !q.occupy(id) {
		return
	}
	defer q.leave(id)
	switch claimed, err := q.claim(ctx, id); {
	case err != nil:
		q.log.Error("what is due could not be seen to", "table", q.table, "id", id, "error", err)
	case claimed:
		q.see(ctx, id)
	}
}

// claim makes a row this box's, and nobody else's while it is seen to, and reports whether it was still due.
func (q *queue) claim(ctx context.Context, id string) (claimed bool, err error) {
	err = q.store.Write(ctx, func(tx *store.Tx) error {
		at := now()
		n, err := tx.Exec("UPDATE "+q.table+" SET box = $1, due = $2 WHERE id = $3 AND due > 0 AND due <= $4", q.box, at.Add(q.lease).UnixMicro(), id, at.UnixMicro())
		claimed = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("payment: %w", err)
	}
	return claimed, nil
}

// occupy has this process see to a row, unless it does already.
func (q *queue) occupy(id string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy[id] {
		return false
	}
	q.busy[id] = true
	return true
}

// leave is the end of that. Something may be due sooner than it was.
func (q *queue) leave(id string) {
	q.mu.Lock()
	delete(q.busy, id)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
