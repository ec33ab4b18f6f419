package export

import (
	"bytes"
	"crypto/rand"
	"io"
	"slices"
	"testing"

	"filippo.io/age"
	"pgregory.net/rapid"

	"github.com/flattone/flattone/audio/locked/lockedtest"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/vault"
)

// TestSealing: age opens whatever is written, in whatever pieces, to the last byte; and not what was cut short.
func TestSealing(t *testing.T) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(chunkSize-2, chunkSize+2), rapid.IntRange(3*chunkSize-2, 3*chunkSize+2)).Draw(t, "size")
		text := make([]byte, size)
		rand.Read(text)
		var file bytes.Buffer
		s, err := newSealer(&file, identity.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		defer s.wipe()
		for rest := text; len(rest) > 0; {
			n := min(len(rest), rapid.IntRange(1, 2*chunkSize).Draw(t, "piece"))
			if _, err := s.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if _, err := opened(file.Bytes(), identity); err == nil {
			t.Error("it opens to its end before it has one")
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		got, err := opened(file.Bytes(), identity)
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("%d bytes come back of %d: %v", len(got), len(text), err)
		}
	})
}

func opened(file []byte, as age.Identity) ([]byte, error) {
	clear, err := age.Decrypt(bytes.NewReader(file), as)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(clear)
}

// randomCard is a card of random digits that are nowhere else, its last four, and the rest masked.
func randomCard(t *testing.T) (card *secret.Card, last4 string, pan []byte) {
	t.Helper()
	card, err := secret.NewCard()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 16 {
		var b [1]byte
		rand.Read(b[:])
		d := '0' + b[0]%10
		if err := card.PAN.Append(d); err != nil {
			t.Fatal(err)
		}
		if i < 12 {
			pan = append(pan, d^lockedtest.Mask)
		} else {
			last4 += string(rune(d))
		}
	}
	return card, last4, pan
}

// TestNothingStaysInMemory: while a card is being written its number is in its own page and in the one that is sealed, and after that in neither, nor anywhere.
func TestNothingStaysInMemory(t *testing.T) {
	identity, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	card, _, pan := randomCard(t)
	var file bytes.Buffer
	s, err := newSealer(&file, identity.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	lockedtest.Interrupted(t, func() error { return writeCard(s, vault.Exported{Token: "tok_a", Brand: "visa"}, card) })
	card.Destroy()
	if got := lockedtest.Copies(t, pan)[0]; got != 1 {
		t.Errorf("%d copies of the number before it is sealed, want the one page", got)
	}
	lockedtest.Interrupted(t, s.close)
	if got := lockedtest.Copies(t, pan); !slices.Equal(got, []int{0}) {
		t.Errorf("%d copies of the number once it is sealed", got)
	}
	s.wipe()
	if text, err := opened(file.Bytes(), identity); err != nil || !bytes.Contains(text, []byte(`","token":"tok_a"`)) {
		t.Errorf("it doesn't open: %v", err)
	}
}

// TestAnExportLeavesNothing: from the vault to the file, and after, no number is anywhere in memory whenever something is written.
func TestAnExportLeavesNothing(t *testing.T) {
	b := newBox(t)
	b.enrol(t)
	card, last4, pan := randomCard(t)
	c := aCard()
	c.Last4, c.ExpiryMonth, c.ExpiryYear = last4, 0, 0
	if _, err := b.vault.Seal(t.Context(), c, card); err != nil {
		t.Fatal(err)
	}
	if got := lockedtest.Copies(t, pan)[0]; got != 1 {
		t.Fatalf("%d copies of a number that is in use, want 1: the search is blind, or the card leaks already", got)
	}
	card.Destroy()
	var found []int
	b.exporter.room = func() (int64, error) {
		found = append(found, lockedtest.Copies(t, pan)[0])
		return 1 << 40, nil
	}
	b.runs(t)
	if e := b.export(t, "newpsp", ""); e.Failed != nil || e.Cards != 1 {
		t.Errorf("it ended as %+v", e)
	}
	if found = append(found, lockedtest.Copies(t, pan)[0]); !slices.Equal(found, []int{0, 0, 0}) {
		t.Errorf("as its header is written, its chunk, and after there are %v copies of the number", found)
	}
}
