package storetest

import (
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite" // what [Behind] opens a file by
)

var kept = flag.String("store", "sqlite", "what tests keep their rows in: sqlite or postgres")

// At is where a store in the folder dir keeps its rows: "" for a file in the folder, which is the default; in tests that are run with -store postgres the
// connection string of a database, which is made when it is first asked for. Whoever asks for the same folder later gets the same, even in another process:
// it is written down beside the folder.
func At(dir string) (where string, err error) {
	said, err := os.ReadFile(note(dir))
	switch {
	case err == nil:
		return string(said), nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	if err := On(dir, *kept); err != nil {
		return "", err
	}
	said, err = os.ReadFile(note(dir))
	return string(said), err
}

// On has a store in dir, which isn't there yet, keep its rows in sqlite or postgres, whatever the tests are run with.
func On(dir, engine string) (err error) {
	where := ""
	switch engine {
	case "sqlite":
	case "postgres":
		s, err := start()
		if err != nil {
			return err
		}
		if where, err = s.database(); err != nil {
			return err
		}
	default:
		return fmt.Errorf("-store %s: it is sqlite or postgres", engine)
	}
	return os.WriteFile(note(dir), []byte(where), 0o600)
}

func note(dir string) string { return dir + ".database" }

// OnPostgres reports that rows are kept in PostgreSQL.
func OnPostgres() bool { return *kept == "postgres" }

// OnlySQLite leaves a test out where rows aren't kept in SQLite, for a reason that lies in the other database.
func OnlySQLite(t testing.TB, why string) {
	t.Helper()
	if OnPostgres() {
		t.Skip(why)
	}
}

// Search shows look every file below a folder, and those that the server has of the store in dir, if one has it.
func Search(t testing.TB, dir, below string, look func(path string, content []byte)) {
	t.Helper()
	where, err := At(dir)
	if err != nil {
		t.Fatal(err)
	}
	skip, roots := "", []string{below}
	if where != "" {
		s := Shared(t)
		oid, err := s.ask(where, "SELECT oid FROM pg_database WHERE datname = current_database()")
		if err != nil {
			t.Fatal(err)
		}
		data := filepath.Join(s.dir, "data")
		skip, roots = filepath.Join(data, "base"), append(roots, data, filepath.Join(data, "base", oid))
	}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if path == skip {
				return fs.SkipDir // other tests' databases, of which there are many
			}
			var content []byte
			if err == nil && d.Type().IsRegular() {
				if content, err = os.ReadFile(path); err == nil {
					look(path, content)
				}
			}
			if errors.Is(err, fs.ErrNotExist) { // a server at work makes files and removes them
				return nil
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Behind runs statements behind the back of the store that was in dir, and of the schema's foreign keys.
func Behind(t testing.TB, dir, statements string) {
	t.Helper()
	where, err := At(dir)
	if err != nil {
		t.Fatal(err)
	}
	if where != "" {
		Shared(t).SQL(t, where, "SET session_replication_role = replica; "+statements)
		return
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "flattone.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(statements)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}
