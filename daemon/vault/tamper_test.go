package vault

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/secret"
)

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

// TestRolledBack puts back what was there before.
func TestRolledBack(t *testing.T) {
	t.Run("a key from before a rotation", func(t *testing.T) {
		r := newRig(t)
		token := r.mustSeal(t, visa("a"))
		r.edit(t, "CREATE TEMP TABLE before AS SELECT * FROM card_key")
		if _, err := r.vault.Rotate(t.Context(), "test", "test"); err != nil {
			t.Fatal(err)
		}
		if err := r.vault.Rewrap(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.edit(t, "DELETE FROM card_key")
		r.edit(t, "INSERT INTO card_key SELECT * FROM before")
		r.unrevealable(t, token, "the old key")
	})
	t.Run("a card that was shredded", func(t *testing.T) {
		r := newRig(t)
		token := r.mustSeal(t, visa("a"))
		r.edit(t, "CREATE TEMP TABLE before AS SELECT * FROM card")
		r.edit(t, "CREATE TEMP TABLE key_before AS SELECT * FROM card_key")
		if err := r.vault.Shred(t.Context(), "test", token); err != nil {
			t.Fatal(err)
		}
		r.edit(t, "INSERT INTO card SELECT * FROM before")
		r.edit(t, "INSERT INTO card_key SELECT * FROM key_before")
		if err := r.reveals(t, token, visa("a")); !errors.Is(err, ErrShredded) {
			t.Errorf("got %v, want ErrShredded", err)
		}
	})
	t.Run("the log from before, whole", func(t *testing.T) {
		r := newRig(t)
		r.mustSeal(t, visa("a"))
		_, size, err := r.audit.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r.edit(t, "CREATE TEMP TABLE before AS SELECT * FROM audit_head")
		r.mustSeal(t, visa("b"))
		kept, _, err := r.audit.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r.edit(t, "DELETE FROM audit_entry WHERE seq >= $1", size)
		r.edit(t, "DELETE FROM audit_head")
		r.edit(t, "INSERT INTO audit_head SELECT * FROM before")
		if _, err := r.audit.Verify(t.Context(), kept); !errors.Is(err, audit.ErrTampered) || !strings.Contains(err.Error(), fmt.Sprint("entry ", size)) {
			t.Errorf("got %v, want that entry %d is missing", err, size)
		}
	})
}
