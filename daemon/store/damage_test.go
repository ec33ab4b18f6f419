package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
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
			if _, err := Open(t.Context(), dir); !errors.Is(err, ErrCorrupt) {
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
	if _, err := Open(t.Context(), dir); !errors.Is(err, ErrNewer) {
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
		if _, err := Open(t.Context(), dir); err == nil {
			t.Errorf("%s was opened through a symbolic link", name)
		}
		if _, err := os.Lstat(elsewhere); err == nil {
			t.Errorf("%s was created through a symbolic link", name)
		}
	}
}
