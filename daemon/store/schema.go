package store

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"

	"github.com/flattone/flattone/daemon/private"
)

//go:embed schema/*.sql
var schema embed.FS

// schemaFile says which schema the database has, to who can't ask the database: the package of an older program, which refuses to be installed over it.
const schemaFile = "schema"

// migrate brings the schema to this binary's version, each step in a transaction. A database written by a
// newer binary is refused: guessing at its tables could lose cards.
func migrate(ctx context.Context, dir string, dialect goose.Dialect, db *sql.DB) error {
	steps, err := fs.Sub(schema, "schema")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, steps, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("prepare the schema: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if have > want {
		return fmt.Errorf("%w: the database has schema %d, this program knows %d; install the newer program again", ErrNewer, have, want)
	}
	// Before the steps: a file that says too much has an older program refused for nothing, one that says too little has it lose cards.
	if err := saySchema(dir, want); err != nil {
		return fmt.Errorf("note the schema's version: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring the schema up to date: %w", err)
	}
	return nil
}

// saySchema writes nothing where it is said already: the disk may be full.
func saySchema(dir string, version int64) error {
	path, says := filepath.Join(dir, schemaFile), fmt.Appendln(nil, version)
	if said, err := os.ReadFile(path); err == nil && bytes.Equal(said, says) {
		return nil
	}
	return private.Replace(path, says, 0o600)
}
