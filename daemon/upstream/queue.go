package upstream

import (
	"errors"
	"fmt"

	"github.com/flattone/flattone/daemon/store"
)

// A row of the outbox is one event for one destination. Which state it has is decided in the transaction that writes it, and a store has one
// writer, or, where boxes share it, one at a time: so an event is ready when all before it, of its key and destination, are over.
//
//	        an earlier one of its key is not over
//	enqueue ───────────────────────────────────▶ behind
//	   │                                           │ it is over
//	   └──────▶ ready ◀────────────────────────────┘
//	    later:  │ ▲ │
//	   due anew └─┘ ├─▶ delivered: over
//	                └─▶ dead ──drop──▶ dropped: over
//	              ready ◀──replay─┘
const putIn = `INSERT INTO outbox (seq, id, destination, stream, kind, media, body, queued, state, due, lease, holder, tries, begun, status, reason, ended)
	VALUES ((SELECT COALESCE(MAX(seq), 0) + 1 FROM outbox), $1, $2, $3, $4, $5, $6, $7,
		CASE WHEN EXISTS (SELECT 1 FROM outbox p WHERE p.destination = $2 AND p.stream = $3 AND p.ended = 0) THEN 'behind' ELSE 'ready' END,
		$7, 0, '', 0, 0, 0, '', 0) ON CONFLICT (id, destination) DO NOTHING`

// Enqueue puts an event into the outbox, in the transaction of what it tells about. An id that is there
// already, for the same destination, changes nothing.
func (o *Outbox) Enqueue(tx *store.Tx, e Event) error {
	if e.ID == "" || e.Type == "" || e.Key == "" || e.Time.IsZero() {
		return errors.New("upstream: enqueue: an event needs id, type, key and time")
	}
	d := o.dispatcher(e.To)
	if d == nil {
		return fmt.Errorf("upstream: enqueue: there is no destination %q", e.To)
	}
	// The body is fixed now: every attempt, today or after an upgrade, sends the same bytes.
	media, body, err := d.to.Format.write(e, o.box)
	if err != nil {
		return fmt.Errorf("upstream: enqueue: %w", err)
	}
	if _, err = tx.Exec(putIn, e.ID, e.To, e.Key, e.Type, media, body, e.Time.UnixMicro()); err != nil {
		return fmt.Errorf("upstream: enqueue: %w", err)
	}
	tx.OnCommit(d.ring)
	return nil
}

// Names are the destinations', in the order of the config.
func (o *Outbox) Names() (names []string) {
	for _, d := range o.to {
		names = append(names, d.to.Name)
	}
	return names
}

// ring wakes the dispatcher.
func (d *dispatcher) ring() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}
