package store

import (
	"context"
	"database/sql"
)

// statements is a connection that parses each statement once: parsing was a third of a write's time. The
// texts it is given are constants of the program, so their number is bounded. For one goroutine; and the
// rows of a query must be closed before the same query runs again.
type statements struct {
	on    *sql.Conn
	known map[string]*sql.Stmt
}

func (s *statements) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if st := s.known[query]; st != nil {
		return st, nil
	}
	st, err := s.on.PrepareContext(ctx, query)
	if err == nil {
		s.known[query] = st
	}
	return st, err
}

func (s *statements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	st, err := s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// Close gives all statements and the connection back.
func (s *statements) Close() error {
	var first error
	for _, st := range s.known {
		if err := st.Close(); err != nil && first == nil {
			first = err
		}
	}
	if err := s.on.Close(); err != nil && first == nil {
		first = err
	}
	return first
}
