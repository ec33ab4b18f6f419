package backup

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// A backup is lines of JSON, whatever engine the store is on: the header; of each table a line with its name and columns, and one for each row, an array in the order of
// those (numbers, strings, and blobs in base64); at last, how many rows there were.
//
//	{"flattone_backup":1,"kind":"data","id":"bak_…","box":"till-3","made":"…","schema":6,…}
//	{"table":"card","columns":["token","version",…]}
//	["tok_…",1,…]
//	{"rows":1}
//
// A backup of keys is that as it is: what is in it is sealed, or public. The other kinds are sealed as a whole by age.
const formatVersion = 1

// The kinds of backups.
const (
	kindData   = "data"
	kindKeys   = "keys"
	kindPurged = "purge log"
)

// Header is the first line of a backup.
type Header struct {
	Format int       `json:"flattone_backup"`
	Kind   string    `json:"kind"`
	ID     string    `json:"id"`
	Box    string    `json:"box"`
	Made   time.Time `json:"made"`
	Schema int64     `json:"schema"`
	// Number is that of a backup of keys, which certificates name.
	Number int64 `json:"number,omitempty"`
	// Checkpoint of the audit log from right before, and the log's signing key; of the data.
	Checkpoint []byte `json:"checkpoint,omitempty"`
	AuditKey   []byte `json:"audit_key,omitempty"`
}

// begins and ends are the other lines that aren't rows.
type begins struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
}

type ends struct {
	Rows *int64 `json:"rows"`
}

// The tables of keys: a backup of the data has none of them.
var keyTables = []string{"root", "kek_box", "custodian_set", "custodian", "custodian_wrap"}

// custodians are the conditions on which rows of those are in a backup of keys: what other roots open is for their boxes.
var custodians = map[string]string{
	"root":    " WHERE id = (SELECT root FROM custodian_set)",
	"kek_box": " WHERE root = (SELECT root FROM custodian_set)",
}

// dataTables are all others: a new one is backed up without anybody thinking of it.
func dataTables() []store.Table {
	return slices.DeleteFunc(store.Tables(), func(t store.Table) bool { return slices.Contains(keyTables, t.Name) })
}

func purgeTables() []store.Table {
	return slices.DeleteFunc(store.Tables(), func(t store.Table) bool { return t.Name != "shred" })
}

// dump writes all rows of tables.
func dump(to io.Writer, h Header, tables []store.Table, tx *store.Tx) error {
	h.Format = formatVersion
	lines := json.NewEncoder(to)
	if err := lines.Encode(h); err != nil {
		return err
	}
	var n int64
	for _, t := range tables {
		if err := lines.Encode(begins{t.Name, names(t)}); err != nil {
			return err
		}
		row := room(t)
		err := tx.Each(func(scan func(...any) error) error {
			if err := scan(row...); err != nil {
				return fmt.Errorf("read table %s: %w", t.Name, err)
			}
			n++
			return lines.Encode(row)
		}, "SELECT "+strings.Join(names(t), ", ")+" FROM "+t.Name+custodians[t.Name])
		if err != nil {
			return err
		}
	}
	return lines.Encode(ends{&n})
}

// room is where a table's row is scanned into.
func room(t store.Table) (row []any) {
	for _, c := range t.Columns {
		switch c.Type {
		case store.Integer:
			row = append(row, new(int64))
		case store.Text:
			row = append(row, new(string))
		case store.Blob:
			row = append(row, new([]byte))
		}
	}
	return row
}

func names(t store.Table) (all []string) {
	for _, c := range t.Columns {
		all = append(all, c.Name)
	}
	return all
}
