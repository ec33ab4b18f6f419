package vault

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
)

// flips are edits that change one column of capture a's row, to a value that the schema takes.
var flips = map[string]string{
	"version":      "2",
	"kind":         "'once'",
	"tenant":       "'other'",
	"capture":      "'c'",
	"line":         "'desk-2'",
	"place":        "'desk-side'",
	"profile":      "'pan-only'",
	"brand":        "'vise'",
	"last4":        "'4243'",
	"expiry_month": "12",
	"expiry_year":  "2032",
	"created":      "created + 1",
	"expires":      "expires + 1",
}

// unrevealable fails the test unless a token's record is refused, without its use.
func (r *rig) unrevealable(t *testing.T, token, what string) {
	t.Helper()
	err := r.vault.Use(t.Context(), charge(token), func(*secret.Card) error { t.Errorf("%s: a card came out", what); return nil })
	if !errors.Is(err, ErrAltered) {
		t.Errorf("%s: got %v, want ErrAltered", what, err)
	}
	last, err := r.audit.Recent(t.Context(), 1)
	if err != nil || last[0].Action != "card.used" || last[0].Result == "ok" {
		t.Errorf("%s: the log doesn't tell (%v)", what, err)
	}
}

func TestChangedColumns(t *testing.T) {
	r := newRig(t)
	s := visa("a")
	token := r.mustSeal(t, s)
	columns := map[string]bool{}
	err := r.db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.Each(func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			columns[name] = true
			return err
		}, "SELECT name FROM pragma_table_info('card')")
	})
	if err != nil {
		t.Fatal(err)
	}
	r.flipEachByte(t, token, "card_key", "box")
	for column := range columns {
		switch {
		case column == "token": // looked up by it, and its key refers to it
		case column == "sealed":
			r.flipEachByte(t, token, "card", column)
		case flips[column] == "":
			t.Errorf("column %s has no test", column)
		default:
			r.edit(t, "CREATE TEMP TABLE saved AS SELECT * FROM card")
			r.edit(t, "UPDATE card SET "+column+" = "+flips[column])
			r.unrevealable(t, token, column)
			r.edit(t, "UPDATE card SET "+column+" = (SELECT "+column+" FROM saved)")
			r.edit(t, "DROP TABLE saved")
		}
		if err := r.reveals(t, token, s); err != nil {
			t.Fatalf("%s: put back, the card doesn't come out: %v", column, err)
		}
	}
}

func (r *rig) flipEachByte(t *testing.T, token, table, column string) {
	t.Helper()
	var good []byte
	err := r.db.Read(t.Context(), func(tx *store.Tx) error { return tx.One([]any{&good}, "SELECT "+column+" FROM "+table) })
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		r.edit(t, "UPDATE "+table+" SET "+column+" = $1", bad)
		r.unrevealable(t, token, column)
	}
	for _, bad := range [][]byte{{}, good[1:], good[:len(good)-1], append(bytes.Clone(good), 0)} {
		r.edit(t, "UPDATE "+table+" SET "+column+" = $1", bad)
		r.unrevealable(t, token, column+" of another length")
	}
	r.edit(t, "UPDATE "+table+" SET "+column+" = $1", good)
}

// TestSwappedRecords swaps what two rows hold, alone and together, and what their keys are.
func TestSwappedRecords(t *testing.T) {
	for _, columns := range [][]string{{"sealed"}, {"box"}, {"sealed", "box"}, {"sealed", "box", "created", "last4"},
		{"line", "place", "profile", "brand", "last4", "expiry_month", "expiry_year", "created", "expires", "box", "sealed"}} {
		r := newRig(t)
		a, b := r.mustSeal(t, visa("a")), r.mustSeal(t, amex("b"))
		for table, of := range map[string]func(string) bool{"card": func(c string) bool { return c != "box" }, "card_key": func(c string) bool { return c == "box" }} {
			var set []string
			for _, c := range columns {
				if of(c) {
					set = append(set, c+" = (SELECT o."+c+" FROM copy o WHERE o.token <> "+table+".token)")
				}
			}
			if set == nil {
				continue
			}
			r.edit(t, "CREATE TEMP TABLE copy AS SELECT * FROM "+table)
			r.edit(t, "UPDATE "+table+" SET "+strings.Join(set, ", "))
			r.edit(t, "DROP TABLE copy")
		}
		r.unrevealable(t, a, "swapped "+columns[0])
		r.unrevealable(t, b, "swapped "+columns[0])
	}
}
