package store

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSchemaIsSaid to who can't ask the database, before it is written by a newer program.
func TestSchemaIsSaid(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	var has int64
	err := db.Read(t.Context(), func(tx *Tx) error { return tx.One([]any{&has}, "SELECT MAX(version_id) FROM goose_db_version") })
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	said, err := os.ReadFile(filepath.Join(dir, schemaFile))
	if err != nil || string(said) != fmt.Sprintln(has) {
		t.Errorf("%q is said of schema %d, %v", said, has, err)
	}
	// One that can't be written is no reason not to open a store of which it says all.
	if err := os.Chtimes(filepath.Join(dir, schemaFile), time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	if info, err := os.Stat(filepath.Join(dir, schemaFile)); err != nil || !info.ModTime().Equal(time.Unix(1, 0)) {
		t.Errorf("written again, without need: %v", err)
	}
}

// rowsOfEach are one good row of each table. SQLite would take any type in any column; the schema's CHECKs
// must not.
var rowsOfEach = map[string]string{
	"custodian_set":  "('abcdefgh', 2, '', 1)",
	"custodian":      "('p', 0, CAST('x' AS blob), 0, 0, 0)",
	"custodian_wrap": "(3, CAST('x' AS blob))",
	"root":           "('r', 'k', CAST('x' AS blob), CAST('x' AS blob), 1)",
	"kek":            "(1, 1, 0, 0, 0)",
	"kek_box":        "(1, 'r', CAST('x' AS blob), CAST('x' AS blob))",
	"key_backup":     "(1, 1, 1, 1)",
	"safe":           "('p', 'o', 1, CAST('x' AS blob))",
	"card":           "('tok_aaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 't', 'vault', 'c', 'l', 'p', 'f', 'b', '4242', 1, 2030, 1, 1, CAST('x' AS blob))",
	"payment":        "('pay_aaaaaaaaaaaaaaaaaaaaaaaaaa', 'c', 'b', 'l', 'p', 'g', 1, 'EUR', '', 1, 0, 0, '', 0, 0, '', '', '', '', '', '', 's', '', '', '', '', 0, 0, 1, 1)",
	"payment_act":    "('act_aaaaaaaaaaaaaaaaaaaaaaaaaa', 'pay_aaaaaaaaaaaaaaaaaaaaaaaaaa', 'b', 'k', 1, '', '', 's', '', '', 0, 0, 1, 1)",
	"consent":        "('tok_aaaaaaaaaaaaaaaaaaaaaaaaaa', 'p', '', 1)",
	"card_key":       "('tok_aaaaaaaaaaaaaaaaaaaaaaaaaa', 1, CAST('x' AS blob))",
	"alias":          "('a', 'tok_aaaaaaaaaaaaaaaaaaaaaaaaaa', 'd')",
	"hold":           "('tok_aaaaaaaaaaaaaaaaaaaaaaaaaa', 'p', 'r', 1)",
	"shred":          "('t', 'c', 'k', 'w', 1, 1)",
	"card_use":       "('i', 'c', 'p', 'c', 1)",
	"certificate":    "('k', CAST('x' AS blob), 1)",
	"client_request": "('c', 'i', CAST('12345678901234567890123456789012' AS blob), '', '', 1, 1, 1)",
	"factor":         "('p', 0, 0, 0, 0, 0)",
	"outbox":         "(1, 'e', 'd', 's', 'k', 'm', CAST('x' AS blob), 0, 'ready', 0, 0, '', 0, 0, 0, '', 0)",
	"audit_entry":    "('b', 0, CAST('x' AS blob), CAST('x' AS blob))",
	"audit_head":     "('b', 0, CAST('' AS blob))",
}

// tables, each after those that it refers to.
var tables = []string{"root", "kek", "kek_box", "safe", "card", "card_key", "alias", "hold", "shred", "card_use", "certificate", "client_request", "factor", "outbox", "audit_entry", "audit_head",
	"custodian_set", "custodian", "custodian_wrap"}

// TestBothHaveTheSameColumns, of the same types, and take the same rows.
func TestBothHaveTheSameColumns(t *testing.T) {
	lite, shared := open(t, t.TempDir()), openAs(t, onPostgres(t, "box"))
	for _, table := range tables {
		for _, db := range []*DB{lite, shared} {
			err := db.Write(t.Context(), func(tx *Tx) error {
				_, err := tx.Exec("INSERT INTO " + table + " VALUES " + rowsOfEach[table])
				return err
			})
			if err != nil {
				t.Errorf("a good row of %s is refused: %v", table, err)
			}
		}
		one := columnsOf(t, lite, "SELECT name, type FROM pragma_table_info($1)", table)
		other := columnsOf(t, shared, `SELECT column_name::text, upper(COALESCE(domain_name, data_type)::text) FROM information_schema.columns
			WHERE table_name = $1 ORDER BY ordinal_position`, table)
		if len(one) < 2 || !slices.Equal(one, other) {
			t.Errorf("%s has\n%v in SQLite and\n%v in PostgreSQL", table, one, other)
		}
	}
}

func columnsOf(t *testing.T, db *DB, ask, table string) (columns []string) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *Tx) error {
		return tx.Each(func(scan func(...any) error) error {
			var name, kind string
			err := scan(&name, &kind)
			columns = append(columns, name+" "+strings.ToUpper(kind))
			return err
		}, ask, table)
	})
	if err != nil {
		t.Fatal(err)
	}
	return columns
}

func TestColumnsHoldTheirType(t *testing.T) {
	db := open(t, t.TempDir())
	for _, table := range tables {
		err := db.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.Exec("INSERT INTO " + table + " VALUES " + rowsOfEach[table])
			return err
		})
		if err != nil {
			t.Fatalf("a good row of %s is refused: %v", table, err)
		}
		columns := map[string]string{}
		err = db.Read(t.Context(), func(tx *Tx) error {
			return tx.Each(func(scan func(...any) error) error {
				var name, kind string
				err := scan(&name, &kind)
				columns[name] = kind
				return err
			}, "SELECT name, type FROM pragma_table_info($1)", table)
		})
		if err != nil || len(columns) < 2 {
			t.Fatalf("columns of %s: %v", table, err)
		}
		for name, kind := range columns {
			wrong := map[string][]any{
				"BIGINT": {"not a number", []byte("blob"), nil, 1.5e300},
				"TEXT":   {[]byte(strings.Repeat("x", 30)), []byte("4242"), nil},
				"BLOB":   {"text", 7, nil},
			}[kind]
			if wrong == nil {
				t.Errorf("%s.%s has type %q", table, name, kind)
			}
			for _, value := range wrong {
				err := db.Write(t.Context(), func(tx *Tx) error {
					_, err := tx.Exec("UPDATE "+table+" SET "+name+" = $1", value)
					return err
				})
				if err == nil {
					t.Errorf("%s.%s (%s) takes a %T", table, name, kind, value)
				}
			}
		}
	}
}
