package jetstream

import (
	"bytes"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/flattone/flattone/daemon/upstream"
	"github.com/flattone/flattone/daemon/upstream/jetstream/natstest"
	"github.com/flattone/flattone/daemon/upstream/upstreamtest"
)

// BenchmarkSend is one event of 400 bytes, published and acknowledged, with so many keys in flight, by a server in a process of its own that
// flushes each message or, as it is by default, acknowledges before.
func BenchmarkSend(b *testing.B) {
	for _, flush := range []string{"late", "always"} {
		for _, keys := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("flush=%s/keys=%d", flush, keys), func(b *testing.B) {
				server := natstest.NewProcess(b, flush == "always")
				server.Stream("S", "flattone.>")
				s := senderTo(b, server)
				deliver(b, s, event("evt_first", "k"))
				var sent atomic.Int64
				var all sync.WaitGroup
				b.ResetTimer()
				for k := range keys {
					all.Go(func() {
						e := event("", fmt.Sprint(k))
						e.Body = bytes.Repeat([]byte("x"), 400)
						for n := sent.Add(1); n <= int64(b.N); n = sent.Add(1) {
							e.ID = fmt.Sprint("evt_", n)
							deliver(b, s, e)
						}
					})
				}
				all.Wait()
				b.StopTimer()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}

// BenchmarkDeliver is the whole way of an event to a stream, by a server in a process of its own that acknowledges before it flushes.
func BenchmarkDeliver(b *testing.B) {
	upstreamtest.Bench(b, func(b testing.TB) upstream.Destination {
		server := natstest.NewProcess(b, false)
		server.Stream("S", "flattone.>")
		s, err := New(Config{Box: "box1", Stream: "S", Servers: []string{server.URL()}}, Deps{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		deliver(b, s, event("evt_first", "k"))
		return upstream.Destination{Sender: s, AtOnce: AtOnce}
	})
}
