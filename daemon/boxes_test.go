package daemon

import (
	"errors"
	"testing"

	"github.com/flattone/flattone/daemon/store/storetest"
)

// TestTheSecondBoxIsLetIn goes the way of docs/postgresql.md: a box with a root that the shared vault doesn't know is locked until custodians unlock it there. They
// have its root added, by which it opens from then on; and the first box opens as before.
func TestTheSecondBoxIsLetIn(t *testing.T) {
	where := storetest.Postgres(t)
	box := func(name string) *house {
		h := newHouse(t)
		h.withPeople()
		h.names("[vault]\nkey_file = \"vault.key\"")
		h.cfg.Store.Postgres, h.cfg.Store.Box = where, name
		return h
	}
	h1, h2 := box("box-1"), box("box-2")
	_, stop1, _ := h1.run()
	papers := enrol(t, h1.client())

	_, stop2, _ := h2.run()
	c := h2.client()
	if says, locked := vaultLockedSays(t, c); !locked {
		t.Fatalf("it is open by a key that the vault doesn't know: %s", says)
	}
	id, err := c.UnlockVault(t.Context())
	if err = errors.Join(err, giveShares(t, c, papers, id)); err != nil {
		t.Fatal(err)
	}
	if _, locked := vaultLockedSays(t, c); locked {
		t.Error("custodians don't open the second box")
	}
	change, err := c.AddRoot(t.Context())
	if err = errors.Join(err, giveShares(t, c, papers, change.Ceremony)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(stop1(), stop2()); err != nil {
		t.Fatal(err)
	}
	for _, h := range []*house{h1, h2} {
		h.run()
		c := h.client()
		if says, locked := vaultLockedSays(t, c); locked {
			t.Errorf("%s doesn't open by its own root: %s", h.cfg.Store.Box, says)
		}
		if roots, _ := rootsOf(t, c); roots != "[file] custodians file " && roots != "file custodians [file] " {
			t.Errorf("%s opens by %s", h.cfg.Store.Box, roots)
		}
	}
}
