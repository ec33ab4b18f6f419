package upstream

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

func TestURLs(t *testing.T) {
	tests := map[string]string{ // what the error says, if it is one
		"https://crm.example/hooks/1?k=v": "",
		"HTTPS://crm.example":             "",
		"http://127.0.0.1:8099/":          "",
		"http://127.8.9.1/":               "",
		"http://[::1]:8099/":              "",
		"http://localhost/":               "",
		"http://LOCALHOST:80":             "",
		"":                                "not an address",
		"crm.example/hook":                "not an address",
		"https://":                        "not an address",
		"https:///path":                   "not an address",
		"http://crm.example/":             "write https",
		"http://127.0.0.1.example/":       "write https",
		"http://localhost.example/":       "write https",
		"http://10.0.0.1/":                "write https",
		"http://0.0.0.0/":                 "write https",
		"http://[::ffff:10.0.0.1]/":       "write https",
		"ftp://crm.example/":              "write https",
		"https://me:hush@crm.example/":    "user or password",
		"https://crm.example/#part":       "#fragment",
		"https://crm.example/%zz":         "not an address",
		"https://crm.example\x7f/":        "not an address",
	}
	for raw, says := range tests {
		err := CheckURL(raw)
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%q: got %v, want %q", raw, err, says)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Error("the error repeats a password")
		}
	}
}

func TestSecrets(t *testing.T) {
	of := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for secret, fits := range map[string]bool{"whsec_" + of(32): true, of(24): true, "whsec_" + of(64): true,
		"": false, "whsec_": false, "whsec_" + of(23): false, "whsec_" + of(65): false, "hush hush": false} {
		err := CheckSecret(secret)
		if (err == nil) != fits {
			t.Errorf("a secret of %d characters: %v", len(secret), err)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Error("the error repeats the secret")
		}
	}
}

func TestNewTellsAllFaults(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = New(Config{URL: "http://crm.example", Secret: "short", BackOff: time.Hour}, Deps{Store: db, Log: slog.New(slog.DiscardHandler)})
	for _, want := range []string{"url:", "secret:", "times"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v doesn't tell of %s", err, want)
		}
	}
}

// TestPlainHTTPStaysHere: even if a name for this machine resolved to another, no connection is tried. The
// address is one of those for documentation (RFC 5737).
func TestPlainHTTPStaysHere(t *testing.T) {
	dial := newTransport(Config{URL: "http://localhost/", Timeout: time.Second}).DialContext
	_, err := dial(context.Background(), "tcp", "192.0.2.1:80")
	if err == nil || !strings.Contains(err.Error(), "plain http leaves this machine") {
		t.Errorf("got %v", err)
	}
}

func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{"https://a/", "http://127.0.0.1/", "http://[::1%25lo]/", "http://a@localhost/", "//", "http:localhost"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if CheckURL(raw) != nil {
			return
		}
		req, err := http.NewRequest(http.MethodPost, raw, nil)
		if err != nil {
			t.Fatalf("%q was taken and can't be posted to: %v", raw, err)
		}
		host := req.URL.Hostname()
		if here := strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback(); req.URL.Scheme != "https" && !here {
			t.Errorf("%q was taken", raw)
		}
	})
}
