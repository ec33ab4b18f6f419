package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// Enqueue puts an event into the outbox, in the transaction of what it tells about. An id that is there
// already changes nothing.
func (o *Outbox) Enqueue(tx *store.Tx, e Event) error {
	if e.ID == "" || e.Type == "" || e.Key == "" || e.Time.IsZero() {
		return errors.New("upstream: enqueue: an event needs id, type, key and time")
	}
	// The body is fixed now: every attempt, today or after an upgrade, sends the same bytes.
	body, err := json.Marshal(struct {
		Type      string          `json:"type"`
		Timestamp time.Time       `json:"timestamp"`
		Data      json.RawMessage `json:"data"`
	}{e.Type, e.Time.UTC(), e.Data})
	if err != nil {
		return fmt.Errorf("upstream: enqueue: %w", err)
	}
	_, err = tx.Exec(`INSERT INTO outbox (seq, id, stream, kind, body, due, lease, holder, tries, status, delivered)
		SELECT COALESCE(MAX(seq), 0) + 1, $1, $2, $3, $4, $5, 0, '', 0, 0, 0 FROM outbox WHERE true ON CONFLICT (id) DO NOTHING`,
		e.ID, e.Key, e.Type, body, e.Time.UnixMicro())
	if err != nil {
		return fmt.Errorf("upstream: enqueue: %w", err)
	}
	tx.OnCommit(o.ring)
	return nil
}

// ring wakes the dispatcher.
func (o *Outbox) ring() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Pending counts the events that aren't delivered.
func (o *Outbox) Pending(ctx context.Context) (int, error) {
	var n int
	if err := o.store.One(ctx, []any{&n}, "SELECT COUNT(*) FROM outbox WHERE delivered = 0"); err != nil {
		return 0, fmt.Errorf("upstream: count pending events: %w", err)
	}
	return n, nil
}

// Oldest is the time of the event that has waited longest to be delivered; zero if none waits.
func (o *Outbox) Oldest(ctx context.Context) (time.Time, error) {
	var body []byte
	err := o.store.Read(ctx, func(tx *store.Tx) error {
		// The sum keeps the planner from walking seq through all that was ever delivered, to the index of what wasn't.
		return tx.One([]any{&body}, "SELECT body FROM outbox WHERE seq = (SELECT MIN(seq + 0) FROM outbox WHERE delivered = 0)")
	})
	var sent struct {
		Timestamp time.Time `json:"timestamp"`
	}
	switch {
	case errors.Is(err, store.ErrNoRow):
		return time.Time{}, nil
	case err == nil:
		err = json.Unmarshal(body, &sent)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("upstream: find the oldest event: %w", err)
	}
	return sent.Timestamp, nil
}

// claimed is an event on its way.
type claimed struct {
	seq   int64
	id    string
	key   string
	kind  string
	body  []byte
	tries int // this attempt included
}

// claim takes the event that is due longest among the first undelivered ones of each key, leases it, and
// counts the attempt before it is made. Nil if none is due; then next says when one will be, zero if none is
// left.
func (o *Outbox) claim(ctx context.Context, now time.Time) (c *claimed, next time.Time, err error) {
	lease := now.Add(2 * o.cfg.Timeout)
	err = o.store.Write(ctx, func(tx *store.Tx) error {
		var got claimed
		var due int64
		err := tx.One([]any{&got.seq, &got.id, &got.key, &got.kind, &got.body, &got.tries, &due},
			`SELECT o.seq, o.id, o.stream, o.kind, o.body, o.tries, o.due FROM outbox o
			WHERE o.delivered = 0 AND NOT EXISTS
				(SELECT 1 FROM outbox p WHERE p.delivered = 0 AND p.stream = o.stream AND p.seq < o.seq)
			ORDER BY o.due, o.seq LIMIT 1`)
		switch wait := time.UnixMicro(due).Sub(now); {
		case errors.Is(err, store.ErrNoRow):
			return nil
		case err != nil:
			return err
		// Nothing is ever put off for longer than this: a later time comes from a clock since set back.
		case wait > 0 && wait <= o.cfg.MaxWait+2*o.cfg.Timeout:
			next = now.Add(wait)
			return nil
		}
		got.tries++
		c = &got
		_, err = tx.Exec("UPDATE outbox SET tries = $1, lease = $2, due = $3, holder = $4 WHERE seq = $5",
			got.tries, lease.UnixMicro(), lease.UnixMicro(), o.cfg.Box, got.seq)
		return err
	})
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("upstream: claim an event: %w", err)
	}
	return c, next, nil
}

// reclaim makes due what a predecessor was delivering when it died: this process alone is the box, so no lease of the box's that is found at start has an owner.
// Those of another box on the same store run out by themselves, if it has died.
func (o *Outbox) reclaim(ctx context.Context, now time.Time) error {
	return o.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("UPDATE outbox SET lease = 0, due = $1 WHERE lease > 0 AND delivered = 0 AND holder = $2", now.UnixMicro(), o.cfg.Box)
		return err
	})
}

// settle writes down what became of an attempt, before anybody is told.
func (o *Outbox) settle(ctx context.Context, c *claimed, d Delivery, now time.Time) error {
	delivered, due := int64(0), d.Next
	if d.Delivered {
		delivered = now.UnixMicro()
	}
	if due.IsZero() {
		due = now
	}
	return o.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("UPDATE outbox SET lease = 0, due = $1, status = $2, delivered = $3 WHERE seq = $4",
			due.UnixMicro(), d.Status, delivered, c.seq)
		return err
	})
}
