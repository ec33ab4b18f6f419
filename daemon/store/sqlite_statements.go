package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
)

// parsed is a connection that parses each statement once: parsing was a third of a write's time, and most of a look-up's. It goes straight by the driver:
// database/sql, which is there for many goroutines on any database, took another third of a look-up. The texts it is given are constants of the program, so
// their number is bounded. For one goroutine.
type parsed struct {
	conn  driver.Conn
	known map[string]statement
}

// statement is what the driver's statements can do.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// newParsed opens a connection.
func newParsed(ctx context.Context, by driver.Connector) (*parsed, error) {
	conn, err := by.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &parsed{conn, map[string]statement{}}, nil
}

func (p *parsed) prepare(ctx context.Context, query string) (statement, error) {
	st, err := p.conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.(statement), nil
}

func (p *parsed) prepared(ctx context.Context, query string) (st statement, err error) {
	if st = p.known[query]; st != nil {
		return st, nil
	}
	if st, err = p.prepare(ctx, query); err == nil {
		p.known[query] = st
	}
	return st, err
}

// close gives all statements and the connection back.
func (p *parsed) close() error {
	var errs []error
	for _, st := range p.known {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, p.conn.Close())...)
}

// litetx is a transaction of SQLite's: the statements on one connection.
type litetx struct {
	ctx context.Context
	on  *parsed
}

func (tx litetx) exec(query string, args []any) (int64, error) {
	st, err := tx.on.prepared(tx.ctx, query)
	if err != nil {
		return 0, err
	}
	values, err := numbered(args)
	if err != nil {
		return 0, err
	}
	res, err := st.ExecContext(tx.ctx, values)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (tx litetx) one(dest []any, query string, args []any) (found bool, err error) {
	st, err := tx.on.prepared(tx.ctx, query)
	if err != nil {
		return false, err
	}
	var scanned error
	err = tx.rows(st, args, func(scan func(...any) error) bool {
		found, scanned = true, scan(dest...)
		return false
	})
	if err == nil {
		err = scanned
	}
	return found && err == nil, err
}

// each has its statement to itself: the same query may run again while its rows are open, and is parsed anew then.
func (tx litetx) each(row func(scan func(...any) error) bool, query string, args []any) (err error) {
	st, err := tx.on.prepared(tx.ctx, query)
	if err != nil {
		return err
	}
	delete(tx.on.known, query)
	defer func() {
		if tx.on.known[query] == nil {
			tx.on.known[query] = st
			return
		}
		err = errors.Join(err, st.Close())
	}()
	return tx.rows(st, args, row)
}

// rows calls row for every row until it returns false.
func (tx litetx) rows(st statement, args []any, row func(scan func(...any) error) bool) (err error) {
	values, err := numbered(args)
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(tx.ctx, values)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	have := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(have); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if !row(func(dest ...any) error { return scan(dest, have) }) {
			return nil
		}
	}
}
