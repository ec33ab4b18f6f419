package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Tx is a transaction, valid only inside the function it was given to, for one goroutine.
//
// It is strict as PostgreSQL is: once a statement has failed every further one fails with the same error,
// and so does the transaction, even if the function swallows the error.
type Tx struct {
	ctx      context.Context
	on       querier // parses anew: for queries whose rows may stay open while others run
	prepared querier // parses once
	failed   error
	wrote    bool
	after    []func()
}

// querier is a connection or a transaction of database/sql.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	if tx.failed != nil {
		return 0, tx.failed
	}
	res, err := tx.prepared.ExecContext(tx.ctx, query, args...)
	if err != nil {
		return 0, tx.fail(err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, tx.fail(err)
	}
	tx.wrote = tx.wrote || n > 0
	return n, nil
}

// Each calls row for every row of a query, in order, with a function that scans it. An error of row ends
// the query and is returned as it is.
func (tx *Tx) Each(row func(scan func(dest ...any) error) error, query string, args ...any) error {
	return tx.query(tx.on, row, query, args)
}

// One scans the first row of a query into dest. No row is [ErrNoRow], which doesn't fail the transaction.
func (tx *Tx) One(dest []any, query string, args ...any) error {
	found := errors.New("found")
	err := tx.query(tx.prepared, func(scan func(...any) error) error {
		if err := scan(dest...); err != nil {
			return tx.fail(err)
		}
		return found
	}, query, args)
	switch err {
	case found:
		return nil
	case nil:
		return ErrNoRow
	}
	return err
}

func (tx *Tx) query(on querier, row func(scan func(dest ...any) error) error, query string, args []any) error {
	if tx.failed != nil {
		return tx.failed
	}
	rows, err := on.QueryContext(tx.ctx, query, args...)
	if err != nil {
		return tx.fail(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return tx.fail(err)
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
