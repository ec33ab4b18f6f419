package vault

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestClockSetBack seals, opens the vault again where the clock is decades back, as after a machine's battery has died, and then where it is right again. Nothing is
// lost or shredded too soon, and what was promised for a time is kept to its end.
func TestClockSetBack(t *testing.T) {
	dir := t.TempDir()
	r, err := openRig(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	before := visa("before")
	token := r.mustSeal(t, before)
	r.close()
	var meanwhile string
	synctest.Test(t, func(t *testing.T) { // a bubble's clock begins in 2000
		r, err := openRig(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		defer r.close()
		if again := r.mustSeal(t, before); again != token {
			t.Error("resent, the card got another token")
		}
		if err := r.reveals(t, token, before); err != nil {
			t.Error(err)
		}
		meanwhile = r.mustSeal(t, visa("meanwhile"))
		if p, err := r.vault.Purge(t.Context(), time.Now()); err != nil || p.Cards != 0 {
			t.Errorf("the purge shredded %d cards, %v", p.Cards, err)
		}
		if _, err := r.audit.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if r, err = openRig(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if err := r.reveals(t, token, before); err != nil {
		t.Error(err)
	}
	// By the right clock the time of what was sealed meanwhile is over.
	if p, err := r.vault.Purge(t.Context(), time.Now()); err != nil || p.Cards != 1 {
		t.Errorf("the purge shredded %d cards, want the one of the wrong clock; %v", p.Cards, err)
	}
	if err := r.reveals(t, meanwhile, visa("meanwhile")); err == nil {
		t.Error("a card whose time is over is there")
	}
	if _, err := r.audit.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
