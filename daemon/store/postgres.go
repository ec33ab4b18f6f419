package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// shared is the engine of a PostgreSQL database, which other boxes may share.
//
// What a write reads stays true until it commits, as it does with SQLite: boxes take turns, by a lock of the database that each write transaction holds to its
// end (pg_advisory_xact_lock), and each statement sees what was committed before it (READ COMMITTED). So a transaction of one box is never undone for one of
// another's, and what is written needn't know that there are others.
//
// A box proves who it is by a lock that its writing session holds as long as it lasts. Two processes that go by one box's name can't both have it; and once
// a session has the lock, nothing of its predecessor's is under way any more, so that what became of a commit whose answer was lost can be looked up.
//
//	away ──connect──▶ settings judged ──▶ name held ──▶ ready ──BEGIN, turn──▶ writing ──COMMIT──▶ ready
//	 ▲                                                    │                       │          └─ lost: connect, look up the mark
//	 └──────────────── the connection is lost ────────────┴───────────────────────┘
type shared struct {
	pgtx     // the writer's
	box      Postgres
	config   *pgx.ConnConfig
	longest  time.Duration // of a write transaction
	id, mark int64         // of the box in store_box
	due      string        // what is to be said first when the server is asked the next time
	end      context.CancelFunc
	away     refusal
	readers  *pgxpool.Pool
}

// openShared connects, makes what isn't there yet, and brings the schema up to date.
func openShared(ctx context.Context, cfg Config) (_ *shared, err error) {
	if n := len(cfg.Postgres.Box); n == 0 || n > 64 {
		return nil, errors.New("a box that shares a database needs a name of 1 to 64 bytes")
	}
	e := &shared{box: cfg.Postgres, longest: transactionTime, end: func() {}}
	if cfg.Unhurried {
		e.longest = unhurriedTime
	}
	if e.config, err = e.box.parse(); err != nil {
		return nil, err
	}
	marked, err := marked(cfg.Dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	if err := prepare(ctx, cfg, e.config, marked); err != nil {
		return nil, err
	}
	if err := e.connect(ctx); err != nil {
		return nil, err
	}
	pool, err := pgxpool.ParseConfig("")
	if err != nil {
		return nil, err
	}
	pool.ConnConfig = e.config
	pool.MaxConns, pool.BeforeConnect, pool.AfterConnect = mostReaders, e.box.secret, knowBlob
	if e.readers, err = pgxpool.NewWithConfig(context.WithoutCancel(ctx), pool); err != nil {
		return nil, err
	}
	if err := e.readers.Ping(ctx); err != nil {
		return nil, err
	}
	return e, markAs(cfg.Dir, markShared)
}

// knowBlob has a connection send blobs as what they are, and not in hexadecimal digits.
func knowBlob(ctx context.Context, c *pgx.Conn) error {
	var oid uint32
	if err := c.QueryRow(ctx, "SELECT 'blob'::regtype::oid").Scan(&oid); err != nil {
		return err
	}
	c.TypeMap().RegisterType(&pgtype.Type{Name: "blob", OID: oid, Codec: pgtype.ByteaCodec{}})
	return nil
}

// read begins a transaction in any case: it finds out that a connection is lost before do is begun.
func (e *shared) read(ctx context.Context, _ bool, do func(statements) error) error {
	for range mostReaders + 1 {
		on, err := e.readers.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
		if err == nil {
			defer on.Rollback(context.WithoutCancel(ctx))
			return do(&pgtx{ctx: ctx, conn: on.Conn()})
		}
		if _, refused := errors.AsType[*pgconn.ConnectError](err); refused || ctx.Err() != nil || !isAway(err) {
			return err
		}
		// A connection that was lost while nobody used it; there may be as many as there are readers.
	}
	return fmt.Errorf("%w: each connection to read by is lost", ErrAway)
}

// scrub has nothing to do: what was deleted goes from PostgreSQL's files when it vacuums, and from its log when that is recycled, neither of which is a box's to
// order. Until then only the destruction of the key that it is sealed under ends it.
func (e *shared) scrub() error { return nil }

// damage is PostgreSQL's own to look for; what it finds is told to who asks for a damaged row.
func (e *shared) damage() error { return nil }

func (e *shared) close() error {
	if e.readers != nil {
		e.readers.Close()
	}
	e.end()
	if e.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectTime)
	defer cancel()
	return e.conn.Close(ctx)
}
