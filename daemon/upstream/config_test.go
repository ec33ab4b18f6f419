package upstream

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestNewTellsAllFaults(t *testing.T) {
	db, err := open(filepath.Join(t.TempDir(), "state"))
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
