package vault

import (
	"context"
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/audio/locked/lockedtest"
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

// TestNothingStaysInMemory seals and reveals a card of random digits, then searches the whole process, with
// no garbage collection to help: the key must lie in its locked page alone, the card nowhere. The sealing and
// the opening are interrupted where they end, so that what a register still holds counts too.
func TestNothingStaysInMemory(t *testing.T) {
	r := newRig(t)
	// Its halves: a vector register holds no more.
	key, half := lockedtest.Masked(r.kek.key[:keySize/2]), lockedtest.Masked(r.kek.key[keySize/2:keySize])
	card, c, pan, cvv := randomCard(t)
	if got := lockedtest.Copies(t, pan)[0]; got != 1 {
		t.Fatalf("%d copies of a PAN that is in use, want 1: the search is blind, or the card leaks already", got)
	}
	lockedtest.Interrupted(t, func() error {
		_, err := r.kek.seal(make([]byte, keySize), nil)
		return err
	})
	if got := lockedtest.Copies(t, key, half); !slices.Equal(got, []int{1, 1}) {
		t.Errorf("%d copies of the halves of the vault key after its use, want one of each", got)
	}
	var sealed *record
	lockedtest.Interrupted(t, func() (err error) {
		sealed, err = newRecord(c, card.PAN, card.Expiry, r.kek, 1, time.Now())
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
		card, err = sealed.reveal(r.kek)
		return err
	})
	if got := lockedtest.Copies(t, pan, key, half); !slices.Equal(got, []int{1, 1, 1}) {
		t.Errorf("%d copies of PAN and halves of the vault key after a card was opened, want one of each", got)
	}
	card.Destroy()
	inUse := 0
	err = r.vault.Reveal(context.Background(), token, func(*secret.Card) error { inUse = lockedtest.Copies(t, pan)[0]; return nil })
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
