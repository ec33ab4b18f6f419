package store

import "fmt"

// Tx is a transaction, valid only inside the function it was given to, for one goroutine.
//
// It is strict as PostgreSQL is: once a statement has failed every further one fails with the same error,
// and so does the transaction, even if the function swallows the error.
type Tx struct {
	on     statements
	failed error
	wrote  bool
	after  []func()
}

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	if tx.failed != nil {
		return 0, tx.failed
	}
	n, err := tx.on.exec(query, args)
	if err != nil {
		return 0, tx.fail(err)
	}
	tx.wrote = tx.wrote || n > 0
	return n, nil
}

// Each calls row for every row of a query, in order, with a function that scans it. An error of row ends
// the query and is returned as it is.
func (tx *Tx) Each(row func(scan func(dest ...any) error) error, query string, args ...any) error {
	if tx.failed != nil {
		return tx.failed
	}
	var stop error
	err := tx.on.each(func(scan func(...any) error) bool {
		stop = row(scan)
		return stop == nil
	}, query, args)
	if stop == nil && err != nil {
		return tx.fail(err)
	}
	return stop
}

// One scans the first row of a query into dest. No row is [ErrNoRow], which doesn't fail the transaction.
func (tx *Tx) One(dest []any, query string, args ...any) error {
	if tx.failed != nil {
		return tx.failed
	}
	found, err := tx.on.one(dest, query, args)
	switch {
	case err != nil:
		return tx.fail(err)
	case !found:
		return ErrNoRow
	}
	return nil
}

// OnCommit calls f after the transaction is durable, before Write returns, from the writer's goroutine:
// f must be quick and must not write. It isn't called if the transaction fails.
func (tx *Tx) OnCommit(f func()) { tx.after = append(tx.after, f) }

func (tx *Tx) fail(err error) error {
	tx.failed = fmt.Errorf("store: %w", explain(err))
	return tx.failed
}
