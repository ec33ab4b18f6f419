package stripe_test

import (
	"errors"
	"testing"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
	"github.com/flattone/flattone/daemon/gateway/stripe/stripesim"
)

// TestADayLater: once Stripe has forgotten its keys, and where it repeats that it failed, what was done is known by what it is, and isn't done again.
func TestADayLater(t *testing.T) {
	sim, ref := stripesim.New(t), ""
	c, o := connector(t, sim), order
	o.Take = false
	if _, err := c.Authorise(t.Context(), o, gatewaytest.Card(t, approved), keep(&ref)); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []func() (gateway.Answer, error){
		func() (gateway.Answer, error) { return c.Capture(t.Context(), o, ref, 1000) },
		func() (gateway.Answer, error) { return c.Refund(t.Context(), o, ref, "ref_1", 100) },
	} {
		sim.Break(gatewaytest.Failing)
		verb() // which may know better already
		for _, later := range []func(){func() {}, sim.Forget} {
			later()
			if a, err := verb(); err != nil || a.Outcome != gateway.Approved {
				t.Errorf("%+v, %v", a, err)
			}
		}
	}
	if b := sim.Books(o); b != (gatewaytest.Books{Charges: 1, Taken: 1000, Returned: 100}) {
		t.Errorf("%+v", b)
	}
	if _, err := c.Refund(t.Context(), o, ref, "ref_1", 200); !errors.Is(err, gateway.ErrRefused) {
		t.Errorf("another amount under a refund's key: %v", err)
	}
}
