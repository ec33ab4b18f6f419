//go:build stripemock

package stripe

import (
	"bufio"
	"errors"
	"flag"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/courier"
	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
)

var mock = flag.String("mock", "", "Stripe's own stripe-mock")

// mocked is a connector to stripe-mock, which looks at each request by the API's published description, and keeps nothing: its intents stay as they were made.
func mocked(t *testing.T) *Stripe {
	t.Helper()
	cmd := exec.Command(*mock, "-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0") // without both it listens to the network
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("stripe-mock is run by make contracts: %v", err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	at := ""
	for lines := bufio.NewScanner(out); at == "" && lines.Scan(); {
		if m := regexp.MustCompile(`for HTTP at address: (\S+)`).FindStringSubmatch(lines.Text()); m != nil {
			at = m[1]
		}
	}
	if at == "" {
		t.Fatal("stripe-mock doesn't say where it listens")
	}
	via, err := courier.New(courier.Config{Base: "http://" + at})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Key: "sk_test_123"}, via)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestStripesOwnDescription: all that is sent is a request of the API's version, and what comes back is read. The end of each verb is a state that only the real one
// leaves, or an object of another payment: that shows that it got so far.
func TestStripesOwnDescription(t *testing.T) {
	s := mocked(t)
	o := gateway.Order{Key: "pay_abcdefghijklmnopqrstuvwxyz", Minor: 1099, Currency: "USD", Reference: "invoice-7", Take: true, Address: gateway.Address{Line: "1 Main St", Postcode: "12345"}}
	ref := ""
	stored := o
	agreed := o
	agreed.Consent = true
	stored.Take, stored.Stored = false, &gateway.Stored{NetworkID: "104557651805572"}
	for name, o := range map[string]gateway.Order{"by telephone": o, "with consent": agreed, "stored": stored} {
		_, err := s.Authorise(t.Context(), o, gatewaytest.Card(t, "4242424242424242"), func(r string) error { ref = r; return nil })
		if err == nil || !strings.Contains(err.Error(), "its status is "+needsMethod) || errors.Is(err, gateway.ErrRefused) || errors.Is(err, gateway.ErrNotSent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !strings.HasPrefix(ref, "pi_") {
		t.Fatalf("the reference is %q", ref)
	}
	for name, c := range map[string]struct {
		verb func() (gateway.Answer, error)
		want string
	}{
		"inquire": {func() (gateway.Answer, error) { return s.Inquire(t.Context(), o, ref) }, "an intent that was canceled is " + needsMethod},
		"void":    {func() (gateway.Answer, error) { return s.Void(t.Context(), o, ref) }, "an intent that was canceled is " + needsMethod},
		"capture": {func() (gateway.Answer, error) { return s.Capture(t.Context(), o, ref, 1000) }, "another amount was taken, or none"},
	} {
		if _, err := c.verb(); !errors.Is(err, gateway.ErrGarbled) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if a, err := s.Refund(t.Context(), o, ref, "ref_1", 1000); err != nil || a.Outcome != gateway.Approved { // the one that it answers whole
		t.Errorf("refund: %+v, %v", a, err)
	}
	// What isn't in the description is refused, or all this would mean nothing.
	for name, f := range map[string]*form{"no amount": fields("currency", "usd"), "an amount in words": fields("amount", "ten", "currency", "usd"),
		"a parameter of nobody's": fields("amount", "1", "currency", "usd", "flattone", "x")} {
		if err := s.post(t.Context(), "/v1/payment_intents", "", f, &intent{}); asFault(err).http != http.StatusBadRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
}
