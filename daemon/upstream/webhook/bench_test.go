package webhook

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/flattone/flattone/daemon/upstream"
	"github.com/flattone/flattone/daemon/upstream/upstreamtest"
)

// BenchmarkDeliver is the whole way of an event to a webhook on loopback that answers at once, in the same process.
func BenchmarkDeliver(b *testing.B) {
	upstreamtest.Bench(b, func(b testing.TB) upstream.Destination {
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
		b.Cleanup(server.Close)
		s, err := newSender(Config{URL: server.URL, Read: by(testSecret)}, nil)
		if err != nil {
			b.Fatal(err)
		}
		return upstream.Destination{Sender: s}
	})
}
