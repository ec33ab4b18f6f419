// Package stripesim is a provider that speaks as much of Stripe's API as flattone does, over TLS on loopback, and keeps books.
//
// It exists because Stripe's own stand-in, stripe-mock, keeps no state: it can't decline, nor lose an answer, nor be asked later what became of a payment. This one
// decides by Stripe's public test numbers (docs.stripe.com/testing), holds to its rules of idempotency (docs.stripe.com/api/idempotent_requests) and to the states of
// an intent, and meets a request with a fault when it is told to. It is for tests and rehearsals only, and knows no other cards.
package stripesim

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
)

// Key is the API key that it takes.
const Key = "rk_test_stripesim"

// Sim is the provider. Safe for concurrent use.
type Sim struct {
	server *httptest.Server

	mu      sync.Mutex
	last    int // number of the last object
	intents map[string]*intent
	methods map[string]*method
	replies map[string]reply // by idempotency key
	faults  map[string]fault
	agreed  map[string]bool // the network's ids of payments with which a holder agreed to more
	late    []held
	seen    []string
	left    time.Time
	journal io.Writer // nil: the books are in memory alone
}

// reply is what was said to a request of a fingerprint.
type reply struct {
	fingerprint string
	status      int
	body        []byte
}

// AgreedElsewhere is the network's id of a payment by another provider, with which a holder agreed to more.
const AgreedElsewhere = "104557651805572"

func empty() *Sim {
	return &Sim{intents: map[string]*intent{}, methods: map[string]*method{}, replies: map[string]reply{}, faults: map[string]fault{}, agreed: map[string]bool{AgreedElsewhere: true}}
}

func (s *Sim) start() {
	s.server.EnableHTTP2 = false
	s.server.StartTLS()
}

// New starts one, until the test's end.
func New(t testing.TB) *Sim {
	s := empty()
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.start()
	t.Cleanup(func() {
		s.Break("") // what is late is waited for
		s.server.Close()
	})
	return s
}

// URL is where it is.
func (s *Sim) URL() string { return s.server.URL }

// Roots vouch for it.
func (s *Sim) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.server.Certificate())
	return pool
}

// Leave has it be away.
func (s *Sim) Leave() { s.server.Close() }

// Forget is what Stripe does with idempotency keys after a day.
func (s *Sim) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.replies)
}

// PEM is its certificate, which vouches for itself.
func (s *Sim) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.server.Certificate().Raw})
}

// Left is when the last answer was about to be written.
func (s *Sim) Left() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left
}

// Seen are the requests so far: method and path.
func (s *Sim) Seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.seen...)
}

// Books implements [gatewaytest.Provider].
func (s *Sim) Books(o gateway.Order) (b gatewaytest.Books) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.intents {
		if p.Metadata["flattone"] == o.Key {
			b.Charges += p.charges
			b.Taken += p.Received
			b.Returned += p.returned
			b.Held += p.Capturable
		}
	}
	return b
}

func (s *Sim) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	s.mu.Lock()
	s.seen = append(s.seen, r.Method+" "+r.URL.Path)
	f := s.befalls(r)
	if f.kind == gatewaytest.Unheard {
		s.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	if f.kind == gatewaytest.Late {
		h := held{make(chan struct{}), make(chan struct{})}
		s.late = append(s.late, h)
		s.mu.Unlock()
		close(f.met)
		f.met = nil
		<-h.release
		s.mu.Lock()
		defer close(h.acted)
	}
	var status int
	var answer []byte
	switch f.kind {
	case gatewaytest.Busy:
		status, answer = http.StatusTooManyRequests, oops("rate_limit_error", "rate_limit", "Too many requests")
	case gatewaytest.Stale:
		status, answer = http.StatusOK, stale(r)
	default:
		s.keepRequest(r, body, f.kind == gatewaytest.Failing)
		status, answer = s.once(r, body, f.kind == gatewaytest.Failing)
	}
	s.left = time.Now()
	s.mu.Unlock()
	if f.met != nil {
		close(f.met)
	}
	gatewaytest.Deliver(w, f.kind, status, "Content-Type: application/json\r\nRequest-Id: req_1\r\n", answer, `{"id":"pi_1",`)
}

// once answers a request that has the idempotency key of one before as that one was. What wasn't begun isn't kept.
func (s *Sim) once(r *http.Request, body []byte, fails bool) (int, []byte) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return 400, oops("invalid_request_error", "", "It is no form")
	}
	key, fingerprint := r.Header.Get("Idempotency-Key"), r.Method+" "+r.URL.Path+" "+string(body)
	if before, ok := s.replies[key]; ok && key != "" {
		if before.fingerprint != fingerprint {
			return 400, oops("idempotency_error", "", "Keys for idempotent requests can only be used with the same parameters they were first used with")
		}
		return before.status, before.body
	}
	status, answer := s.act(r, form)
	if fails { // after it was done, which is the worst
		status, answer = 500, oops("api_error", "", "Something went wrong")
	}
	if key != "" && status != http.StatusUnauthorized && status != http.StatusNotFound {
		s.replies[key] = reply{fingerprint, status, answer}
	}
	return status, answer
}

// oops is an error object.
func oops(kind, code, message string) []byte {
	return encode(map[string]any{"error": map[string]any{"type": kind, "code": code, "message": message}})
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("stripesim: encode: %v", err))
	}
	return b
}
