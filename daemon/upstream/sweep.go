package upstream

import (
	"context"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

const (
	// Kept is how long what is over stays in the outbox: by then nobody sends again what told of it, under its id.
	Kept       = 30 * 24 * time.Hour
	sweepEvery = time.Hour
	sweepMost  = 1000 // rows at a time, between which others get at the store
)

// sweep takes out what has been over for long, until ctx ends.
func (o *Outbox) sweep(ctx context.Context) {
	for {
		for after, more := int64(0), true; more && ctx.Err() == nil; {
			var err error
			if after, more, err = o.sweepAfter(ctx, after); err != nil {
				if ctx.Err() == nil {
					o.log.Error("what upstream has long been told could not be taken out of the outbox; in an hour it is tried again", "error", err)
				}
				break
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(sweepEvery):
		}
	}
}

// sweepAfter looks at the rows that follow one, oldest first, and reports whether there may be more to take out: none follows one that was over only lately, give or
// take what waited longer than others, which goes another time.
func (o *Outbox) sweepAfter(ctx context.Context, after int64) (last int64, more bool, err error) {
	var old []int64
	rows, before := 0, time.Now().Add(-Kept).UnixMicro()
	err = o.store.Read(ctx, func(tx *store.Tx) error {
		old, rows, last, more = nil, 0, after, true
		return tx.Each(func(scan func(...any) error) error {
			var ended int64
			err := scan(&last, &ended)
			switch rows++; {
			case ended > 0 && ended < before:
				old = append(old, last)
			case ended > 0:
				more = false
			}
			return err
		}, "SELECT seq, ended FROM outbox WHERE seq > $1 ORDER BY seq LIMIT $2", after, sweepMost)
	})
	if err == nil && len(old) > 0 {
		err = o.store.Write(ctx, func(tx *store.Tx) error { return takeOut.run(tx, old) })
	}
	return last, more && rows == sweepMost, err
}

// takeOut deletes rows.
var takeOut = newMany[int64](0, "DELETE FROM outbox WHERE seq IN ", "$0")
