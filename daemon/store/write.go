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
// A cancelled ctx takes back a write that hasn't begun; once begun it is waited for. The outcome is never left open, but for
// [ErrUnknown]. do runs in the writer's goroutine: it must not block and must not call Write or Read. It may run more than
// once, each time on a transaction of which nothing is left of the time before: it sets what it returns, and doesn't add to it.
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
func (db *DB) Read(ctx context.Context, do func(*Tx) error) error { return db.read(ctx, true, do) }

// One scans the first row of a query into dest: a [DB.Read] of one statement, for less. No row is [ErrNoRow].
func (db *DB) One(ctx context.Context, dest []any, query string, args ...any) error {
	return db.read(ctx, false, func(tx *Tx) error { return tx.One(dest, query, args...) })
}

func (db *DB) read(ctx context.Context, snapshot bool, do func(*Tx) error) error {
	select {
	case <-db.closing:
		return ErrClosed
	default:
	}
	var verdict error
	err := db.on.read(ctx, snapshot, func(on statements) error {
		tx := &Tx{on: on}
		if verdict = do(tx); verdict == nil {
			verdict = tx.failed
		}
		return verdict
	})
	if err != nil && verdict == nil {
		verdict = fmt.Errorf("store: read: %w", explain(err))
	}
	if errors.Is(verdict, ErrCorrupt) {
		db.damaged.Store(&verdict)
	} else if errors.Is(verdict, ErrAway) {
		db.trouble.Store(&verdict)
	} else if met := db.trouble.Load(); met != nil && errors.Is(*met, ErrAway) && (verdict == nil || errors.Is(verdict, ErrNoRow)) {
		db.trouble.Store(nil)
	}
	return verdict
}

func (db *DB) loop() {
	defer close(db.done)
	for {
		select {
		case r := <-db.queue:
			db.commit(r)
		case done := <-db.scrubs:
			done <- db.scrub()
		case <-db.closing:
			return
		}
	}
}

// tries is how often a transaction is begun that others, or a lost connection, undid.
const tries = 3

// commit runs first and whatever else is waiting in one transaction, and tells each what became of it.
//
//	BEGIN -> (SAVEPOINT, do, RELEASE | ROLLBACK TO)* -> COMMIT -> answers
//	  ^                   |                               |
//	  +--- once more -----+--- the transaction is gone ---+--> ROLLBACK, all fail
func (db *DB) commit(first *request) {
	all := []*request{first}
	lost := db.damage()
	for n := 1; lost == nil; n++ {
		if all, lost = db.attempt(all); lost == nil || n == tries || !db.on.again(lost) {
			break
		}
		lost = nil
	}
	if errors.Is(lost, ErrCorrupt) {
		db.damaged.Store(&lost)
	} else if lost != nil {
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

// attempt runs all in one transaction, and who comes meanwhile, and commits it. The error means that it is gone.
func (db *DB) attempt(all []*request) ([]*request, error) {
	for _, r := range all {
		r.err = nil // what it was told before was of a transaction that is gone
	}
	if err := db.on.begin(); err != nil {
		return all, fmt.Errorf("store: begin: %w", explain(err))
	}
	for n := 0; n < len(all); n++ {
		if err := db.run(all[n]); err != nil {
			db.on.rollback()
			return all, err
		}
		if n+1 == len(all) && len(all) < batch {
			all = db.next(all)
		}
	}
	if err := db.on.commit(); err != nil {
		db.on.rollback()
		return all, fmt.Errorf("store: commit: %w", explain(err))
	}
	return all, nil
}

// Trouble is why the store could not be written to the last time, nil if it could; or why it can't be any more. What a
// write failed of that had nothing to do with the store is none.
func (db *DB) Trouble() error {
	if err := db.damage(); err != nil {
		return err
	}
	if err := db.trouble.Load(); err != nil {
		return *err
	}
	return nil
}

// damage is why nothing is written any more until the store is opened anew. What was met once stays: other pages may be written well, and a token that is
// acknowledged beside damage could be lost with what is restored.
func (db *DB) damage() error {
	if err := db.damaged.Load(); err != nil {
		return *err
	}
	select {
	case <-db.closing: // its files may be gone by now
		return nil
	default:
		return db.on.damage()
	}
}

// note keeps what a request's end in a good commit says of the store: one that changed nothing says nothing.
func (db *DB) note(r *request) {
	switch err := r.err; {
	case errors.Is(err, ErrFull), errors.Is(err, ErrReadOnly), errors.Is(err, ErrDisk):
		db.trouble.Store(&err)
	case r.err == nil && r.tx.wrote:
		db.trouble.Store(nil)
	}
}

// next adds a waiting request, if there is one.
func (db *DB) next(all []*request) []*request {
	select {
	case r := <-db.queue:
		return append(all, r)
	default:
		return all
	}
}

// run runs one request in its savepoint and keeps its error. The error returned means that the whole
// transaction is gone: a full disk can make SQLite roll back more than the statement.
func (db *DB) run(r *request) error {
	if r.err = r.ctx.Err(); r.err != nil {
		return nil
	}
	if err := db.on.save(); err != nil {
		return fmt.Errorf("store: begin: %w", explain(err))
	}
	r.tx = &Tx{on: db.on}
	if r.err = r.do(r.tx); r.err == nil {
		r.err = r.tx.failed
	}
	if r.tx.failed != nil && (db.on.again(r.tx.failed) || errors.Is(r.tx.failed, ErrCorrupt)) { // the neighbours' rows would lie beside the damage
		r.err = nil
		return r.tx.failed
	}
	end := db.on.release
	if r.err != nil {
		end = db.on.undo
	}
	// The others' error if it fails, and not r.err: theirs would be a verdict on another's card.
	if err := end(); err != nil {
		return fmt.Errorf("store: end one of several writes: %w", explain(err))
	}
	return nil
}
