package stripesim

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
)

// asked is a request that was acted on, as the books have it, a line each. What happened once happens again when all are gone through in order.
type asked struct {
	Method, URL string
	Header      http.Header
	Body        string
	Fails       bool
}

// Serve starts one at a listener, with the server's side of TLS, for a process of its own that may be killed. It goes on with the books that were kept, of whole lines.
// What it is asked for is written to them before it acts on it, so that a kill is an answer lost, or a request unheard.
func Serve(l net.Listener, secure *tls.Config, kept []byte, to io.Writer) (*Sim, error) {
	s, err := Kept(kept)
	if err != nil {
		return nil, err
	}
	s.journal = to
	s.server = &httptest.Server{Listener: l, TLS: secure, Config: &http.Server{Handler: http.HandlerFunc(s.serve)}}
	s.start()
	return s, nil
}

// Kept is one that doesn't run, for its books alone.
func Kept(kept []byte) (*Sim, error) {
	s := empty()
	for line := range bytes.Lines(kept) {
		var a asked
		if err := json.Unmarshal(line, &a); err != nil {
			return nil, fmt.Errorf("stripesim: the books: %w", err)
		}
		r, err := http.NewRequest(a.Method, a.URL, nil)
		if err != nil {
			return nil, fmt.Errorf("stripesim: the books: %w", err)
		}
		r.Header = a.Header
		s.once(r, []byte(a.Body), a.Fails)
	}
	return s, nil
}

// keepRequest has a request that is to be acted on be in the books. Whoever only asks changes nothing.
func (s *Sim) keepRequest(r *http.Request, body []byte, fails bool) {
	if s.journal == nil || r.Method == http.MethodGet {
		return
	}
	if _, err := s.journal.Write(append(encode(asked{r.Method, r.URL.String(), r.Header, string(body), fails}), '\n')); err != nil {
		panic(fmt.Sprintf("stripesim: the books can't be kept: %v", err))
	}
}

// Entry is what the books have of one key.
type Entry struct {
	Reference, Currency string
	gatewaytest.Books
}

// All are the entries that money moved for, by key.
func (s *Sim) All() map[string]Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]Entry{}
	for _, p := range s.intents {
		if p.charges == 0 {
			continue
		}
		e := all[p.Metadata["flattone"]]
		e.Reference, e.Currency = p.Metadata["reference"], strings.ToUpper(p.Currency)
		e.Charges, e.Taken, e.Returned, e.Held = e.Charges+p.charges, e.Taken+p.Received, e.Returned+p.returned, e.Held+p.Capturable
		all[p.Metadata["flattone"]] = e
	}
	return all
}
