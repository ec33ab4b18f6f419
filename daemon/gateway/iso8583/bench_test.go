package iso8583

import (
	"crypto/tls"
	"fmt"
	"testing"

	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
)

// BenchmarkAuthorise is a round trip by way of loopback, the acquirer's part included.
func BenchmarkAuthorise(b *testing.B) {
	his, roots := identity(b, "acquirer")
	for name, secure := range map[string]*tls.Config{"plain": nil, "TLS": {Certificates: []tls.Certificate{his}}} {
		b.Run(name, func(b *testing.B) {
			cfg := secureConfig(message.Form{Packed: true}, roots)
			cfg.Plain = secure == nil
			r, became := onLoopback(b, secure, cfg, Deps{})
			if err := <-became; err != nil {
				b.Fatal(err)
			}
			card := aCard(b, good, "1229", "123")
			n := 0
			for b.Loop() {
				n++
				if _, err := r.c.Authorise(b.Context(), anOrder(fmt.Sprint(n), 1200), card, func(string) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
