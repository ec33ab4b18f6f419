package vault

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/secret"
)

// exported runs an export, and answers with what came out, by token.
func (r *rig) exported(t *testing.T, e Export) (map[string]Exported, error) {
	t.Helper()
	got := map[string]Exported{}
	n, err := r.vault.ExportCards(t.Context(), e, func(x Exported, c *secret.Card) error {
		if c.PAN.Len() < 15 || c.CVV.Len() != 0 {
			t.Error("no PAN, or a CVV")
		}
		got[x.Token] = x
		return nil
	})
	if err == nil && int(n) != len(got) {
		t.Errorf("%d cards are reported, and %d came", n, len(got))
	}
	return got, err
}

// everything is an export of all that there is.
func everything() Export { return Export{Name: "export one", By: "ann", Until: time.Now()} }

// TestExport: what is kept for later leaves, of the tenant that was agreed to, each card once; nothing that is in flight, one-way, over, or came later.
func TestExport(t *testing.T) {
	cfg := config()
	cfg.Destinations = []Destination{{Name: "webhook", Own: true, Number: true}}
	r := newRigAs(t, cfg)
	var mine []string
	for i := range 2*exportBatch + 1 {
		mine = append(mine, r.mustSeal(t, visa(fmt.Sprint(i))))
	}
	once := r.mustSeal(t, of(Once, "once"))
	held := r.mustSeal(t, amex("held"))
	if err := r.vault.Hold(t.Context(), "ann", held, "a dispute"); err != nil {
		t.Fatal(err)
	}
	other := visa("other")
	other.Tenant = "other"
	theirs := r.mustSeal(t, other)
	r.mustSeal(t, of(Flight, "flight"))
	r.mustSeal(t, of(OneWay, "oneway"))
	shredded := r.mustSeal(t, visa("shredded"))
	if err := r.vault.Shred(t.Context(), "ann", shredded); err != nil {
		t.Fatal(err)
	}
	spent := r.mustSeal(t, of(Once, "spent"))
	if err := r.vault.Use(t.Context(), charge(spent), nothing); err != nil {
		t.Fatal(err)
	}
	e := everything()
	time.Sleep(time.Millisecond)
	r.mustSeal(t, visa("later"))

	all := slices.Concat(mine, []string{once, held, theirs})
	for name, tc := range map[string]struct {
		tenant string
		want   []string
	}{"all": {"", all}, "a tenant's": {"other", []string{theirs}}, "nobody's": {"nobody", nil}} {
		e := e
		e.Tenant = tc.tenant
		n, err := r.vault.Exportable(t.Context(), e)
		if err != nil || int(n) != len(tc.want) {
			t.Errorf("%s: %d are counted, want %d (%v)", name, n, len(tc.want), err)
		}
		got, err := r.exported(t, e)
		if tokens := slices.Sorted(maps.Keys(got)); err != nil || !slices.Equal(tokens, slices.Sorted(slices.Values(tc.want))) {
			t.Errorf("%s: %d cards came, want %d (%v)", name, len(got), len(tc.want), err)
		}
		last, err := r.audit.Recent(t.Context(), len(tc.want))
		for _, entry := range last {
			if entry.Action != "card.exported" || entry.Actor != "ann" || entry.Origin != "export one" || !slices.Contains(tc.want, entry.Object) {
				t.Errorf("%s: the log has %+v", name, entry)
			}
		}
		if err != nil {
			t.Error(err)
		}
		if x := got[held]; tc.tenant == "" && (!x.Held || x.Brand != "amex" || x.Kind != Reusable || x.ExpiryMonth != 4 || x.ExpiryYear != 2030 || x.Tenant != "main" ||
			len(x.Aliases) != 2 || x.Aliases[0].Destination != "webhook" || time.Since(x.Created) > time.Minute) {
			t.Errorf("of a card is said %+v", x)
		}
	}
	r.edit(t, "UPDATE card SET expires = 1 WHERE token = $1", held)
	if got, err := r.exported(t, e); err != nil || len(got) != len(all)-1 {
		t.Errorf("with one whose time is over %d came, want one less than %d (%v)", len(got), len(all), err)
	}
}

// TestExportNotesFirst: an entry of each card is durable before it is handed out.
func TestExportNotesFirst(t *testing.T) {
	r := newRig(t)
	for i := range 3 {
		r.mustSeal(t, visa(fmt.Sprint(i)))
	}
	_, err := r.vault.ExportCards(t.Context(), everything(), func(x Exported, _ *secret.Card) error {
		entries, err := r.audit.Recent(t.Context(), 10)
		for _, e := range entries {
			if e.Action == "card.exported" && e.Object == x.Token {
				return err
			}
		}
		t.Error("a card is handed out that the log doesn't know to leave")
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestExportMeanwhile: the key is rotated, and cards are shredded, while they leave.
func TestExportMeanwhile(t *testing.T) {
	r := newRig(t)
	var tokens []string
	for i := range 8 {
		tokens = append(tokens, r.mustSeal(t, visa(fmt.Sprint(i))))
	}
	slices.Sort(tokens)
	var got []string
	_, err := r.vault.ExportCards(t.Context(), everything(), func(x Exported, _ *secret.Card) error {
		got = append(got, x.Token)
		switch len(got) {
		case 1:
			if _, err := r.vault.Rotate(t.Context(), "ann", "test"); err != nil {
				return err
			}
			return r.vault.Rewrap(t.Context())
		case 2:
			return r.vault.Shred(t.Context(), "ann", tokens[5])
		}
		return nil
	})
	if want := slices.Delete(slices.Clone(tokens), 5, 6); err != nil || !slices.Equal(got, want) {
		t.Errorf("%d cards came, want all but the one that was shredded: %v", len(got), err)
	}
}

// TestExportStops at what can't be opened, at who takes no more, and where nobody has opened the vault.
func TestExportStops(t *testing.T) {
	r := newRig(t)
	var tokens []string
	for i := range 4 {
		tokens = append(tokens, r.mustSeal(t, visa(fmt.Sprint(i))))
	}
	slices.Sort(tokens)
	full := errors.New("full")
	if _, err := r.vault.ExportCards(t.Context(), everything(), func(Exported, *secret.Card) error { return full }); !errors.Is(err, full) {
		t.Errorf("nobody takes them: %v", err)
	}
	r.edit(t, "UPDATE card SET last4 = '1111' WHERE token = $1", tokens[2])
	got, err := r.exported(t, everything())
	if want := "vault: export: card " + tokens[2]; !errors.Is(err, ErrAltered) || len(err.Error()) < len(want) || err.Error()[:len(want)] != want || len(got) != 2 {
		t.Errorf("%d came, and %v", len(got), err)
	}
	if err := r.vault.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.exported(t, everything()); !errors.Is(err, ErrLocked) {
		t.Errorf("locked: %v", err)
	}
	if _, err := r.vault.Exportable(t.Context(), everything()); !errors.Is(err, ErrLocked) {
		t.Errorf("locked, and counted: %v", err)
	}
}
