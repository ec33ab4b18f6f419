package payment

import (
	"fmt"
	"runtime/debug"
	"testing"

	"github.com/flattone/flattone/audio/locked/lockedtest"
	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
)

// TestWhoComesAgainStaysNowhere: cards are known again, and no eight digits of one in a row lie anywhere in the process but in the card; nor is the key there once
// payments have ended, without which nobody can tell by guessing whose card it was.
func TestWhoComesAgainStaysNowhere(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	seen, err := newTwice()
	if err != nil {
		t.Fatal(err)
	}
	var masked []byte
	if err := seen.key.Use(func(key []byte) error { masked = lockedtest.Masked(key); return nil }); err != nil {
		t.Fatal(err)
	}
	card := aCard(t)
	runs := gatewaytest.Unseen(t, card.PAN, 16)
	lockedtest.Interrupted(t, func() error {
		for _, c := range [][2]string{{"one", ""}, {"two", "one"}} {
			if before, err := seen.sees(Payment{ID: c[0], Order: Order{Minor: 1234, Currency: "EUR"}}, card.PAN); err != nil || before != c[1] {
				return fmt.Errorf("%s is taken for one after %q, %v", c[0], before, err)
			}
		}
		return nil
	})
	for i, n := range lockedtest.Copies(t, runs...) {
		if n != 1 {
			t.Errorf("%d copies of the %dth run of digits, want the card's own", n, i+1)
		}
	}
	if n := lockedtest.Copies(t, masked)[0]; n != 1 {
		t.Errorf("%d copies of the key, want its own", n)
	}
	seen.forget()
	if n := lockedtest.Copies(t, masked)[0]; n != 0 {
		t.Errorf("%d copies of the key are there after the end", n)
	}
}
