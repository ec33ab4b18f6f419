package store

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What is read off the schema's text is what a database made by it has, but for goose's own.
func TestTablesAreTheDatabases(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "state"))
	var has []string
	err := db.Read(context.Background(), func(tx *Tx) error {
		return tx.Each(func(scan func(...any) error) error {
			var table, column, sort string
			var notNull bool
			if err := scan(&table, &column, &sort, &notNull); err != nil {
				return err
			}
			if !notNull {
				t.Errorf("%s.%s may be null", table, column)
			}
			has = append(has, table+"."+column+" "+strings.ToUpper(sort))
			return nil
		}, `SELECT t.name, c.name, c.type, c."notnull" FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
			WHERE t.type = 'table' AND t.name NOT LIKE 'goose%' AND t.name NOT LIKE 'sqlite%'`)
	})
	if err != nil {
		t.Fatal(err)
	}
	var read []string
	for _, table := range Tables() {
		for _, c := range table.Columns {
			read = append(read, table.Name+"."+c.Name+" "+strings.ToUpper(string(c.Type)))
		}
	}
	slices.Sort(has)
	slices.Sort(read)
	if !slices.Equal(has, read) || len(read) < 50 {
		t.Errorf("the database has\n%q\nand the text\n%q", has, read)
	}
	var version int64
	err = db.Read(context.Background(), func(tx *Tx) error {
		return tx.One([]any{&version}, "SELECT MAX(version_id) FROM goose_db_version")
	})
	if err != nil || version != Schema() {
		t.Errorf("the database has schema %d, and the program says %d: %v", version, Schema(), err)
	}
}
