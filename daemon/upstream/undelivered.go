package upstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// Undelivered is what may be known of an event that a destination doesn't have: all but its body.
type Undelivered struct {
	ID, To, Type, Key string
	Queued            time.Time
	Dead              bool
	Behind            bool      // an earlier one of its key is not over
	Due               time.Time // when it is tried next, at the earliest; zero if it is dead or behind
	Tries             int
	Status            int    // of the last answer, as HTTP has them; 0 if there was none
	Reason            string // why the last attempt failed
}

// Pick says which events are meant: those that fit all of it.
type Pick struct {
	ID string // empty: any
	To string // a destination's name; empty: any
	// Dead leaves out what isn't a dead letter.
	Dead bool
}

// Undelivered lists at most limit events, those first that were put in first.
func (o *Outbox) Undelivered(ctx context.Context, p Pick, limit int) (all []Undelivered, err error) {
	err = o.store.Read(ctx, func(tx *store.Tx) error {
		return tx.Each(func(scan func(...any) error) error {
			var u Undelivered
			var state string
			var queued, due int64
			if err := scan(&u.ID, &u.To, &u.Type, &u.Key, &queued, &state, &due, &u.Tries, &u.Status, &u.Reason); err != nil {
				return err
			}
			u.Queued, u.Dead, u.Behind = time.UnixMicro(queued), state == "dead", state == "behind"
			if state == "ready" {
				u.Due = time.UnixMicro(due)
			}
			all = append(all, u)
			return nil
		}, `SELECT id, destination, kind, stream, queued, state, due, tries, status, reason FROM outbox
			WHERE ended = 0 AND ($1 = '' OR id = $1) AND ($2 = '' OR destination = $2) AND ($3 = 0 OR state = 'dead') ORDER BY seq LIMIT $4`,
			p.ID, p.To, number(p.Dead), int64(limit))
	})
	if err != nil {
		return nil, fmt.Errorf("upstream: list what waits: %w", err)
	}
	return all, nil
}

func number(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

// Replay has the dead letters that fit sent again, as if they had never been tried, in the transaction that notes who wanted it; and says how many.
func (o *Outbox) Replay(tx *store.Tx, p Pick, now time.Time) (n int64, err error) {
	n, err = tx.Exec(`UPDATE outbox SET state = 'ready', due = $1, tries = 0, begun = 0 WHERE state = 'dead' AND ($2 = '' OR id = $2) AND ($3 = '' OR destination = $3)`,
		now.UnixMicro(), p.ID, p.To)
	tx.OnCommit(o.ringAll)
	return n, err
}

// Drop gives up the dead letters that fit, and with a destination that isn't configured whatever waits for it, so that what waits behind goes on; in the transaction that notes
// who wanted it. It says how many.
func (o *Outbox) Drop(tx *store.Tx, p Pick, now time.Time) (int64, error) {
	type place struct{ to, key string }
	var freed []place
	nobody := p.To != "" && o.dispatcher(p.To) == nil
	err := tx.Each(func(scan func(...any) error) error {
		var at place
		err := scan(&at.to, &at.key)
		freed = append(freed, at)
		return err
	}, `SELECT DISTINCT destination, stream FROM outbox WHERE ended = 0 AND (state = 'dead' OR $1 = 1) AND ($2 = '' OR id = $2) AND ($3 = '' OR destination = $3)`,
		number(nobody), p.ID, p.To)
	if err != nil {
		return 0, err
	}
	n, err := tx.Exec(`UPDATE outbox SET state = 'dropped', lease = 0, ended = $1 WHERE ended = 0 AND (state = 'dead' OR $2 = 1) AND ($3 = '' OR id = $3) AND ($4 = '' OR destination = $4)`,
		now.UnixMicro(), number(nobody), p.ID, p.To)
	for _, at := range freed {
		if err != nil {
			break
		}
		err = promote.run(tx, []string{at.key}, at.to)
	}
	tx.OnCommit(o.ringAll)
	return n, err
}

// ErrNoDestination is asked for one that there isn't, ErrNotDisabled to resume one that isn't disabled.
var (
	ErrNoDestination = errors.New("there is no such destination")
	ErrNotDisabled   = errors.New("the destination is not disabled")
)

// Resume has a destination that said that it is gone tried again.
func (o *Outbox) Resume(name string) error {
	d := o.dispatcher(name)
	if d == nil {
		return ErrNoDestination
	}
	if !d.state.CompareAndSwap(int32(Disabled), int32(Ready)) {
		return ErrNotDisabled
	}
	d.ring()
	return nil
}

func (o *Outbox) ringAll() {
	for _, d := range o.to {
		d.ring()
	}
}
