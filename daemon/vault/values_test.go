package vault

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/store"
)

// value is one value of one row.
type value struct {
	table, column string
	row           int64
	kind          string // text, blob or integer, as SQLite has it
	bytes         []byte
}

// flipped is the value with a bit of byte i changed.
func (v value) flipped(i int) value {
	v.bytes = bytes.Clone(v.bytes)
	v.bytes[i] ^= 1 << (i % 8)
	return v
}

func (v value) isUnbound() bool { return unbound[v.table] != "" || unbound[v.table+"."+v.column] != "" }

func (v value) set(tx *store.Tx) error {
	query, arg := "UPDATE "+v.table+" SET "+v.column+" = $1 WHERE rowid = $2", any(v.bytes)
	switch v.kind {
	case "text":
		arg = string(v.bytes)
	case "integer":
		arg = int64(binary.BigEndian.Uint64(v.bytes))
	}
	_, err := tx.Exec(query, arg, v.row)
	return err
}

// values are those of a table's rows, or of three of them: columns and tables come from the schema, so that none that is added later is forgotten.
func (r *rig) values(t *testing.T) (all []value) {
	t.Helper()
	tables := map[string]int{} // values of each
	err := r.db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.Each(func(scan func(...any) error) error {
			var table, column string
			if err := scan(&table, &column); err != nil {
				return err
			}
			tables[table] += 0
			return tx.Each(func(scan func(...any) error) error {
				v := value{table: table, column: column}
				var n int64
				err := scan(&v.row, &v.kind, &v.bytes, &n)
				if v.kind == "integer" {
					v.bytes = binary.BigEndian.AppendUint64(nil, uint64(n))
				}
				all = append(all, v)
				tables[table]++
				return err
			}, fmt.Sprintf(`SELECT rowid, typeof(%[2]s), CAST(%[2]s AS BLOB), CASE typeof(%[2]s) WHEN 'integer' THEN %[2]s ELSE 0 END FROM %[1]s
				WHERE rowid IN ((SELECT MIN(rowid) FROM %[1]s), (SELECT MAX(rowid) FROM %[1]s), (SELECT rowid FROM %[1]s LIMIT 1 OFFSET 2))`, table, column))
		}, `SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p
			WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'goose_db_version' ORDER BY m.name, p.cid`)
	})
	if err != nil {
		t.Fatal(err)
	}
	for table, rows := range tables {
		if rows == 0 && unbound[table] == "" {
			t.Errorf("there is no row of %s to change", table)
		}
	}
	for name := range unbound {
		if table, _, _ := strings.Cut(name, "."); !slices.Contains(slices.Collect(maps.Keys(tables)), table) {
			t.Errorf("%s is declared, and there is no such table", name)
		}
	}
	return all
}

// changed are what a value is changed to: its bytes flipped, bytes too many and too few, and what other rows have.
func (v value) changed(others []value) (all []value) {
	for i := range v.bytes {
		if len(v.bytes) <= 64 || *everyByte || i%11 == 0 {
			all = append(all, v.flipped(i))
		}
	}
	for _, other := range [][]byte{{}, v.bytes[min(1, len(v.bytes)):], append(bytes.Clone(v.bytes), '0')} {
		if v.kind != "integer" && !bytes.Equal(other, v.bytes) {
			all = append(all, value{v.table, v.column, v.row, v.kind, other})
		}
	}
	for _, o := range others {
		if o.table == v.table && o.column == v.column && !bytes.Equal(o.bytes, v.bytes) {
			o.row = v.row
			all = append(all, o)
		}
	}
	return all
}
