package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pgtx is a transaction of PostgreSQL's: the statements on one connection.
type pgtx struct {
	ctx  context.Context
	conn *pgx.Conn
	open int // how many cursors are
}

// fetched is how many rows of a cursor come at a time.
const fetched = 256

func (tx *pgtx) exec(query string, args []any) (int64, error) {
	tag, err := tx.conn.Exec(tx.ctx, query, args...)
	return tag.RowsAffected(), tx.lost(err)
}

func (tx *pgtx) one(dest []any, query string, args []any) (bool, error) {
	err := tx.conn.QueryRow(tx.ctx, query, args...).Scan(dest...)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, tx.lost(err)
}

// each reads by a cursor: a connection whose rows are still on their way takes no other statement. What changes rows and returns them can have none; it is
// read whole.
func (tx *pgtx) each(row func(scan func(...any) error) bool, query string, args []any) (err error) {
	if !strings.HasPrefix(strings.TrimSpace(query), "SELECT") {
		return tx.whole(row, query, args)
	}
	cursor := fmt.Sprint("each_", tx.open)
	if _, err := tx.exec("DECLARE "+cursor+" BINARY NO SCROLL CURSOR FOR "+query, args); err != nil {
		return err
	}
	tx.open++
	defer func() {
		tx.open--
		if _, closed := tx.exec("CLOSE "+cursor, nil); err == nil {
			err = closed
		}
	}()
	for {
		results, err := tx.conn.PgConn().Exec(tx.ctx, fmt.Sprint("FETCH ", fetched, " FROM ", cursor)).ReadAll()
		if err != nil {
			return tx.lost(err)
		}
		if !tx.rows(row, results[0]) || len(results[0].Rows) < fetched {
			return nil
		}
	}
}

func (tx *pgtx) whole(row func(scan func(...any) error) bool, query string, args []any) error {
	rows, err := tx.conn.Query(tx.ctx, query, args...)
	if err != nil {
		return tx.lost(err)
	}
	var r pgconn.Result
	for rows.Next() {
		var values [][]byte
		for _, v := range rows.RawValues() { // valid until the next row
			if v != nil {
				v = append(make([]byte, 0, len(v)), v...)
			}
			values = append(values, v)
		}
		r.Rows = append(r.Rows, values)
	}
	r.FieldDescriptions = rows.FieldDescriptions()
	if err := rows.Err(); err != nil {
		return tx.lost(err)
	}
	tx.rows(row, &r)
	return nil
}

// rows reports whether there may be more.
func (tx *pgtx) rows(row func(scan func(...any) error) bool, r *pgconn.Result) bool {
	for _, values := range r.Rows {
		if !row(func(dest ...any) error {
			return pgx.ScanRow(tx.conn.TypeMap(), r.FieldDescriptions, values, dest...)
		}) {
			return false
		}
	}
	return true
}

// errLost: the connection is gone, and with it a transaction that wasn't committed.
var errLost = fmt.Errorf("%w: the connection to it is lost", ErrAway)

// lost tells what ended the connection from what ended a statement.
func (tx *pgtx) lost(err error) error {
	if err != nil && tx.conn.IsClosed() {
		return fmt.Errorf("%w: %w", errLost, err)
	}
	return err
}
