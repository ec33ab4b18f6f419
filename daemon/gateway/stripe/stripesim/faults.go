package stripesim

import (
	"net/http"
	"strings"

	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
)

// fault is one that waits for its request.
type fault struct {
	kind gatewaytest.Fault
	met  chan struct{}
}

// held is a request that came late.
type held struct{ release, acted chan struct{} }

// money is the place in faults for whatever could move some.
const money = "money"

// Break implements [gatewaytest.Provider].
func (s *Sim) Break(f gatewaytest.Fault) <-chan struct{} { return s.BreakAt(money, f) }

// BreakAt is as Break, for the next request whose path ends so.
func (s *Sim) BreakAt(path string, f gatewaytest.Fault) <-chan struct{} {
	s.mu.Lock()
	late := s.late
	s.late = nil
	s.mu.Unlock()
	for _, h := range late {
		close(h.release)
		<-h.acted
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	met := make(chan struct{})
	s.faults[path] = fault{f, met}
	return met
}

// befalls is the fault that a request meets now.
func (s *Sim) befalls(r *http.Request) (f fault) {
	for path, set := range s.faults {
		moves := r.Method == http.MethodPost && (strings.HasSuffix(r.URL.Path, "/refunds") || strings.Count(r.URL.Path, "/") == 4)
		if strings.HasSuffix(r.URL.Path, path) || path == money && moves {
			delete(s.faults, path)
			f = set
		}
	}
	return f
}

// stale is an answer that fits a request, but for the payment.
func stale(r *http.Request) []byte {
	if strings.HasSuffix(r.URL.Path, "/refunds") {
		return encode(refund{ID: "re_stale", Object: "refund", Status: "succeeded", Intent: "pi_stale"})
	}
	p := &intent{ID: "pi_stale", Object: "payment_intent", Status: "succeeded", Amount: 1234, Received: 1234, Currency: "eur"}
	if strings.HasSuffix(r.URL.Path, "/cancel") {
		p.Status = "canceled"
	}
	if strings.HasSuffix(r.URL.Path, "/payment_intents") {
		p.Amount = 1
	}
	return encode(p)
}
