package store

import (
	"context"
	"fmt"
)

// Scrub has what was deleted leave the log as well: it is brought into the database, where deleted rows are zeros, and emptied. While somebody reads an old
// snapshot it does nothing, and the next one does.
func (db *DB) Scrub(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case db.scrubs <- done:
		return <-done
	case <-ctx.Done():
		return fmt.Errorf("store: scrub: %w", ctx.Err())
	case <-db.closing:
		return ErrClosed
	}
}

func (db *DB) scrub() error {
	if err := db.on.scrub(); err != nil {
		return fmt.Errorf("store: scrub: %w", explain(err))
	}
	return nil
}
