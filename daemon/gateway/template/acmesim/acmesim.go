// Package acmesim is a fictitious provider, Acme, over TLS on loopback, which keeps books: the one that docs/gateways.md sets up as a worked example.
//
// It exists because no real provider can be had in a test, nor told to lose an answer. It takes JSON, forms and XML alike, does what is asked twice under one
// idempotency key once, decides by the card's number, and meets a request with a fault when it is told to. It is for tests and rehearsals only.
package acmesim

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
)

// Key is what it knows the box by.
const Key = "acme-test-key"

// Faults that are this provider's alone. Redirected is not acted on.
const (
	Redirected gatewaytest.Fault = "redirected" // it says to go elsewhere
	Echoing    gatewaytest.Fault = "echoing"    // the card number is its name for the payment
	HTML       gatewaytest.Fault = "html"       // the answer is no JSON by its type
	Pending    gatewaytest.Fault = "pending"    // it says that it isn't done yet
)

// Verdicts are numbers that are declined, by their reason; any other is approved. They are public test numbers, of Stripe's.
var Verdicts = map[string]string{"4000000000000002": "do_not_honour", "4000000000009995": "insufficient_funds", "4000000000000127": "wrong_cvc", "4000000000009987": "lost"}

// Sim is the provider. Safe for concurrent use.
type Sim struct {
	server *httptest.Server

	mu        sync.Mutex
	payments  map[string]*payment // by its name and by the box's
	done      map[string]reply    // by idempotency key
	next      gatewaytest.Fault
	met       chan struct{} // closed once next has befallen a request; nil: it has
	elsewhere int
}

type payment struct {
	id, reference, status, reason, cvc, number string
	amount, taken, returned                    int64
	charges                                    int
}

type reply struct {
	status int
	body   string
}

// New starts one, until the test's end.
func New(t testing.TB) *Sim {
	s := &Sim{payments: map[string]*payment{}, done: map[string]reply{}}
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.server.EnableHTTP2 = false
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	return s
}

// URL is where it is.
func (s *Sim) URL() string { return s.server.URL }

// Certificate vouches for itself, and Roots for it.
func (s *Sim) Certificate() *x509.Certificate { return s.server.Certificate() }

// Roots are who vouches for the provider.
func (s *Sim) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

// Leave has it be away.
func (s *Sim) Leave() { s.server.Close() }

// Break implements [gatewaytest.Provider].
func (s *Sim) Break(f gatewaytest.Fault) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next, s.met = f, make(chan struct{})
	return s.met
}

// Elsewhere is how often somebody went where [Redirected] sent him.
func (s *Sim) Elsewhere() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.elsewhere
}

// Books implements [gatewaytest.Provider].
func (s *Sim) Books(o gateway.Order) gatewaytest.Books {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.payments[o.Key]
	if p == nil {
		return gatewaytest.Books{}
	}
	b := gatewaytest.Books{Charges: p.charges, Taken: p.taken, Returned: p.returned}
	if p.status == "authorised" {
		b.Held = p.amount
	}
	return b
}

func (p *payment) say(status int) reply {
	return reply{status, fmt.Sprintf(`{"id": %q, "reference": %q, "status": %q, "reason": %q, "authorisation": "A1B2C3", "scheme": {"transaction": "MCC000001124"},
 "checks": {"cvc": %q, "postcode": "N", "address": "U"}}`, p.id, p.reference, p.status, p.reason, p.cvc)}
}

func no(status int, reason string) reply {
	return reply{status, fmt.Sprintf(`{"error": %q}`, reason)}
}
