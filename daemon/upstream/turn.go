package upstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// claimed is an event on its way.
type claimed struct {
	Envelope
	seq   int64
	tries int       // this attempt included
	begun time.Time // the first of them
}

// attempt is one that has come back.
type attempt struct {
	claimed
	Result
	at time.Time
}

// state is what an attempt says of the way. That an event is refused says that there is one.
func (r Result) state() State {
	switch r.Outcome {
	case Later:
		return Failing
	case Gone:
		return Disabled
	}
	return Ready
}

// turn writes down what became of attempts, before anybody is told, and takes up to room events that are due, those that have waited longest first; it leases
// them, and counts the attempt before it is made: all in one transaction. Where there is room left, next says when one will be due, zero if none is left.
func (d *dispatcher) turn(ctx context.Context, back []attempt, room int, now time.Time) (told []Delivery, taken []claimed, next time.Time, err error) {
	err = d.o.store.Write(ctx, func(tx *store.Tx) (err error) {
		told, taken, next = nil, nil, time.Time{}
		if told, err = d.settle(tx, back, now); err == nil && room > 0 {
			taken, next, err = d.claim(tx, room, now)
		}
		return err
	})
	if err != nil {
		return nil, nil, time.Time{}, fmt.Errorf("upstream: %s: %w", d.to.Name, err)
	}
	return told, taken, next, nil
}

// settle writes down attempts: those that delivered together, as they are many.
func (d *dispatcher) settle(tx *store.Tx, back []attempt, now time.Time) (told []Delivery, err error) {
	arrived := map[int][]int64{} // seqs by the answer's status
	var keys []string            // whose next may go
	for _, a := range back {
		one := Delivery{To: d.to.Name, EventID: a.ID, Type: a.Type, Key: a.Key, Tries: a.tries, Status: a.Status, Reason: a.Reason, State: a.state()}
		if a.Outcome == Delivered {
			one.Delivered, one.Reason = true, ""
			arrived[a.Status], keys = append(arrived[a.Status], a.seq), append(keys, a.Key)
		} else if err = d.settleFailed(tx, a, &one); err != nil {
			return nil, err
		}
		told = append(told, one)
	}
	for status, seqs := range arrived {
		if err = markDelivered.run(tx, seqs, status, now.UnixMicro()); err != nil {
			return nil, err
		}
	}
	return told, promote.run(tx, keys, d.to.Name)
}

// settleFailed writes down an attempt that didn't deliver, and says of it what follows. What another box has since taken over, because this one seemed to have
// died, is that box's to settle.
func (d *dispatcher) settleFailed(tx *store.Tx, a attempt, said *Delivery) (err error) {
	if said.Dead = a.Outcome == Refused || a.Outcome == Later && a.at.Sub(a.begun) >= d.to.GiveUp; said.Dead {
		_, err = tx.Exec("UPDATE outbox SET state = 'dead', lease = 0, status = $1, reason = $2 WHERE seq = $3 AND state = 'ready' AND holder = $4 AND tries = $5",
			a.Status, a.Reason, a.seq, d.o.box, a.tries)
		return err
	}
	due := a.at
	if a.Outcome == Later {
		said.Next = a.at.Add(max(d.backOff(a.tries), min(a.After, d.to.MaxWait)))
		due = said.Next
	}
	_, err = tx.Exec("UPDATE outbox SET due = $1, lease = 0, status = $2, reason = $3 WHERE seq = $4 AND state = 'ready' AND holder = $5 AND tries = $6",
		due.UnixMicro(), a.Status, a.Reason, a.seq, d.o.box, a.tries)
	return err
}

// errEnough ends a query whose other rows nobody needs.
var errEnough = errors.New("enough")

// claim leases what is due. What is on its way already isn't taken again, whatever was done to the clock.
func (d *dispatcher) claim(tx *store.Tx, room int, now time.Time) (taken []claimed, next time.Time, err error) {
	err = tx.Each(func(scan func(...any) error) error {
		var c claimed
		var due, begun int64
		if err := scan(&c.seq, &c.ID, &c.Type, &c.Key, &c.ContentType, &c.Body, &c.tries, &begun, &due); err != nil {
			return err
		}
		if d.away[c.seq] {
			return nil
		}
		// Nothing is ever put off for longer than this: a later time comes from a clock since set back.
		if wait := time.UnixMicro(due).Sub(now); wait > 0 && wait <= d.to.MaxWait+2*d.to.Timeout {
			next = now.Add(wait)
			return errEnough
		}
		c.tries++
		if c.begun = time.UnixMicro(begun); begun == 0 {
			c.begun = now
		}
		if taken = append(taken, c); len(taken) == room {
			return errEnough
		}
		return nil
	}, `SELECT seq, id, kind, stream, media, body, tries, begun, due FROM outbox
		WHERE destination = $1 AND state = 'ready' ORDER BY due, seq LIMIT $2`, d.to.Name, room+len(d.away)+1)
	if err != nil && !errors.Is(err, errEnough) {
		return nil, time.Time{}, err
	}
	seqs := make([]int64, 0, len(taken))
	for _, c := range taken {
		seqs = append(seqs, c.seq)
	}
	return taken, next, lease.run(tx, seqs, now.Add(2*d.to.Timeout).UnixMicro(), d.o.box, now.UnixMicro())
}

// reclaim makes due what a predecessor was delivering when it died: this process alone is the box, so no lease of the box's that is found at start has an owner.
// Those of another box on the same store run out by themselves, if it has died.
func (d *dispatcher) reclaim(ctx context.Context, now time.Time) error {
	return d.o.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("UPDATE outbox SET lease = 0, due = $1 WHERE lease > 0 AND state = 'ready' AND destination = $2 AND holder = $3",
			now.UnixMicro(), d.to.Name, d.o.box)
		return err
	})
}
