package template

import (
	"context"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/courier"
	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
	"github.com/flattone/flattone/daemon/gateway/template/acmesim"
	"github.com/flattone/flattone/daemon/gateway/template/dialect"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const approved = "4242424242424242"

func connector(t testing.TB, sim *acmesim.Sim, e dialect.Encoding, change func(*Config)) *Template {
	t.Helper()
	cfg := Config{Provider: sim.Provider(e), Secret: acmesim.Key, Courier: courier.Config{Roots: sim.Roots(), Timeout: time.Minute}}
	change(&cfg)
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func asIs(*Config) {}

// TestContract holds it to what every connector promises.
func TestContract(t *testing.T) {
	gatewaytest.Run(t, func(t testing.TB) gatewaytest.Rig {
		sim := acmesim.New(t)
		return gatewaytest.Rig{Connector: connector(t, sim, dialect.JSON, asIs), Provider: sim, Approved: approved, Partial: true,
			Stranger: func() gateway.Connector {
				return connector(t, sim, dialect.JSON, func(cfg *Config) { cfg.Courier.Roots = x509.NewCertPool() })
			}, Leave: sim.Leave,
			Declined: map[gateway.Class]string{gateway.Refusal: "4000000000000002", gateway.Funds: "4000000000009995", gateway.BadCVV: "4000000000000127", gateway.Stolen: "4000000000009987"},
			Faults: []gatewaytest.Fault{gatewaytest.Unheard, gatewaytest.Busy, gatewaytest.Silent, gatewaytest.Dropped, gatewaytest.Failing, gatewaytest.Garbled, gatewaytest.Truncated,
				gatewaytest.Oversized, gatewaytest.Stale, gatewaytest.Twice, acmesim.Redirected, acmesim.HTML, acmesim.Pending}}
	})
}

// TestEncodings: whatever a body is written in, the provider does the same.
func TestEncodings(t *testing.T) {
	for _, e := range []dialect.Encoding{dialect.JSON, dialect.Form, dialect.XML} {
		sim := acmesim.New(t)
		c := gateway.Guard(connector(t, sim, e, asIs))
		o := order("pay_1")
		o.Take, o.Address.Line = false, `1 "High" <St> & more`
		steps := map[string]gateway.Answer{}
		var errs []error
		for _, step := range []struct {
			name string
			ask  func() (gateway.Answer, error)
		}{
			{"authorise", func() (gateway.Answer, error) {
				return c.Authorise(t.Context(), o, gatewaytest.Card(t, approved), noted)
			}},
			{"capture", func() (gateway.Answer, error) { return c.Capture(t.Context(), o, "pay_1", 1000) }},
			{"refund", func() (gateway.Answer, error) { return c.Refund(t.Context(), o, "pay_1", "ref_1", 34) }},
		} {
			var err error
			steps[step.name], err = step.ask()
			errs = append(errs, err)
		}
		want := gatewaytest.Books{Charges: 1, Taken: 1000, Returned: 34}
		if err := errors.Join(errs...); err != nil || sim.Books(o) != want {
			t.Errorf("%s: %+v, %v; the books say %+v", e, steps, err, sim.Books(o))
		}
	}
}

func order(key string) gateway.Order {
	return gateway.Order{Key: key, Minor: 1234, Currency: "EUR", Take: true}
}

func noted(string) error { return nil }

func TestWhatAnApprovalSays(t *testing.T) {
	c := gateway.Guard(connector(t, acmesim.New(t), dialect.JSON, asIs))
	got, err := c.Authorise(t.Context(), order("pay_1"), gatewaytest.Card(t, approved), noted)
	want := gateway.Answer{Outcome: gateway.Approved, Ref: "ac-1", Auth: "A1B2C3", NetworkID: "MCC000001124", CVV: gateway.Match, Postcode: gateway.Mismatch, Line: gateway.Unknown}
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if a, err := c.Refund(t.Context(), order("pay_1"), "ac-1", "ref_1", 34); err != nil || a.Outcome != gateway.Approved {
		t.Errorf("a refund by the provider's name: %+v, %v", a, err)
	}
}

// TestNoRedirectIsFollowed: not even within what is allowed.
func TestNoRedirectIsFollowed(t *testing.T) {
	sim := acmesim.New(t)
	sim.Break(acmesim.Redirected)
	_, err := connector(t, sim, dialect.JSON, asIs).Authorise(t.Context(), order("pay_1"), gatewaytest.Card(t, approved), noted)
	if !errors.Is(err, gateway.ErrGarbled) || !strings.Contains(err.Error(), "redirects") || sim.Elsewhere() != 0 {
		t.Errorf("%v; gone elsewhere %d times", err, sim.Elsewhere())
	}
}

// TestACardDoesntComeBack: a provider that repeats it where an answer has something has said nothing.
func TestACardDoesntComeBack(t *testing.T) {
	sim := acmesim.New(t)
	c := gateway.Guard(connector(t, sim, dialect.JSON, asIs))
	sim.Break(acmesim.Echoing)
	a, err := c.Authorise(t.Context(), order("pay_1"), gatewaytest.Card(t, approved), noted)
	if !errors.Is(err, gateway.ErrGarbled) || a != (gateway.Answer{}) || strings.Contains(err.Error(), approved[:8]) {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err := c.Inquire(t.Context(), order("pay_1"), "pay_1"); err != nil || a.Outcome != gateway.Approved {
		t.Errorf("what became of it: %+v, %v", a, err)
	}
}

// TestAWrongSecret: the provider refuses, and says that it did nothing.
func TestAWrongSecret(t *testing.T) {
	sim := acmesim.New(t)
	c := connector(t, sim, dialect.JSON, func(cfg *Config) { cfg.Secret = "another" })
	_, err := c.Authorise(t.Context(), order("pay_1"), gatewaytest.Card(t, approved), noted)
	if !errors.Is(err, gateway.ErrRefused) || strings.Contains(err.Error(), "another") || sim.Books(order("pay_1")).Charges != 0 {
		t.Errorf("%v", err)
	}
}

// TestWhatIsUnknownSettles: what the provider doesn't know may be on its way, until it hasn't known of it for a while.
func TestWhatIsUnknownSettles(t *testing.T) {
	sim := acmesim.New(t)
	c := connector(t, sim, dialect.JSON, func(cfg *Config) { cfg.Settle = time.Hour })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	for name, verb := range map[string]func() (gateway.Answer, error){
		"inquire": func() (gateway.Answer, error) { return c.Inquire(ctx, order("pay_1"), "pay_1") },
		"void":    func() (gateway.Answer, error) { return c.Void(ctx, order("pay_1"), "pay_1") },
	} {
		if a, err := verb(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

// TestAVoidComesBeforeItsPayment: a provider that takes voids by the key is told of one that it doesn't know yet.
func TestAVoidComesBeforeItsPayment(t *testing.T) {
	sim := acmesim.New(t)
	c := gateway.Guard(connector(t, sim, dialect.JSON, func(cfg *Config) {
		void := cfg.Provider.Requests[dialect.Void]
		void.URL = sim.URL() + "/v1/voids/{{key}}"
		cfg.Provider.Requests[dialect.Void] = void
	}))
	if a, err := c.Void(t.Context(), order("pay_1"), "pay_1"); err != nil || a.Outcome != gateway.Approved {
		t.Errorf("a void: %+v, %v", a, err)
	}
	if a, err := c.Authorise(t.Context(), order("pay_1"), gatewaytest.Card(t, approved), noted); err == nil && a.Outcome == gateway.Approved || sim.Books(order("pay_1")).Charges != 0 {
		t.Errorf("then what it voids: %+v, %v", a, err)
	}
}

// TestVerbsThatArentThere are told of before anything is asked.
func TestVerbsThatArentThere(t *testing.T) {
	c := connector(t, acmesim.New(t), dialect.JSON, func(cfg *Config) {
		for _, verb := range []dialect.Verb{dialect.Inquire, dialect.Capture, dialect.Refund} {
			delete(cfg.Provider.Requests, verb)
		}
		cfg.Provider.Answer.Ref, cfg.Provider.Answer.NotThere = "", nil
	})
	if _, err := c.Inquire(t.Context(), order("pay_1"), "pay_1"); !errors.Is(err, gateway.ErrCannotInquire) {
		t.Errorf("inquire: %v", err)
	}
	for name, verb := range map[string]func() (gateway.Answer, error){
		"capture": func() (gateway.Answer, error) { return c.Capture(t.Context(), order("pay_1"), "pay_1", 1) },
		"refund":  func() (gateway.Answer, error) { return c.Refund(t.Context(), order("pay_1"), "pay_1", "ref_1", 1) },
	} {
		if _, err := verb(); !errors.Is(err, gateway.ErrNotSent) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestValuesWithoutAPlace aren't sent.
func TestValuesWithoutAPlace(t *testing.T) {
	sim := acmesim.New(t)
	c := connector(t, sim, dialect.JSON, asIs)
	for _, ref := range []string{"..", "."} {
		if _, err := c.Void(t.Context(), order("pay_1"), ref); !errors.Is(err, gateway.ErrNotSent) {
			t.Errorf("void %s: %v", ref, err)
		}
	}
	if _, err := c.Capture(t.Context(), order("pay\r\nHost: x"), "ac-1", 1); !errors.Is(err, gateway.ErrNotSent) {
		t.Errorf("a key of two lines: %v", err)
	}
}

func TestFaultsOfAConfiguration(t *testing.T) {
	p := acmesim.New(t).Provider(dialect.JSON)
	p.Allow, p.Answer.Status = append(p.Allow, "http://plain.example"), "status"
	if _, err := New(Config{Provider: p}); err == nil || !strings.Contains(err.Error(), "allow") || !strings.Contains(err.Error(), "answer.status") {
		t.Errorf("got %v", err)
	}
}

func TestDecimals(t *testing.T) {
	for _, c := range []struct {
		minor          int64
		currency, want string
	}{{1234, "EUR", "12.34"}, {5, "EUR", "0.05"}, {50, "USD", "0.50"}, {1234, "JPY", "1234"}, {1234, "KWD", "1.234"}, {1, "TND", "0.001"}, {1, "CLF", "0.0001"}, {9223372036854775807, "EUR", "92233720368547758.07"}} {
		if got := decimal(c.minor, c.currency); got != c.want {
			t.Errorf("%d %s is %s, want %s", c.minor, c.currency, got, c.want)
		}
	}
}
