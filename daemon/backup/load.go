package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"

	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// lines is a backup that is read.
type lines struct {
	Header
	from *json.Decoder
}

// openLines reads the header of a backup, and judges it.
func openLines(from io.Reader, kind string) (*lines, error) {
	l := &lines{from: json.NewDecoder(from)}
	if err := l.from.Decode(&l.Header); err != nil {
		return nil, damaged(err)
	}
	switch {
	case l.Format != formatVersion || l.Kind == "":
		return nil, ErrNoBackup
	case l.Kind != kind:
		return nil, fmt.Errorf("%w: it is one of the %s, and one of the %s is wanted", ErrNoBackup, l.Kind, kind)
	case l.Schema != store.Schema():
		return nil, fmt.Errorf("%w: it has %d, and this program %d: restore it by the program that made it, then install this one", ErrSchema, l.Schema, store.Schema())
	}
	return l, nil
}

// unseal is openLines for what is sealed.
func unseal(from io.Reader, kind string, versions vault.Versions) (*lines, error) {
	var name string
	plain, err := age.Decrypt(from, identity{versions, &name})
	switch {
	case errors.Is(err, vault.ErrWrongKey):
		return nil, err
	case errors.Is(err, age.ErrIncorrectIdentity):
		return nil, fmt.Errorf("%w: it is sealed for somebody else", ErrNoBackup)
	case err != nil && name == "":
		return nil, fmt.Errorf("%w: %w", ErrNoBackup, err)
	case err != nil:
		return nil, damaged(err)
	}
	l, err := openLines(plain, kind)
	if err == nil && l.ID != name {
		err = fmt.Errorf("%w: two names", ErrDamaged)
	}
	return l, err
}

func damaged(err error) error { return fmt.Errorf("%w: %w", ErrDamaged, err) }

// each calls row for every row to the end, of which it makes sure.
func (l *lines) each(tables []store.Table, row func(t store.Table, values []any) error) error {
	var in store.Table
	var n int64
	for {
		var line json.RawMessage
		if err := l.from.Decode(&line); err != nil {
			return damaged(err)
		}
		if line[0] == '[' {
			values, err := parse(in, line)
			if err != nil {
				return err
			}
			if err := row(in, values); err != nil {
				return err
			}
			n++
			continue
		}
		var what struct {
			begins
			ends
		}
		if err := json.Unmarshal(line, &what); err != nil {
			return damaged(err)
		}
		if what.Rows != nil {
			return l.end(*what.Rows, n)
		}
		i := slices.IndexFunc(tables, func(t store.Table) bool { return t.Name == what.Table })
		if i < 0 || !slices.Equal(names(tables[i]), what.Columns) {
			return fmt.Errorf("%w: table %q with %q", ErrSchema, what.Table, what.Columns)
		}
		in = tables[i]
	}
}

// end makes sure that nothing is missing, and nothing comes after it: until then nothing of what was read is known to be whole.
func (l *lines) end(says, read int64) error {
	if says != read {
		return fmt.Errorf("%w: %d rows of %d", ErrDamaged, read, says)
	}
	var more json.RawMessage
	if err := l.from.Decode(&more); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something comes after its end: %w", ErrDamaged, err)
	}
	return nil
}

// parse reads a row of a table.
func parse(t store.Table, line []byte) (values []any, err error) {
	var cells []json.RawMessage
	if err := json.Unmarshal(line, &cells); err != nil {
		return nil, damaged(err)
	}
	if len(cells) != len(t.Columns) {
		return nil, fmt.Errorf("%w: a row of %d columns in table %q", ErrDamaged, len(cells), t.Name)
	}
	for i, to := range room(t) {
		if err := json.Unmarshal(cells[i], to); err != nil {
			return nil, damaged(err)
		}
		switch v := to.(type) {
		case *int64:
			values = append(values, *v)
		case *string:
			values = append(values, *v)
		case *[]byte:
			values = append(values, append([]byte{}, *v...)) // an empty one is no null
		}
	}
	return values, nil
}

// insert adds a row.
func insert(tx *store.Tx, t store.Table, values []any, or string) error {
	var at []string
	for i := range t.Columns {
		at = append(at, fmt.Sprint("$", i+1))
	}
	_, err := tx.Exec("INSERT INTO "+t.Name+" ("+strings.Join(names(t), ", ")+") VALUES ("+strings.Join(at, ", ")+")"+or, values...)
	return err
}
