package vault

import (
	"errors"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/keys"
)

// kept is a card to be kept for later.
func kept(id string) sample {
	s := visa(id)
	s.Kind = Reusable
	return s
}

// Where cards are kept no root comes to lie on the disk with them. Where none are, one may: but then none may be kept until it is dropped, whichever root opened
// the vault.
func TestNoCardIsKeptBesideARootOnTheDisk(t *testing.T) {
	r, file, host := newRig(t), newRoot(t, keys.File), newRoot(t, keys.Host)
	id, err := r.vault.AddRoot(t.Context(), "anna", file)
	if err != nil {
		t.Fatal(err)
	}
	if on := r.vault.OnDisk(); !strings.Contains(on, id) || !strings.Contains(on, "file") || r.vault.MayKeep("trunk-side") {
		t.Errorf("a root is a file, and it says %q", on)
	}
	if _, err := r.vault.Seal(t.Context(), kept("a").Capture, mustCard(t, kept("a"))); !errors.Is(err, ErrMayNotKeep) {
		t.Errorf("a card is kept beside it: %v", err)
	}
	if err := r.vault.DropRoot(t.Context(), "anna", id); err != nil {
		t.Fatal(err)
	}
	r.mustSeal(t, kept("a"))
	for _, err := range []error{r.vault.MayAdd(t.Context(), host), second(r.vault.AddRoot(t.Context(), "anna", host))} {
		if !errors.Is(err, ErrRootOnDisk) {
			t.Errorf("added beside a card that is kept: %v", err)
		}
	}
	if roots, err := r.vault.Roots(t.Context()); err != nil || len(roots) != 1 {
		t.Errorf("roots %+v, %v", roots, err)
	}
}

func second(_ string, err error) error { return err }

// One root is there once, and who drops one leaves it nothing that is sealed from then on.
func TestARootIsThereOnce(t *testing.T) {
	r, tpm := newRig(t), newRoot(t, keys.TPM)
	if err := r.vault.MayAdd(t.Context(), r.root); !errors.Is(err, ErrKnownRoot) {
		t.Errorf("its own: %v", err)
	}
	id, err := r.vault.AddRoot(t.Context(), "anna", tpm)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.vault.AddRoot(t.Context(), "anna", tpm); !errors.Is(err, ErrKnownRoot) || !strings.Contains(err.Error(), id) {
		t.Errorf("twice: %v", err)
	}
	if err := r.vault.DropRoot(t.Context(), "anna", id); err != nil {
		t.Fatal(err)
	}
	if p, err := r.vault.Progress(t.Context()); err != nil || p.Version != 2 {
		t.Errorf("what it could open seals on: %+v, %v", p, err)
	}
	entries, err := r.audit.Recent(t.Context(), 2)
	if err != nil || entries[1].Action != "key.root_dropped" || entries[1].Object != id || entries[0].Action != "key.rotated" || entries[0].Origin != "a root was dropped" {
		t.Errorf("the log has %+v, %v", entries, err)
	}
	if err := r.vault.DropRoot(t.Context(), "anna", id); !errors.Is(err, ErrUnknownRoot) {
		t.Errorf("dropped twice: %v", err)
	}
	if p, err := r.vault.Progress(t.Context()); err != nil || p.Version != 2 {
		t.Errorf("a version was made for nothing: %+v, %v", p, err)
	}
}
