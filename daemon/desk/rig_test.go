package desk

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/desk/desktest"
)

// name is the desk's in tests.
const name = "desk.example.com"

// certify writes a certificate for the desk's name and its key into a folder, and returns what trusts it.
func certify(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	chain, key := desktest.Certificate(t, name)
	for file, text := range map[string][]byte{"desk.pem": chain, "desk.key": key} {
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(chain)
	return pool
}

// configured is the configuration of a desk whose files are in a folder, at a port of its own.
func configured(t *testing.T, dir, more string) *config.Desk {
	t.Helper()
	cfg, err := config.ParseDesk(filepath.Join(dir, "desk.toml"), []byte("version = 1\ncert_file = \"desk.pem\"\nkey_file = \"desk.key\"\norigin = \"https://"+name+"\"\nadmin_socket = \"admin.sock\"\n"+more))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listen = "127.0.0.1:0"
	return cfg
}

// opened runs a desk until the test ends.
func opened(t *testing.T, more string) (d *Desk, trusted *x509.CertPool) {
	t.Helper()
	dir := t.TempDir()
	trusted = certify(t, dir)
	d, err := New(configured(t, dir, more), Deps{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
	return d, trusted
}

// browser is a client that reaches the desk by its name, and follows nobody anywhere.
func browser(d *Desk, trusted *x509.CertPool) *http.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", d.Addr().String())
	}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func damage(t *testing.T, dir, file string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, file), []byte("-----BEGIN CERTIFICATE-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}
