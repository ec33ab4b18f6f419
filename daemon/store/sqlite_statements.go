package store

import (
	"context"
	"database/sql"
	"errors"
)

// parsed is a connection that parses each statement once: parsing was a third of a write's time, and most of a look-up's. The texts it is given
// are constants of the program, so their number is bounded. For one goroutine.
type parsed struct {
	conn  *sql.Conn
	known map[string]*sql.Stmt
}

func newParsed(conn *sql.Conn) *parsed { return &parsed{conn, map[string]*sql.Stmt{}} }

func (p *parsed) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if st := p.known[query]; st != nil {
		return st, nil
	}
	st, err := p.conn.PrepareContext(ctx, query)
	if err == nil {
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
	st, err := tx.on.prepare(tx.ctx, query)
	if err != nil {
		return 0, err
	}
	res, err := st.ExecContext(tx.ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (tx litetx) one(dest []any, query string, args []any) (bool, error) {
	st, err := tx.on.prepare(tx.ctx, query)
	if err != nil {
		return false, err
	}
	err = st.QueryRowContext(tx.ctx, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// each parses anew: the same query may run again while its rows are open.
func (tx litetx) each(row func(scan func(...any) error) bool, query string, args []any) error {
	rows, err := tx.on.conn.QueryContext(tx.ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if !row(rows.Scan) {
			return nil
		}
	}
	return rows.Err()
}
