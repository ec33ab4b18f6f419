package store

import (
	"context"
	"errors"
	"fmt"
)

// batch bounds how many writes share a commit, and so how long the first of them waits for the others.
const batch = 128

type request struct {
	ctx  context.Context
	do   func(*Tx) error
	tx   *Tx
	err  error
	done chan error
}

// Write runs do in a transaction and returns after it is durable, or with do's error and nothing written.
// A cancelled ctx takes back a write that hasn't begun; once begun it is waited for, so that the outcome is
// never unknown. do runs in the writer's goroutine: it must not block and must not call Write or Read.
func (db *DB) Write(ctx context.Context, do func(*Tx) error) error {
	r := &request{ctx: ctx, do: do, done: make(chan error, 1)}
	select {
	case db.queue <- r:
		return <-r.done
	case <-ctx.Done():
		return fmt.Errorf("store: write: %w", ctx.Err())
	case <-db.closing:
		return ErrClosed
	}
}

// Read runs do on a snapshot that no write changes meanwhile. Writing in it fails.
func (db *DB) Read(ctx context.Context, do func(*Tx) error) error {
	var conn *statements
	select {
	case conn = <-db.idle: // nobody's any more once Close has them all
	case <-ctx.Done():
		return fmt.Errorf("store: read: %w", ctx.Err())
	case <-db.closing:
		return ErrClosed
	}
	defer func() { db.idle <- conn }()
	// Neither is cancelled: a connection must not be given back in a transaction.
	if _, err := conn.ExecContext(context.Background(), "BEGIN"); err != nil {
		return fmt.Errorf("store: begin to read: %w", explain(err))
	}
	defer conn.ExecContext(context.Background(), "ROLLBACK")
	tx := &Tx{ctx: ctx, on: conn.on, prepared: conn}
	if err := do(tx); err != nil {
		return err
	}
	return tx.failed
}

func (db *DB) loop() {
	defer close(db.done)
	for {
		select {
		case r := <-db.queue:
			db.commit(r)
		case <-db.closing:
			return
		}
	}
}

// commit runs first and whatever else is waiting in one transaction, and tells each what became of it.
//
//	BEGIN -> (SAVEPOINT, do, RELEASE | ROLLBACK TO)* -> COMMIT -> answers
//	                      |                               |
//	                      +--- the transaction is gone ---+--> ROLLBACK, all fail
func (db *DB) commit(first *request) {
	if err := db.exec("BEGIN IMMEDIATE"); err != nil {
		db.trouble.Store(&err)
		first.done <- err
		return
	}
	var all []*request
	var lost error
	for r := first; r != nil; {
		all = append(all, r)
		if lost = db.run(r); lost != nil {
			break
		}
		r = db.next(len(all))
	}
	if lost == nil {
		lost = db.exec("COMMIT")
	}
	if lost != nil {
		// The error is already known; a transaction that SQLite has ended by itself makes this one fail.
		db.exec("ROLLBACK")
		db.trouble.Store(&lost)
	}
	for _, r := range all {
		if r.err == nil {
			r.err = lost
		}
		if lost == nil {
			db.note(r)
		}
		if r.err == nil {
			for _, f := range r.tx.after {
				f()
			}
		}
		r.done <- r.err
	}
}

// Trouble is why the folder could not be written to the last time, nil if it could. What a write failed of that had
// nothing to do with the folder is none.
func (db *DB) Trouble() error {
	if err := db.trouble.Load(); err != nil {
		return *err
	}
	return nil
}

// note keeps what a request's end in a good commit says of the folder: one that changed nothing says nothing.
func (db *DB) note(r *request) {
	switch err := r.err; {
	case errors.Is(err, ErrFull), errors.Is(err, ErrReadOnly), errors.Is(err, ErrCorrupt):
		db.trouble.Store(&err)
	case r.err == nil && r.tx.wrote:
		db.trouble.Store(nil)
	}
}

// next returns a waiting request, or nil if there is none or the batch is full.
func (db *DB) next(have int) *request {
	if have == batch {
		return nil
	}
	select {
	case r := <-db.queue:
		return r
	default:
		return nil
	}
}

// run runs one request in its savepoint and keeps its error. The error returned means that the whole
// transaction is gone: a full disk can make SQLite roll back more than the statement.
func (db *DB) run(r *request) error {
	if r.err = r.ctx.Err(); r.err != nil {
		return nil
	}
	if err := db.exec("SAVEPOINT request"); err != nil {
		return err
	}
	r.tx = &Tx{ctx: context.Background(), on: db.conn.on, prepared: db.conn}
	if r.err = r.do(r.tx); r.err == nil {
		r.err = r.tx.failed
	}
	if r.err != nil {
		// The others' error if it fails, and not r.err: theirs would be a verdict on another's card.
		if err := db.exec("ROLLBACK TO request"); err != nil {
			return err
		}
	}
	return db.exec("RELEASE request")
}

func (db *DB) exec(query string) error {
	if _, err := db.conn.ExecContext(context.Background(), query); err != nil {
		return fmt.Errorf("store: %s: %w", query, explain(err))
	}
	return nil
}
