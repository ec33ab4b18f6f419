package store

import "context"

// statements runs SQL in one transaction, for one goroutine.
type statements interface {
	// exec returns how many rows it changed.
	exec(query string, args []any) (int64, error)
	// one scans the first row into dest, or says that there is none.
	one(dest []any, query string, args []any) (found bool, err error)
	// each calls row for every row until it returns false. Other statements may run meanwhile.
	each(row func(scan func(dest ...any) error) bool, query string, args []any) error
}

// engine is what SQLite and PostgreSQL do each in its own way. Its statements are those of the writer's transaction; but
// for read, only the writer's goroutine uses it.
type engine interface {
	statements
	// begin begins the one write transaction that there is at a time, whoever else has the database open.
	begin() error
	// save begins what release keeps of the transaction, or undo takes back, one at a time.
	save() error
	release() error
	undo() error
	// commit returns nil once the transaction is durable. After an error it is gone, or is to be rolled back, but for [ErrUnknown].
	commit() error
	rollback()
	// again reports whether a transaction that was lost to err is worth another try.
	again(err error) bool
	// read runs do on a snapshot; one statement of its own is one without being asked to.
	read(ctx context.Context, snapshot bool, do func(statements) error) error
	// scrub has deleted rows leave what lies on the disk, as far as it can be had now.
	scrub() error
	// damage is what was found out to be damaged while nobody asked.
	damage() error
	close() error
}
