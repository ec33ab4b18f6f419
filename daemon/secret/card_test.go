package secret_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/audio/locked/lockedtest"
	"github.com/flattone/flattone/daemon/secret"
)

func newCard(t interface {
	Helper()
	Fatal(...any)
	Cleanup(func())
}, pan, expiry, cvv string) *secret.Card {
	t.Helper()
	c, err := secret.NewCard()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Destroy)
	fill(c.PAN, pan)
	fill(c.Expiry, expiry)
	fill(c.CVV.Text, cvv)
	return c
}

func fill(text *secret.Text, digits string) {
	for _, d := range []byte(digits) {
		if text.Append(d) != nil {
			panic("a test card doesn't fit")
		}
	}
}

func same(a, b *secret.Card) bool {
	return bytes.Equal(a.PAN.Reveal(), b.PAN.Reveal()) && bytes.Equal(a.Expiry.Reveal(), b.Expiry.Reveal()) &&
		bytes.Equal(a.CVV.Reveal(), b.CVV.Reveal())
}

func page(t *testing.T, n int) []byte {
	t.Helper()
	b, err := locked.Bytes(n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { locked.Free(b) })
	return b[:n]
}

func TestCardSurvivesItsEncoding(t *testing.T) {
	for name, c := range map[string]*secret.Card{
		"sixteen":    newCard(t, "4242424242424242", "1229", "123"),
		"fifteen":    newCard(t, "378282246310005", "0131", "1234"),
		"longest":    newCard(t, "6205500000000000004", "122029", "123456789012"),
		"number":     newCard(t, "5555555555554444", "", ""),
		"empty":      newCard(t, "", "", ""),
		"only a cvv": newCard(t, "", "", "123"),
	} {
		buf := page(t, secret.CardSize)
		if err := c.MarshalTo(buf); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		twin, err := c.Clone()
		if err != nil {
			t.Fatal(err)
		}
		if !same(c, twin) {
			t.Errorf("%s: the clone differs", name)
		}
		twin.Destroy()
		if c.PAN.Len()+c.Expiry.Len()+c.CVV.Len() == 0 && name != "empty" {
			t.Errorf("%s: went with its clone", name)
		}
		got := newCard(t, "9999", "99", "9") // what was there goes
		if err := got.UnmarshalFrom(buf); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !same(c, got) {
			t.Errorf("%s: card differs", name)
		}
	}
}

func TestWhatIsNoCardIsRefusedAndChangesNothing(t *testing.T) {
	good := page(t, secret.CardSize)
	newCard(t, "4242424242424242", "1229", "123").MarshalTo(good)
	bad := map[string]func(b []byte) []byte{
		"nothing":               func([]byte) []byte { return nil },
		"one byte short":        func(b []byte) []byte { return b[:len(b)-1] },
		"one byte long":         func(b []byte) []byte { return append(b, 0) },
		"a run longer than fit": func(b []byte) []byte { b[0] = secret.PANDigits + 1; return b },
		"longer than a full room": func(b []byte) []byte {
			copy(b[1:], bytes.Repeat([]byte("7"), secret.PANDigits))
			b[0] = secret.PANDigits + 1
			return b
		},
		"a letter":             func(b []byte) []byte { b[1] = 'x'; return b },
		"a zero inside a run":  func(b []byte) []byte { b[2] = 0; return b },
		"a digit behind a run": func(b []byte) []byte { b[18] = '0'; return b },
	}
	for name, spoil := range bad {
		c, before := newCard(t, "5555", "", "123"), newCard(t, "5555", "", "123")
		if err := c.UnmarshalFrom(spoil(bytes.Clone(good))); !errors.Is(err, secret.ErrLayout) {
			t.Errorf("%s: %v", name, err)
		}
		if !same(c, before) {
			t.Errorf("%s: card differs", name)
		}
	}
	if err := newCard(t, "", "", "").MarshalTo(make([]byte, secret.CardSize-1)); err == nil {
		t.Error("encoded into too little room")
	}
}

func TestClearWipesTheWholeCard(t *testing.T) {
	c := newCard(t, "4242424242424242", "1229", "123")
	c.Clear()
	if len(bytes.Trim(secret.Memory(c), "\x00")) != 0 {
		t.Error("something is left")
	}
	fill(c.PAN, "42")
	if c.PAN.Len() != 2 {
		t.Error("a cleared card can't be filled again")
	}
	c.CVV.Destroy() // a field is wiped by this, and goes with its card
	c.Destroy()
	c.Destroy()
	c.Clear()
	if c.PAN.Len()+c.Expiry.Len()+c.CVV.Len() != 0 || !errors.Is(c.PAN.Append('1'), secret.ErrDestroyed) {
		t.Error("a destroyed card has fields")
	}
	if !errors.Is(c.MarshalTo(make([]byte, secret.CardSize)), secret.ErrDestroyed) ||
		!errors.Is(c.UnmarshalFrom(make([]byte, secret.CardSize)), secret.ErrDestroyed) {
		t.Error("a destroyed card can be encoded")
	}
	if _, err := c.Clone(); !errors.Is(err, secret.ErrDestroyed) {
		t.Errorf("a destroyed card can be cloned: %v", err)
	}
}

// Go preempts a thread by a signal, and the kernel keeps the thread's registers on the signal's stack: what a copy
// leaves in a vector register is in memory for good.
func TestNoRegisterKeepsACard(t *testing.T) {
	card, back, buf := newCard(t, "", "", ""), newCard(t, "", "", ""), page(t, secret.CardSize)
	var pan, cvv []byte // of random digits, so that they lie nowhere else, and masked
	for _, field := range []struct {
		of     *secret.Text
		masked *[]byte
	}{{card.PAN, &pan}, {card.CVV.Text, &cvv}} {
		for field.of.Len() < min(field.of.Cap(), 16) {
			d := byte('0' + rand.IntN(10))
			if err := field.of.Append(d); err != nil {
				t.Fatal(err)
			}
			*field.masked = append(*field.masked, d^lockedtest.Mask)
		}
	}
	for _, step := range []struct {
		what string
		do   func() error
		want int // copies that lie in locked memory
	}{
		{"before", func() error { return nil }, 1},
		{"encoded", func() error { return card.MarshalTo(buf) }, 2},
		{"decoded", func() error { return back.UnmarshalFrom(buf) }, 3},
	} {
		lockedtest.Interrupted(t, step.do)
		if got := lockedtest.Copies(t, pan, cvv); got[0] != step.want || got[1] != step.want {
			t.Errorf("%s: %d copies of the PAN and %d of the CVV, want %d of each", step.what, got[0], got[1], step.want)
		}
	}
}

// What decodes must encode to the same bytes: there is one encoding of a card.
func FuzzUnmarshalFrom(f *testing.F) {
	seed := make([]byte, secret.CardSize)
	f.Add(bytes.Clone(seed))
	newCard(f, "4242424242424242", "1229", "123").MarshalTo(seed)
	f.Add(bytes.Clone(seed))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, src []byte) {
		c, err := secret.NewCard()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Destroy()
		if err := c.UnmarshalFrom(src); err != nil {
			if c.PAN.Len()+c.Expiry.Len()+c.CVV.Len() != 0 {
				t.Error("a refused card left something")
			}
			return
		}
		dst := make([]byte, secret.CardSize)
		if err := c.MarshalTo(dst); err != nil || !bytes.Equal(src, dst) {
			t.Error("a card has two encodings")
		}
	})
}
