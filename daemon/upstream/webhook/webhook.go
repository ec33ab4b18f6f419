// Package webhook takes events to an HTTPS receiver, signed after Standard Webhooks. It is one of the senders of package upstream.
//
// It exists because a receiver of webhooks is what most systems have. It promises that what it sends is signed by every secret
// it has (two while one takes the place of the other), that it proves the box by a certificate where it is given one, and that files that are replaced
// are read anew before the next event.
//
// It never follows a redirect, never speaks plain http to another machine or TLS older than 1.2, uses no proxy from the environment, reads no more of
// an answer than a status and a few kilobytes, and tells nothing of the address's path.
package webhook

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/upstream/signature"
)

// Config says who receives.
type Config struct {
	URL string // https://..., or http:// to a loopback address
	// Read reads secrets and certificates, as New begins and whenever one of Files is another than it was.
	Read  func() (Credentials, error)
	Files []string
}

// Credentials are what the box and the receiver prove themselves by.
type Credentials struct {
	Secrets []string    // Standard Webhooks: "whsec_" and base64 of 24 to 64 bytes; each message bears a signature by each
	TLS     *tls.Config // nil: TLS 1.2 or later by the system's roots
}

// Sender is an [upstream.Sender]. Safe for concurrent use.
type Sender struct {
	cfg       Config
	transport http.RoundTripper // tests: instead of the network

	mu      sync.Mutex
	looks   []look
	client  *http.Client
	secrets signature.Secrets
}

// look is what tells whether a file is another.
type look struct {
	size     int64
	modified time.Time
}

// New checks the config, and reads what it names. The receiver isn't asked.
func New(cfg Config) (*Sender, error) { return newSender(cfg, nil) }

func newSender(cfg Config, transport http.RoundTripper) (*Sender, error) {
	s := &Sender{cfg: cfg, transport: transport}
	var faults []error
	if err := config.CheckURL(cfg.URL); err != nil {
		faults = append(faults, fmt.Errorf("url: %w", err))
	}
	if _, _, err := s.ready(); err != nil {
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	return s, nil
}

// Close gives up the connections that are kept.
func (s *Sender) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.client.CloseIdleConnections()
	return nil
}

// ready is who sends and who signs now. Files that can't be read any more stop it: to go on by what is no longer there would hide that.
func (s *Sender) ready() (*http.Client, signature.Secrets, error) {
	looks := make([]look, len(s.cfg.Files))
	for i, file := range s.cfg.Files {
		if info, err := os.Stat(file); err == nil {
			looks[i] = look{info.Size(), info.ModTime()}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil && slices.Equal(looks, s.looks) {
		return s.client, s.secrets, nil
	}
	by, err := s.cfg.Read()
	if err != nil {
		return nil, nil, err
	}
	secrets, err := signature.New(by.Secrets...)
	if err != nil {
		return nil, nil, err
	}
	transport := s.transport
	if transport == nil {
		transport = newTransport(s.cfg.URL, by.TLS)
	}
	if s.client != nil {
		s.client.CloseIdleConnections()
	}
	s.looks, s.secrets, s.client = looks, secrets, &http.Client{Transport: transport, CheckRedirect: dontFollow}
	return s.client, s.secrets, nil
}
