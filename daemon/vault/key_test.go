package vault

import (
	"errors"
	"os"
	"testing"

	"github.com/flattone/flattone/daemon/store/storetest"
)

func TestWrongKey(t *testing.T) {
	dir := t.TempDir()
	r, err := openRig(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	s := visa("a")
	token := r.mustSeal(t, s)
	rows := r.rows(t)
	r.close()
	right := r.keyFile() + ".right"
	if err := os.Rename(r.keyFile(), right); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time tells whether the first changed anything
		_, err := openRig(t.Context(), dir) // makes another key
		if !errors.Is(err, ErrWrongKey) {
			t.Fatalf("got %v, want ErrWrongKey", err)
		}
	}
	if err := os.Rename(right, r.keyFile()); err != nil {
		t.Fatal(err)
	}
	if r, err = openRig(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if got := r.rows(t); got != rows {
		t.Errorf("the wrong key wrote: rows %v became %v", rows, got)
	}
	if err := r.reveals(t, token, s); err != nil {
		t.Error(err)
	}
}

// TestLostCheckValue: a vault with cards never takes a key on trust.
func TestLostCheckValue(t *testing.T) {
	dir := t.TempDir()
	r, err := openRig(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	r.mustSeal(t, visa("a"))
	r.close()
	storetest.Behind(t, r.state(), "DELETE FROM kek; DELETE FROM kek_box; DELETE FROM root")
	if _, err := openRig(t.Context(), dir); !errors.Is(err, ErrAltered) {
		t.Errorf("got %v, want ErrAltered", err)
	}
}
