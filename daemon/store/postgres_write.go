package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// lockSpace is of the locks of this program in the database ("flat"): two numbers are one lock, one number another kind.
	lockSpace = 0x666c6174
	// turn is the lock of who writes.
	turn = lockSpace
	// transactionTime bounds a write transaction, the wait for its turn included.
	transactionTime = 30 * time.Second
	// unhurriedTime bounds one that nobody waits for: ten million cards and what belongs to them.
	unhurriedTime = 24 * time.Hour
	// lookUpTime is for how long it is tried to find out what became of a commit.
	lookUpTime = 8 * time.Second
	// refusedFor is how long nobody else tries to connect after it failed: those who wait aren't to wait for it one after the other.
	refusedFor = time.Second
)

// refusal is the last failure to connect.
type refusal struct {
	err error
	at  time.Time
}

func (e *shared) begin() error {
	if e.conn == nil || e.conn.IsClosed() {
		if e.away.err != nil && time.Since(e.away.at) < refusedFor {
			return e.away.err
		}
		if err := e.reconnect(); err != nil {
			return err
		}
	}
	e.end()
	e.ctx, e.end = context.WithTimeout(context.Background(), e.longest)
	e.due = fmt.Sprintf("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock(%d); ", turn)
	return nil
}

// now runs a statement, after what is due: each time the server is asked costs a way there and back.
func (e *shared) now(statement string) (pgconn.CommandTag, error) {
	tag, err := e.conn.Exec(e.ctx, e.due+statement)
	e.due = ""
	return tag, err
}

func (e *shared) save() error {
	_, err := e.now("SAVEPOINT request")
	return e.lost(err)
}

func (e *shared) release() error {
	e.due = "RELEASE request; "
	return nil
}

func (e *shared) undo() error {
	_, err := e.now("ROLLBACK TO request; RELEASE request")
	return e.lost(err)
}

// commit leaves a mark beside what was written, by which [shared.lookUp] can tell that it was. What wrote nothing leaves none and costs no flush.
func (e *shared) commit() error {
	next := e.mark + 1
	tag, err := e.now(fmt.Sprintf(
		"UPDATE store_box SET mark = %d WHERE id = %d AND pg_current_xact_id_if_assigned() IS NOT NULL; COMMIT", next, e.id))
	switch {
	case err != nil && e.conn.IsClosed():
		return e.lookUp(next, err)
	case err != nil:
		return err
	case tag.String() != "COMMIT":
		return errors.New("the database took the transaction back")
	}
	e.mark = next
	return nil
}

// lookUp finds out what became of a commit whose answer was lost.
func (e *shared) lookUp(mark int64, why error) error {
	for until := time.Now().Add(lookUpTime); ; time.Sleep(100 * time.Millisecond) {
		err := e.reconnect()
		switch {
		case err == nil && e.mark == mark:
			return nil
		case err == nil: // and who has the name now knows that the transaction isn't under way
			return fmt.Errorf("%w: %w", errLost, why)
		case time.Now().After(until):
			return fmt.Errorf("%w: %w: %w", ErrUnknown, err, why)
		}
	}
}

func (e *shared) rollback() {
	e.due = ""
	if e.conn != nil && !e.conn.IsClosed() {
		e.now("ROLLBACK")
	}
}

// again: others were in the way, or the connection was lost before the commit.
func (e *shared) again(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && (pg.Code == "40001" || pg.Code == "40P01") {
		return true
	}
	return errors.Is(err, errLost)
}

func (e *shared) reconnect() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*connectTime)
	defer cancel()
	err := e.connect(ctx)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrAway, err)
	}
	e.away = refusal{err, time.Now()}
	return err
}

// connect makes the session that writes, and takes the box's name in it.
func (e *shared) connect(ctx context.Context) error {
	config := e.config.Copy()
	if err := e.box.secret(ctx, config); err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	if err = e.settle(ctx, conn); err != nil {
		conn.Close(context.WithoutCancel(ctx))
		return err
	}
	e.conn = conn
	return nil
}

// settle makes sure of a new session: that what it commits is durable, and that it is the box's only one.
func (e *shared) settle(ctx context.Context, conn *pgx.Conn) error {
	if err := judgeServer(ctx, conn); err != nil {
		return err
	}
	if err := holdName(ctx, conn, e.box.Box); err != nil {
		return err
	}
	if err := knowBlob(ctx, conn); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "INSERT INTO store_box (name, mark) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING", e.box.Box); err != nil {
		return err
	}
	return conn.QueryRow(ctx, "SELECT id, mark FROM store_box WHERE name = $1", e.box.Box).Scan(&e.id, &e.mark)
}

// nameTime is how long a predecessor that was just killed may take to be gone.
const nameTime = "2s"

func holdName(ctx context.Context, conn *pgx.Conn, box string) error {
	if _, err := conn.Exec(ctx, "SET lock_timeout = '"+nameTime+"'"); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1, hashtext($2))", int32(lockSpace), box)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "55P03" {
		return fmt.Errorf("%w: box %q is connected to the database; stop that one or give this one another [store] box", ErrHeld, box)
	}
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "SET lock_timeout = '"+settings["lock_timeout"]+"'")
	return err
}
