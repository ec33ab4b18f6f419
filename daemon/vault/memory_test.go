package vault

import (
	"context"
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/audio/locked/lockedtest"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/secret"
)

// randomCard fills a card with random digits that exist nowhere else, and returns the PAN's first twelve
// and the CVV, masked.
func randomCard(t *testing.T) (card *secret.Card, c Capture, pan, cvv []byte) {
	t.Helper()
	card, err := secret.NewCard()
	if err != nil {
		t.Fatal(err)
	}
	digit := func(to *secret.Text) byte {
		var b [1]byte
		rand.Read(b[:])
		d := '0' + b[0]%10
		if err := to.Append(d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	c = visa("memory").Capture
	c.Last4 = ""
	for i := range 16 {
		if d := digit(card.PAN); i < 12 {
			pan = append(pan, d^lockedtest.Mask)
		} else {
			c.Last4 += string(rune(d))
		}
	}
	for range 12 {
		cvv = append(cvv, digit(card.CVV.Text)^lockedtest.Mask)
	}
	for _, d := range []byte("1131") {
		if err := card.Expiry.Append(d); err != nil {
			t.Fatal(err)
		}
	}
	return card, c, pan, cvv
}

// halves are those of the vault's key, masked.
func (r *rig) halves(t *testing.T) (first, second []byte) {
	t.Helper()
	_, kek, err := r.vault.ring.newest()
	if err == nil {
		err = kek.Use(func(key []byte) error {
			first, second = lockedtest.Masked(key[:keys.Size/2]), lockedtest.Masked(key[keys.Size/2:])
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return first, second
}

// TestNothingStaysInMemory seals and reveals a card of random digits, then searches the whole process, with
// no garbage collection to help: the key must lie in its locked page alone, the card nowhere. The sealing and
// the opening are interrupted where they end, so that what a register still holds counts too.
func TestNothingStaysInMemory(t *testing.T) {
	r := newRig(t)
	_, kek, err := r.vault.ring.newest()
	if err != nil {
		t.Fatal(err)
	}
	// Its halves: a vector register holds no more.
	key, half := r.halves(t)
	card, c, pan, cvv := randomCard(t)
	if got := lockedtest.Copies(t, pan)[0]; got != 1 {
		t.Fatalf("%d copies of a PAN that is in use, want 1: the search is blind, or the card leaks already", got)
	}
	lockedtest.Interrupted(t, func() error {
		_, err := kek.Seal(make([]byte, keys.Size), nil)
		return err
	})
	if got := lockedtest.Copies(t, key, half); !slices.Equal(got, []int{1, 1}) {
		t.Errorf("%d copies of the halves of the vault key after its use, want one of each", got)
	}
	var sealed *record
	lockedtest.Interrupted(t, func() (err error) {
		sealed, err = newRecord(c, card.PAN, card.Expiry, 1, kek, time.Now(), time.Now())
		return err
	})
	if got := lockedtest.Copies(t, pan, key, half); !slices.Equal(got, []int{1, 1, 1}) {
		t.Errorf("%d copies of PAN and halves of the vault key after a card was sealed, want one of each", got)
	}
	token, err := r.vault.Seal(context.Background(), c, card)
	if err != nil {
		t.Fatal(err)
	}
	card.Destroy()
	lockedtest.Interrupted(t, func() (err error) {
		card, err = sealed.open(kek)
		return err
	})
	if got := lockedtest.Copies(t, pan, key, half); !slices.Equal(got, []int{1, 1, 1}) {
		t.Errorf("%d copies of PAN and halves of the vault key after a card was opened, want one of each", got)
	}
	card.Destroy()
	inUse := 0
	err = r.vault.Use(context.Background(), charge(token), func(*secret.Card) error { inUse = lockedtest.Copies(t, pan)[0]; return nil })
	if err != nil || inUse != 1 {
		t.Errorf("%d copies of the PAN while it is revealed, want the card's own (%v)", inUse, err)
	}
	got := lockedtest.Copies(t, pan, cvv, key, half)
	for i, want := range []struct {
		what string
		n    int
	}{{"PAN", 0}, {"CVV", 0}, {"first half of the vault key", 1}, {"other half", 1}} {
		if got[i] != want.n {
			t.Errorf("%d copies of the %s in memory, want %d", got[i], want.what, want.n)
		}
	}
}
