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
	"github.com/flattone/flattone/daemon/store/storetest"
)

// value is one value of one row.
type value struct {
	table, column string
	kind          store.Type
	row           []value // the others of its row, by which it is found
	bytes         []byte
}

// flipped is the value with a bit of byte i changed.
func (v value) flipped(i int) value {
	v.bytes = bytes.Clone(v.bytes)
	v.bytes[i] ^= 1 << (i % 8)
	return v
}

func (v value) isUnbound() bool { return unbound[v.table] != "" || unbound[v.table+"."+v.column] != "" }

// arg is the value as a statement takes it.
func (v value) arg() any {
	switch v.kind {
	case store.Text:
		return string(v.bytes)
	case store.Integer:
		return int64(binary.BigEndian.Uint64(v.bytes))
	}
	return v.bytes
}

func (v value) set(tx *store.Tx) error {
	args, where := []any{v.arg()}, []string{"TRUE"}
	for _, o := range v.row {
		args = append(args, o.arg())
		where = append(where, fmt.Sprintf("%s = $%d", o.column, len(args)))
	}
	n, err := tx.Exec("UPDATE "+v.table+" SET "+v.column+" = $1 WHERE "+strings.Join(where, " AND "), args...)
	if err == nil && n != 1 {
		panic(fmt.Sprintf("%d rows of %s are one", n, v.table))
	}
	return err
}

// values are those of a table's rows, or of three of them: columns and tables come from the schema, so that none that is added later is forgotten.
func (r *rig) values(t *testing.T) (all []value) {
	t.Helper()
	tables := map[string]int{} // rows of each
	err := r.db.Read(t.Context(), func(tx *store.Tx) error {
		for _, table := range store.Tables() {
			rows, err := rowsOf(tx, table)
			if err != nil {
				return err
			}
			tables[table.Name] = len(rows)
			for i, row := range rows {
				if i != 0 && i != 2 && i != len(rows)-1 {
					continue
				}
				for i, v := range row {
					v.row = slices.Concat(row[:i], row[i+1:])
					all = append(all, v)
				}
			}
		}
		return nil
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

func rowsOf(tx *store.Tx, table store.Table) (rows [][]value, err error) {
	var names, order []string
	for i, c := range table.Columns {
		names, order = append(names, c.Name), append(order, fmt.Sprint(i+1))
	}
	err = tx.Each(func(scan func(...any) error) error {
		row, dest := make([]value, len(names)), make([]any, len(names))
		for i, c := range table.Columns {
			row[i] = value{table: table.Name, column: c.Name, kind: c.Type}
			dest[i] = map[store.Type]any{store.Integer: new(int64), store.Text: new(string), store.Blob: new([]byte)}[c.Type]
		}
		err := scan(dest...)
		for i := range row {
			switch d := dest[i].(type) {
			case *int64:
				row[i].bytes = binary.BigEndian.AppendUint64(nil, uint64(*d))
			case *string:
				row[i].bytes = []byte(*d)
			case *[]byte:
				row[i].bytes = *d
			}
		}
		rows = append(rows, row)
		return err
	}, "SELECT "+strings.Join(names, ", ")+" FROM "+table.Name+" ORDER BY "+strings.Join(order, ", "))
	return rows, err
}

// changed are what a value is changed to: its bytes flipped, bytes too many and too few, and what other rows have.
func (v value) changed(others []value) (all []value) {
	short := 64
	if storetest.OnPostgres() { // each change costs it a flush, and what vouches for a byte is the same
		short = 0
	}
	for i := range v.bytes {
		if len(v.bytes) <= short || *everyByte || i%11 == 0 {
			all = append(all, v.flipped(i))
		}
	}
	for _, other := range [][]byte{{}, v.bytes[min(1, len(v.bytes)):], append(bytes.Clone(v.bytes), '0')} {
		if v.kind != store.Integer && !bytes.Equal(other, v.bytes) {
			v := v
			v.bytes = other
			all = append(all, v)
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
