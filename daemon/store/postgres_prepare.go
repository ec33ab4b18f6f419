package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// ground is what the schema stands on: its name for bytes, which SQLite has by itself, and the boxes with the mark of each one's last commit.
const ground = `
DO $$ BEGIN
  IF to_regtype('blob') IS NULL THEN CREATE DOMAIN blob AS bytea; END IF;
END $$;
CREATE TABLE IF NOT EXISTS store_box (
  id   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name TEXT   NOT NULL UNIQUE,
  mark BIGINT NOT NULL
)`

// prepare makes what isn't there yet and brings the schema up to date, one box at a time.
func prepare(ctx context.Context, cfg Config, config *pgx.ConnConfig, marked bool) error {
	config = config.Copy()
	if err := cfg.Postgres.secret(ctx, config); err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := judgeServer(ctx, conn); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(turn)); err != nil {
		return err
	}
	var there bool
	if err := conn.QueryRow(ctx, "SELECT to_regclass('store_box') IS NOT NULL").Scan(&there); err != nil {
		return err
	}
	if marked && !there {
		return fmt.Errorf("%w; %s says that this box has a store in PostgreSQL, and this database has none. To begin with an empty vault, move the whole state folder away",
			ErrCorrupt, markFile)
	}
	if !there {
		if _, err := conn.Exec(ctx, ground); err != nil {
			return err
		}
	}
	db := stdlib.OpenDB(*config)
	return errors.Join(migrate(ctx, cfg.Dir, goose.DialectPostgres, db), db.Close())
}

// judgeServer refuses a server on which what is committed could be lost, and a database that sorts text otherwise than SQLite, by its bytes.
func judgeServer(ctx context.Context, conn *pgx.Conn) error {
	var fsync, pages, commit, encoding string
	var standby, bytewise bool
	err := conn.QueryRow(ctx, `SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
		current_setting('server_encoding'), pg_is_in_recovery(), 'B' < 'a' AND 'a c' < 'ab'`).Scan(&fsync, &pages, &commit, &encoding, &standby, &bytewise)
	switch {
	case err != nil:
		return err
	case standby:
		return fmt.Errorf("%w: the server is a standby; name the primary, or several hosts and target_session_attrs=read-write", ErrReadOnly)
	case fsync != "on" || pages != "on" || commit != "on":
		return fmt.Errorf("%w: fsync is %s, full_page_writes %s and synchronous_commit %s; all three must be on", ErrUnsafe, fsync, pages, commit)
	case encoding != "UTF8" || !bytewise:
		return errors.New("the database doesn't sort text by its bytes; make one that does: CREATE DATABASE flattone TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
	}
	return nil
}

// marked reports whether the folder's box had a store in PostgreSQL before. One that has a file is refused: its cards would be left behind.
func marked(dir string) (bool, error) {
	said, err := os.ReadFile(filepath.Join(dir, markFile))
	switch {
	case errors.Is(err, os.ErrNotExist):
		_, err = os.Stat(filepath.Join(dir, file))
		if errors.Is(err, os.ErrNotExist) {
			return false, nil
		}
	case err == nil && strings.TrimSpace(string(said)) == strings.TrimSpace(markShared):
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return false, fmt.Errorf("%w: its cards are in %s, and [store] postgres leads elsewhere; take it out, or restore a backup of them into an empty folder", ErrElsewhere, file)
}
