package vault

import (
	"errors"
	"testing"

	"github.com/flattone/flattone/daemon/store"
)

// TestKnown: each destination finds a card by what it was told, and by nothing that another was.
func TestKnown(t *testing.T) {
	cfg := config()
	cfg.Destinations = []Destination{{Name: "plain"}, {Name: "shop", Own: true, Number: true}, {Name: "crm", Own: true}}
	r, err := openRigAs(t.Context(), t.TempDir(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	token := r.mustSeal(t, visa("a"))
	names := map[string]string{}
	if err := r.db.Read(t.Context(), func(tx *store.Tx) (err error) {
		names, err = r.vault.Names(tx, token)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	find := func(to, by string) (e Entry, err error) {
		err = r.db.Read(t.Context(), func(tx *store.Tx) (err error) {
			e, err = r.vault.Known(tx, to, by)
			return err
		})
		return e, err
	}
	for to := range names {
		for whose, by := range names {
			e, err := find(to, by)
			if whose == to && (err != nil || e.Token != token || e.Last4 != "4242") {
				t.Errorf("%s doesn't find its card: %v", to, err)
			}
			if whose != to && !errors.Is(err, ErrUnknownToken) {
				t.Errorf("%s finds a card by %s's token: %v", to, whose, err)
			}
		}
	}
	for _, no := range []string{"", visa("a").pan, "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa"} {
		if _, err := find("plain", no); !errors.Is(err, ErrUnknownToken) {
			t.Errorf("what is no card's is found: %v", err)
		}
	}
	shred := func(tx *store.Tx) error { return r.vault.ShredIn(tx, "client crm", token) }
	if err := r.vault.Hold(t.Context(), "anna", token, "a dispute"); err != nil {
		t.Fatal(err)
	}
	if err := r.db.Write(t.Context(), func(tx *store.Tx) error {
		if err := shred(tx); !errors.Is(err, ErrOnHold) {
			t.Errorf("a card on hold is shredded: %v", err)
		}
		return nil // the transaction goes on
	}); err != nil {
		t.Fatal(err)
	}
	if err := r.vault.Release(t.Context(), "anna", token); err != nil {
		t.Fatal(err)
	}
	if err := r.db.Write(t.Context(), shred); err != nil {
		t.Fatal(err)
	}
	for to, by := range names {
		if _, err := find(to, by); !errors.Is(err, ErrUnknownToken) {
			t.Errorf("%s finds a card that is gone: %v", to, err)
		}
	}
}
