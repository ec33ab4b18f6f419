package iso8583

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/audio/locked/lockedtest"
	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/iso8583/acquirer"
	"github.com/flattone/flattone/daemon/secret"
)

// unseen is a card of random digits that are nowhere else, and what of it to search for, masked: twelve digits of its number, the same as they are packed, and its CVV.
func unseen(t *testing.T) (card *secret.Card, masked [][]byte) {
	t.Helper()
	card = aCard(t, "", "1229", "")
	draw := func(to *secret.Text, n int) []byte {
		for range n {
			var b [1]byte
			rand.Read(b[:])
			if err := to.Append('0' + b[0]%10); err != nil {
				t.Fatal(err)
			}
		}
		return lockedtest.Masked(to.Reveal())
	}
	pan, cvv := draw(card.PAN, 16), draw(card.CVV.Text, secret.CVVDigits)
	var packed []byte
	for i := 0; i < 12; i += 2 {
		packed = append(packed, ((pan[i]^lockedtest.Mask-'0')<<4|(pan[i+1]^lockedtest.Mask-'0'))^lockedtest.Mask)
	}
	return card, [][]byte{pan[:12], packed, cvv}
}

// TestNothingStaysInMemory has a card of random digits charged, by an acquirer who repeats it in his answer, and searches the whole process, his end included, with no
// garbage collection to help: but for the card itself there is nothing.
func TestNothingStaysInMemory(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for form := range forms {
		for _, version := range []uint16{0, tls.VersionTLS12, tls.VersionTLS13} {
			name := form + ", plain"
			if version > 0 {
				name = form + ", " + tls.VersionName(version)
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					his, roots := identity(t, "acquirer")
					secure, cfg := &tls.Config{Certificates: []tls.Certificate{his}, MinVersion: version, MaxVersion: version}, secureConfig(forms[form], roots)
					if version == 0 {
						secure, cfg = nil, aConfig(forms[form])
					}
					r := newRig(t, forms[form], secure)
					r.start(cfg, Deps{})
					defer r.stop()
					r.bank.Script(acquirer.Repeats)
					card, masked := unseen(t)
					if got := lockedtest.Copies(t, masked...); !slices.Equal(got, []int{1, 0, 1}) {
						t.Fatalf("%v copies of number, packed number and CVV before they are used: the search is blind, or they leak already", got)
					}
					runtime.GC() // the pool of crypto/tls's buffers is emptied by the second
					runtime.GC()
					ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
					defer cancel()
					lockedtest.Interrupted(t, func() error {
						a, err := r.c.Authorise(ctx, anOrder("pay_a", 1234), card, func(string) error { return nil })
						if err == nil && a.Outcome != gateway.Approved {
							t.Errorf("%+v", a)
						}
						return err
					})
					synctest.Wait() // until both ends wait for more
					if got := lockedtest.Copies(t, masked...); !slices.Equal(got, []int{1, 0, 1}) {
						t.Errorf("%v copies of number, packed number and CVV, want the card's own", got)
					}
				})
			})
		}
	}
}
