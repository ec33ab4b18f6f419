package stripe_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/courier"
	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
	"github.com/flattone/flattone/daemon/gateway/stripe"
	"github.com/flattone/flattone/daemon/gateway/stripe/stripesim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const approved = "4242424242424242"

func connector(t testing.TB, sim *stripesim.Sim) gateway.Connector {
	return trusting(t, sim, sim.Roots())
}

func trusting(t testing.TB, sim *stripesim.Sim, roots *x509.CertPool) gateway.Connector {
	t.Helper()
	via, err := courier.New(courier.Config{Base: sim.URL(), Roots: roots, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	s, err := stripe.New(stripe.Config{Key: stripesim.Key}, via)
	if err != nil {
		t.Fatal(err)
	}
	return gateway.Guard(s)
}

func TestContract(t *testing.T) {
	gatewaytest.Run(t, func(t testing.TB) gatewaytest.Rig {
		sim := stripesim.New(t)
		return gatewaytest.Rig{Connector: connector(t, sim), Provider: sim, Approved: approved, Partial: true,
			Stranger: func() gateway.Connector { return trusting(t, sim, x509.NewCertPool()) }, Leave: sim.Leave,
			Declined: map[gateway.Class]string{gateway.Refusal: "4000000000000002", gateway.Funds: "4000000000009995", gateway.Stolen: "4000000000009979", gateway.Expired: "4000000000000069",
				gateway.BadCVV: "4000000000000127", gateway.Later: "4000000000000119", gateway.NeedsHolder: "4000008400001629", gateway.BadCard: "4242424242424241"},
			Faults: []gatewaytest.Fault{gatewaytest.Unheard, gatewaytest.Busy, gatewaytest.Silent, gatewaytest.Dropped, gatewaytest.Failing, gatewaytest.Garbled, gatewaytest.Truncated,
				gatewaytest.Oversized, gatewaytest.Stale, gatewaytest.Twice, gatewaytest.Late}}
	})
}

var order = gateway.Order{Key: "pay_abcdefghijklmnopqrstuvwxyz", Minor: 1234, Currency: "EUR", Reference: "invoice-7", Take: true,
	Address: gateway.Address{Line: "1 Main St & Co", Postcode: "12345"}}

func keep(to *string) func(string) error { return func(ref string) error { *to = ref; return nil } }

// TestAnswer: what an issuer compared, and by what a payment is known.
func TestAnswer(t *testing.T) {
	const network = "104557660000002" // by the number of what the simulator made before it
	for number, want := range map[string]gateway.Answer{
		approved:           {Outcome: gateway.Approved, Auth: "123456", NetworkID: network, CVV: gateway.Match, Line: gateway.Match, Postcode: gateway.Match},
		"4000000000000028": {Outcome: gateway.Approved, Auth: "123456", NetworkID: network, CVV: gateway.Match, Line: gateway.Mismatch, Postcode: gateway.Match},
		"4000000000000036": {Outcome: gateway.Approved, Auth: "123456", NetworkID: network, CVV: gateway.Match, Line: gateway.Match, Postcode: gateway.Mismatch},
		"4000000000000127": {Outcome: gateway.Declined, Class: gateway.BadCVV, Code: "incorrect_cvc", CVV: gateway.Mismatch, Line: gateway.Match, Postcode: gateway.Match},
	} {
		sim := stripesim.New(t)
		a, err := connector(t, sim).Authorise(t.Context(), order, gatewaytest.Card(t, number), keep(&want.Ref))
		if err != nil || a != want {
			t.Errorf("%s: %+v, %v; want %+v", number[12:], a, err, want)
		}
	}
}

// TestWhatIsCompared: what is typed of an address goes to the issuer, each part by itself.
func TestWhatIsCompared(t *testing.T) {
	for name, c := range map[string]struct {
		typed          gateway.Address
		line, postcode gateway.Check
	}{
		"nothing":    {},
		"a postcode": {gateway.Address{Postcode: "12345"}, gateway.Unchecked, gateway.Match},
		"a line":     {gateway.Address{Line: "1 Main St"}, gateway.Match, gateway.Unchecked},
	} {
		o := order
		o.Address = c.typed
		a, err := connector(t, stripesim.New(t)).Authorise(t.Context(), o, gatewaytest.Card(t, approved), keep(new(string)))
		if err != nil || a.Line != c.line || a.Postcode != c.postcode {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

// TestNoMoneyYet: whatever befalls the requests before the confirmation, nothing is charged, and it says so; and the same order again is charged once.
func TestNoMoneyYet(t *testing.T) {
	for _, path := range []string{"/payment_intents", "/payment_methods"} {
		for _, f := range []gatewaytest.Fault{gatewaytest.Unheard, gatewaytest.Busy, gatewaytest.Dropped, gatewaytest.Garbled, gatewaytest.Truncated, gatewaytest.Oversized, gatewaytest.Stale} {
			t.Run(fmt.Sprint(path, " ", f), func(t *testing.T) {
				sim := stripesim.New(t)
				c, ref := connector(t, sim), ""
				sim.BreakAt(path, f)
				if _, err := c.Authorise(t.Context(), order, gatewaytest.Card(t, approved), keep(&ref)); !errors.Is(err, gateway.ErrNotSent) {
					t.Errorf("%v, want %v", err, gateway.ErrNotSent)
				}
				if seen := strings.Join(sim.Seen(), " "); strings.Contains(seen, "confirm") || path == "/payment_intents" && strings.Contains(seen, "/payment_methods") {
					t.Errorf("after a fault it went on: %s", seen)
				}
				if a, err := c.Authorise(t.Context(), order, gatewaytest.Card(t, approved), keep(&ref)); err != nil || a.Outcome != gateway.Approved {
					t.Errorf("once more: %+v, %v", a, err)
				}
				if b := sim.Books(order); b != (gatewaytest.Books{Charges: 1, Taken: order.Minor}) {
					t.Errorf("%+v", b)
				}
			})
		}
	}
}

// TestTheCardGoesLast: what is noted is known before the card leaves.
func TestTheCardGoesLast(t *testing.T) {
	sim := stripesim.New(t)
	var seen []string
	if _, err := connector(t, sim).Authorise(t.Context(), order, gatewaytest.Card(t, approved), func(string) error { seen = sim.Seen(); return nil }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"POST /v1/payment_intents"}; !slices.Equal(seen, want) {
		t.Errorf("at the note there were %q, want %q", seen, want)
	}
}

// TestStored: a stored card is charged without its owner, by the transaction in which he agreed, and without a code.
func TestStored(t *testing.T) {
	sim, ref := stripesim.New(t), ""
	c := connector(t, sim)
	charge := func(n int, change func(*gateway.Order)) gateway.Answer {
		t.Helper()
		o := order
		o.Key = fmt.Sprintf("%s%d", o.Key[:len(o.Key)-1], n)
		change(&o)
		card := gatewaytest.Card(t, approved)
		if o.Stored != nil {
			card.CVV.Clear()
		}
		a, err := c.Authorise(t.Context(), o, card, keep(&ref))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	agreed, not := charge(2, func(o *gateway.Order) { o.Consent = true }), charge(3, func(*gateway.Order) {})
	for n, by := range []string{stripesim.AgreedElsewhere, agreed.NetworkID} {
		if a := charge(4+n, func(o *gateway.Order) { o.Stored = &gateway.Stored{NetworkID: by} }); a.Outcome != gateway.Approved || a.CVV != gateway.Unchecked {
			t.Errorf("by the consent %s: %+v", by, a)
		}
	}
	if a := charge(6, func(o *gateway.Order) { o.Stored = &gateway.Stored{NetworkID: not.NetworkID} }); a.Outcome != gateway.Declined {
		t.Errorf("by a payment whose holder agreed to no more: %+v", a)
	}
}

// TestAnotherOrderUnderAKey is refused, and says nothing of the first.
func TestAnotherOrderUnderAKey(t *testing.T) {
	sim, ref := stripesim.New(t), ""
	c := connector(t, sim)
	if _, err := c.Authorise(t.Context(), order, gatewaytest.Card(t, approved), keep(&ref)); err != nil {
		t.Fatal(err)
	}
	o := order
	o.Minor++
	if _, err := c.Authorise(t.Context(), o, gatewaytest.Card(t, approved), keep(&ref)); !errors.Is(err, gateway.ErrNotSent) {
		t.Errorf("another amount: %v", err)
	}
	if _, err := c.Authorise(t.Context(), order, gatewaytest.Card(t, "4000000000000002"), keep(&ref)); err == nil {
		t.Error("another card is charged under the same key")
	}
	if _, err := c.Inquire(t.Context(), o, ref); !errors.Is(err, gateway.ErrGarbled) {
		t.Errorf("another order's reference: %v", err)
	}
	if b := sim.Books(order); b.Charges != 1 {
		t.Errorf("%+v", b)
	}
}

// TestRefused: a key that isn't one, and a reference that is none, are refused before anything is done.
func TestRefused(t *testing.T) {
	sim := stripesim.New(t)
	via, err := courier.New(courier.Config{Base: sim.URL(), Roots: sim.Roots()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stripe.New(stripe.Config{Key: "sk_live\r\nX: y"}, via); err == nil || strings.Contains(err.Error(), "sk_live") {
		t.Errorf("a key of two lines: %v", err)
	}
	s, err := stripe.New(stripe.Config{Key: "rk_test_revoked"}, via)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Authorise(t.Context(), order, gatewaytest.Card(t, approved), func(string) error { return nil }); !errors.Is(err, gateway.ErrRefused) {
		t.Errorf("a key that isn't known: %v", err)
	}
	c := connector(t, sim)
	for name, verb := range map[string]func(context.Context) (gateway.Answer, error){
		"inquire": func(ctx context.Context) (gateway.Answer, error) { return c.Inquire(ctx, order, "../refunds") },
		"void":    func(ctx context.Context) (gateway.Answer, error) { return c.Void(ctx, order, "pi_1/../2") },
		"capture": func(ctx context.Context) (gateway.Answer, error) { return c.Capture(ctx, order, "pi_1?x=y", 1) },
		"refund":  func(ctx context.Context) (gateway.Answer, error) { return c.Refund(ctx, order, "", "ref_1", 1) },
	} {
		if _, err := verb(t.Context()); !errors.Is(err, gateway.ErrNotSent) {
			t.Errorf("%s by a reference that is none: %v", name, err)
		}
	}
	if _, err := c.Inquire(t.Context(), order, "pi_unknown"); !errors.Is(err, gateway.ErrRefused) {
		t.Errorf("an intent of nobody's: %v", err)
	}
}
