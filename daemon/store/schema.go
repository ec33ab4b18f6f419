package store

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

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
	if dialect == goose.DialectSQLite3 {
		steps = ordered{steps}
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

// inOrder ends a table whose rows lie in the order of its key. SQLite keeps rows in the order in which they came, and the key in a tree of its own, unless it is
// told otherwise: what looks for a key reads two trees then, and what adds a row changes two. A look-up of a card took 23 µs so, and
// takes 16.
const inOrder = "); -- in the order of its key\n"

// ordered is the schema as SQLite is given it.
type ordered struct{ fs.FS }

func (o ordered) Open(name string) (fs.File, error) {
	f, err := o.FS.Open(name)
	if err != nil || path.Ext(name) != ".sql" {
		return f, err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return step{f, strings.NewReader(strings.ReplaceAll(string(text), inOrder, ") WITHOUT ROWID;\n"))}, nil
}

// step is a file of other text.
type step struct {
	fs.File
	text io.Reader
}

func (s step) Read(p []byte) (int, error) { return s.text.Read(p) }

// saySchema writes nothing where it is said already: the disk may be full.
func saySchema(dir string, version int64) error {
	path, says := filepath.Join(dir, schemaFile), fmt.Appendln(nil, version)
	if said, err := os.ReadFile(path); err == nil && bytes.Equal(said, says) {
		return nil
	}
	return private.Replace(path, says, 0o600)
}
