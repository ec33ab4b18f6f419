package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDamagedDatabase(t *testing.T) {
	tests := []struct {
		name   string
		damage func([]byte) []byte
	}{
		{"no database", func([]byte) []byte { return bytes.Repeat([]byte("nothing of the kind\n"), 500) }},
		{"header", func(b []byte) []byte { copy(b, "Not SQLite"); return b }},
		{"cut in half", func(b []byte) []byte { return b[:len(b)/2] }},
		{"a page overwritten", func(b []byte) []byte { copy(b[len(b)-4096:], bytes.Repeat([]byte{0xa5}, 4096)); return b }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			db := open(t, dir)
			err := db.Write(t.Context(), func(tx *Tx) error {
				for n := range 500 {
					if err := add(tx, n); err != nil {
						return err
					}
				}
				return nil
			})
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, file)
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			damaged := test.damage(bytes.Clone(whole))
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(t.Context(), Config{Dir: dir}); !errors.Is(err, ErrCorrupt) {
				t.Errorf("got %v, want ErrCorrupt", err)
			}
			after, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(after, damaged) {
				t.Errorf("the damaged file was written to (%v): nobody could mend it now", err)
			}
			// Mended, it opens: the failed try left no lock and no harm.
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			if got := rows(t, open(t, dir)); len(got) != 500 {
				t.Errorf("%d rows, want 500", len(got))
			}
		})
	}
}

// TestDamagedInUse damages the files of a store that is in use. Once a reader or a writer has met it nothing is acknowledged any more, whatever pages it would
// lie on; and what was acknowledged before is there when what was damaged is put back.
func TestDamagedInUse(t *testing.T) {
	overwrite := func(path string, whole []byte) error {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteAt(bytes.Repeat([]byte{0xa5}, len(whole)-4096), 4096)
		return errors.Join(err, f.Close())
	}
	read := func(t *testing.T, db *DB) error {
		return db.Read(t.Context(), func(tx *Tx) error {
			var n int
			return tx.One([]any{&n}, "SELECT COUNT(*) FROM card")
		})
	}
	write := func(t *testing.T, db *DB) error {
		return db.Write(t.Context(), func(tx *Tx) error {
			var longest []byte
			return tx.One([]any{&longest}, "SELECT MAX(body) FROM audit_entry")
		})
	}
	neither := func(*testing.T, *DB) error { return ErrCorrupt }
	for name, test := range map[string]struct {
		damage func(path string, whole []byte) error
		meet   func(*testing.T, *DB) error
	}{
		"pages overwritten, met by a reader": {overwrite, read},
		"pages overwritten, met by a writer": {overwrite, write},
		"truncated, met by a reader":         {func(path string, _ []byte) error { return os.Truncate(path, 4096) }, read},
		"truncated, met by a writer":         {func(path string, _ []byte) error { return os.Truncate(path, 4096) }, write},
		"removed":                            {func(path string, _ []byte) error { return os.Remove(path) }, neither},
		"its log removed":                    {func(path string, _ []byte) error { return os.Remove(path + "-wal") }, neither},
		"another put in its place": {func(path string, whole []byte) error {
			return errors.Join(os.WriteFile(path+".new", whole, 0o600), os.Rename(path+".new", path))
		}, neither},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			db := open(t, dir)
			err := db.Write(t.Context(), func(tx *Tx) (err error) { // more than the caches hold
				for n := range 400 {
					err = errors.Join(err, addOf(tx, 100+n, 16<<10))
				}
				return err
			})
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
			db = open(t, dir)
			if err := db.Write(t.Context(), func(tx *Tx) error { return add(tx, 1) }); err != nil {
				t.Fatal(err)
			}
			kept := copied(t, dir)
			path := filepath.Join(dir, file)
			whole, err := os.ReadFile(path)
			if err == nil {
				err = test.damage(path, whole)
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := test.meet(t, db); !errors.Is(err, ErrCorrupt) {
				t.Errorf("whoever meets it is told %v", err)
			}
			for range 2 {
				if err := db.Write(t.Context(), func(tx *Tx) error { return add(tx, 2) }); !errors.Is(err, ErrCorrupt) {
					t.Errorf("a row that could be written is answered with %v, want ErrCorrupt", err)
				}
				if err := db.Trouble(); !errors.Is(err, ErrCorrupt) {
					t.Errorf("the trouble is %v", err)
				}
			}
			db.Close()
			if got := rows(t, open(t, kept)); len(got) != 401 || got[0] != 1 {
				t.Errorf("put back, it has %d rows", len(got))
			}
		})
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	err := db.Write(t.Context(), func(tx *Tx) error {
		_, err := tx.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Dir: dir}); !errors.Is(err, ErrNewer) {
		t.Errorf("got %v, want ErrNewer", err)
	}
}

