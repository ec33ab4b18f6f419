package webhook

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/flattone/flattone/daemon/upstream"
)

var event = upstream.Envelope{ID: "evt_1", Type: "card.captured", Key: "a", ContentType: "application/json", Body: []byte(`{"n":1}`)}

// heard is what a receiver was last asked.
type heard struct {
	mu     sync.Mutex
	header http.Header
	body   []byte
}

func (h *heard) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.header, h.body = r.Header, body
}

// verifies reports whether the last message is signed by a secret.
func (h *heard) verifies(t *testing.T, secret string) bool {
	t.Helper()
	verifier, err := webhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return verifier.Verify(h.body, h.header) == nil
}

func TestSigned(t *testing.T) {
	receiver := &heard{}
	server := httptest.NewServer(receiver)
	defer server.Close()
	s, err := New(Config{URL: server.URL, Read: by(testSecret)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if r := s.Send(t.Context(), event); r != (upstream.Result{Outcome: upstream.Delivered, Status: 200}) {
		t.Errorf("got %+v", r)
	}
	if !receiver.verifies(t, testSecret) || receiver.verifies(t, newSecret) {
		t.Error("it isn't signed by the secret, or by another, too")
	}
	if receiver.header.Get("webhook-id") != event.ID || string(receiver.body) != string(event.Body) || receiver.header.Get("Content-Type") != event.ContentType {
		t.Errorf("sent %s under %v", receiver.body, receiver.header)
	}
}

// TestRotation: while there are two secrets a message bears both signatures, and files that are replaced count from the next message on.
func TestRotation(t *testing.T) {
	receiver := &heard{}
	server := httptest.NewServer(receiver)
	defer server.Close()
	file := filepath.Join(t.TempDir(), "secrets")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	put(testSecret)
	s, err := New(Config{URL: server.URL, Files: []string{file}, Read: func() (Credentials, error) {
		text, err := os.ReadFile(file)
		return Credentials{Secrets: strings.Fields(string(text))}, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, test := range []struct {
		secrets  string
		old, new bool
	}{{testSecret, true, false}, {newSecret + " " + testSecret, true, true}, {newSecret, false, true}} {
		put(test.secrets)
		if r := s.Send(t.Context(), event); r.Outcome != upstream.Delivered {
			t.Fatalf("got %+v", r)
		}
		if receiver.verifies(t, testSecret) != test.old || receiver.verifies(t, newSecret) != test.new {
			t.Errorf("with %d secrets: signed by the old one %t, by the new one %t", len(strings.Fields(test.secrets)), receiver.verifies(t, testSecret), receiver.verifies(t, newSecret))
		}
	}
	put("gibberish")
	if r := s.Send(t.Context(), event); r.Outcome != upstream.Later || !strings.Contains(r.Reason, "whsec_") || strings.Contains(r.Reason, "gibberish") {
		t.Errorf("with what is no secret: %+v", r)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if r := s.Send(t.Context(), event); r.Outcome != upstream.Later || r.Reason == "" {
		t.Errorf("without a file: %+v", r)
	}
	put(testSecret)
	if r := s.Send(t.Context(), event); r.Outcome != upstream.Delivered {
		t.Errorf("with the file back: %+v", r)
	}
}

// TestMutualTLS: a receiver that asks who is there is told, by the certificate that is there now.
func TestMutualTLS(t *testing.T) {
	var shown []byte
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		shown = r.TLS.PeerCertificates[0].Raw
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of who shows none
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	file := filepath.Join(t.TempDir(), "cert")
	var certs []tls.Certificate
	s, err := New(Config{URL: server.URL, Files: []string{file}, Read: func() (Credentials, error) {
		return Credentials{Secrets: []string{testSecret}, TLS: &tls.Config{RootCAs: roots, Certificates: certs}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if r := s.Send(t.Context(), event); r.Outcome != upstream.Later || !strings.Contains(r.Reason, "certificate") {
		t.Errorf("without a certificate: %+v", r)
	}
	for i, name := range []string{"one", "another"} {
		certs = []tls.Certificate{certificate(t, int64(i+1))}
		if err := os.WriteFile(file, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := s.Send(t.Context(), event); r.Outcome != upstream.Delivered || string(shown) != string(certs[0].Certificate[0]) {
			t.Errorf("with %s certificate: %+v, and it is shown: %t", name, r, string(shown) == string(certs[0].Certificate[0]))
		}
	}
}

func certificate(t *testing.T, number int64) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(number), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestOldTLS: a receiver that speaks nothing newer than TLS 1.1 gets nothing.
func TestOldTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	s, err := New(Config{URL: server.URL, Read: by(testSecret)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if r := s.Send(t.Context(), event); r.Outcome != upstream.Later || !strings.Contains(r.Reason, "version") {
		t.Errorf("got %+v", r)
	}
}

// TestWhatAStatusMeans: only what can be about nothing but the event is the event's fault.
func TestWhatAStatusMeans(t *testing.T) {
	for outcome, statuses := range map[upstream.Outcome][]int{
		upstream.Delivered: {200, 201, 202, 204, 299},
		upstream.Gone:      {410},
		upstream.Refused:   {413, 422},
		upstream.Later:     {301, 304, 307, 400, 401, 403, 404, 405, 408, 409, 415, 425, 429, 500, 502, 503, 504, 599},
	} {
		for _, status := range statuses {
			if r := judge(status, 0); r.Outcome != outcome || r.Status != status || (r.Reason == "") != (outcome == upstream.Delivered) {
				t.Errorf("%d: %+v", status, r)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which begins as 2000 does
		for header, want := range map[string]time.Duration{"": 0, "30": 30 * time.Second, "4000": 4000 * time.Second,
			"Sat, 01 Jan 2000 00:01:30 GMT": 90 * time.Second, "Sun, 09 Jan 2000 06:00:00 GMT": longestAfter,
			"Fri, 31 Dec 1999 23:00:00 GMT": 0, "90000": longestAfter, "9223372036854775807": longestAfter,
			"0": 0, "-5": 0, "soon": 0, "99999999999999999999": longestAfter} {
			if got := retryAfter(http.Header{"Retry-After": {header}}); got != want {
				t.Errorf("Retry-After %q: %v, want %v", header, got, want)
			}
		}
	})
}

func TestNewTellsAllFaults(t *testing.T) {
	_, err := New(Config{URL: "http://crm.example", Read: by("short")})
	for _, want := range []string{"url:", "secret:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v doesn't tell of %s", err, want)
		}
	}
	failed := errors.New("no such file")
	if _, err := New(Config{URL: "https://crm.example", Read: func() (Credentials, error) { return Credentials{}, failed }}); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	if _, err := New(Config{URL: "https://crm.example", Read: by()}); err == nil {
		t.Error("it goes without a secret")
	}
}

// TestPlainHTTPStaysHere: even if a name for this machine resolved to another, no connection is tried. The
// address is one of those for documentation (RFC 5737).
func TestPlainHTTPStaysHere(t *testing.T) {
	dial := newTransport("http://localhost/", nil).DialContext
	_, err := dial(context.Background(), "tcp", "192.0.2.1:80")
	if err == nil || !strings.Contains(err.Error(), "plain http leaves this machine") {
		t.Errorf("got %v", err)
	}
}
