package store

import (
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// kindOfShared names what PostgreSQL said. Its codes: postgresql.org/docs/15/errcodes-appendix.html.
func kindOfShared(err error) error {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok && isAway(err):
		return ErrAway
	case !ok:
		return nil
	}
	switch pg.Code {
	case "53100": // disk_full
		return ErrFull
	case "25006": // read_only_sql_transaction
		return ErrReadOnly
	case "XX001", "XX002": // data_corrupted, index_corrupted
		return ErrCorrupt
	case "53300", "55P03", "57P01", "57P02", "57P03", "57P05": // too_many_connections, lock_not_available, shutdowns, starting up, idle
		return ErrAway
	}
	if strings.HasPrefix(pg.Code, "08") { // connection_exception
		return ErrAway
	}
	return nil
}

// isAway reports whether the network said it, or nobody did in time.
func isAway(err error) bool {
	var network *net.OpError
	var refused *pgconn.ConnectError
	return errors.Is(err, ErrAway) || errors.As(err, &network) || errors.As(err, &refused) || pgconn.SafeToRetry(err) || pgconn.Timeout(err)
}