func TestLinksAreRefused(t *testing.T) {
	for _, name := range []string{file, "lock"} {
		dir := t.TempDir()
		elsewhere := filepath.Join(t.TempDir(), "elsewhere")
		if err := os.Symlink(elsewhere, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), Config{Dir: dir}); err == nil {
			t.Errorf("%s was opened through a symbolic link", name)
		}
		if _, err := os.Lstat(elsewhere); err == nil {
			t.Errorf("%s was created through a symbolic link", name)
		}
	}
}

// TestLostStore: what was a store once is never replaced by an empty one, whatever of it is lost.
func TestLostStore(t *testing.T) {
	remove := func(name string) func(string) error {
		return func(dir string) error { return os.Remove(filepath.Join(dir, name)) }
	}
	for name, test := range map[string]struct {
		killed bool // and not closed
		lose   func(dir string) error
		says   string // "" if nothing is lost
	}{
		"nothing":               {lose: func(string) error { return nil }},
		"nothing, killed":       {killed: true, lose: func(string) error { return nil }},
		"index, killed":         {killed: true, lose: remove(file + "-shm")},
		"database":              {lose: remove(file), says: "flattone.db is gone"},
		"database, killed":      {killed: true, lose: remove(file), says: "flattone.db is gone"},
		"content":               {lose: func(dir string) error { return os.Truncate(filepath.Join(dir, file), 0) }, says: "flattone.db is empty"},
		"log, killed":           {killed: true, lose: remove(file + "-wal"), says: "flattone.db-wal is gone"},
		"a word of it, killed":  {killed: true, lose: func(dir string) error { return os.Truncate(filepath.Join(dir, markFile), 3) }},
		"database, before mark": {killed: true, lose: func(dir string) error { return errors.Join(remove(markFile)(dir), remove(file)(dir)) }},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			db := open(t, dir)
			if err := db.Write(t.Context(), func(tx *Tx) error { return add(tx, 1) }); err != nil {
				t.Fatal(err)
			}
			if test.killed {
				dir = copied(t, dir)
			} else if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if err := test.lose(dir); err != nil {
				t.Fatal(err)
			}
			before := names(t, dir)
			for range 2 { // a failed start must not make the next one succeed
				again, err := Open(t.Context(), Config{Dir: dir})
				switch {
				case test.says == "" && err != nil:
					t.Errorf("nothing is lost, and it fails: %v", err)
				case test.says != "" && (!errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "restore a backup")):
					t.Errorf("got %v, want ErrCorrupt that says %q", err, test.says)
				}
				if err == nil {
					again.Close()
				}
			}
			if after := names(t, dir); test.says != "" && after != before {
				t.Errorf("the folder had %s and has %s", before, after)
			}
		})
	}
}

// copied is the folder as a crash at this moment would leave it.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(names(t, dir)) {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func names(t *testing.T, dir string) (all string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Name() != "lock" {
			all += f.Name() + " "
		}
	}
	return all
}

// TestFailedStartLosesNoLog: a start that fails after SQLite has opened the database closes it in order.
func TestFailedStartLosesNoLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	db := open(t, dir)
	err := db.Write(t.Context(), func(tx *Tx) error {
		_, err := tx.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	dir = copied(t, dir)
	for range 2 {
		if _, err := Open(t.Context(), Config{Dir: dir}); !errors.Is(err, ErrNewer) {
			t.Errorf("got %v, want ErrNewer", err)
		}
	}
}

func TestWhatOthersGetAtIsRefused(t *testing.T) {
	for name, mode := range map[string]os.FileMode{".": 0o777, file: 0o644, file + "-wal": 0o640, "lock": 0o606, markFile: 0o604} {
		dir := filepath.Join(t.TempDir(), "state")
		open(t, dir)
		dir = copied(t, dir)
		path := filepath.Join(dir, name)
		if name == "lock" {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if db, err := Open(t.Context(), Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "chmod") {
			t.Errorf("%s of mode %#o: %v", name, mode, err)
			if err == nil {
				db.Close()
			}
		}
	}
}
