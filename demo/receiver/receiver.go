// Package receiver is a small upstream system for the demonstration: a web server that takes flattone's
// webhooks, checks their signature after Standard Webhooks, and writes down each event once.
//
// It exists to show what an owner's system has to do, in one file: verify before parsing, refuse what is
// unsigned, changed or old with 401, take a repeated id as done, and answer 2xx only after the event is
// kept. It must never be reachable from another machine: [Listen] opens loopback only.
package receiver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// bodyBytes bounds a delivery.
const bodyBytes = 1 << 20

// Receiver is an http.Handler. Safe for concurrent use.
type Receiver struct {
	verifier *webhooks.Webhook

	mu   sync.Mutex
	out  io.Writer
	seen map[string]bool
}

// New returns a receiver that verifies by secret ("whsec_" and base64) and appends each new event to out as
// one line of JSON: {"id":...,"event":{...}}.
func New(secret string, out io.Writer) (*Receiver, error) {
	verifier, err := webhooks.NewWebhook(secret)
	if err != nil {
		return nil, fmt.Errorf("receiver: the secret is not base64")
	}
	return &Receiver{verifier: verifier, out: out, seen: map[string]bool{}}, nil
}

// Listen opens a port on this machine alone, as in "127.0.0.1:0".
func Listen(address string) (net.Listener, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsLoopback() {
		return nil, fmt.Errorf("receiver: listen on %q: not a loopback address and port such as 127.0.0.1:8099", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("receiver: %w", err)
	}
	return l, nil
}

// Count is how many different events were received.
func (r *Receiver) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seen)
}

// ServeHTTP takes one delivery: 204 kept (now or before), 400 signed but no JSON, 401 not verified, 405 not
// a POST, 413 too long, 500 not kept (send it again).
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "deliveries are POSTed", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, bodyBytes))
	if err != nil {
		http.Error(w, "too long, or broken off", http.StatusRequestEntityTooLarge)
		return
	}
	if err := r.verifier.Verify(body, req.Header); err != nil {
		http.Error(w, "not verified", http.StatusUnauthorized)
		return
	}
	var event bytes.Buffer
	if err := json.Compact(&event, body); err != nil {
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	if err := r.keep(req.Header.Get(webhooks.HeaderWebhookID), event.Bytes()); err != nil {
		http.Error(w, "not kept, send it again", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (r *Receiver) keep(id string, event json.RawMessage) error {
	line, err := json.Marshal(struct {
		ID    string          `json:"id"`
		Event json.RawMessage `json:"event"`
	}{id, event})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen[id] {
		return nil
	}
	if _, err := r.out.Write(append(line, '\n')); err != nil {
		return err
	}
	r.seen[id] = true
	return nil
}
