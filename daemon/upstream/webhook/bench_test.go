package webhook

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/upstream"
)

// BenchmarkDeliver is the whole way of an event: from a row that waits to one that is marked, by a webhook on loopback that answers at once. The rows are written before.
func BenchmarkDeliver(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	defer server.Close()
	db, err := open(filepath.Join(b.TempDir(), "state"))
	if err != nil {
		b.Fatal(err)
	}
	delivered := make(chan struct{}, b.N)
	o, err := outbox(db, upstream.Destination{}, server.URL, nil, upstream.Deps{Store: db, Log: slog.New(slog.DiscardHandler), OnDelivery: func(d upstream.Delivery) {
		if d.Delivered {
			delivered <- struct{}{}
		}
	}})
	if err != nil {
		b.Fatal(err)
	}
	for from := 0; from < b.N; from += 1000 {
		err := db.Write(b.Context(), func(tx *store.Tx) error {
			for n := from; n < min(from+1000, b.N); n++ {
				e := upstream.Event{ID: fmt.Sprint("evt_", n), To: "hook", Type: "card.captured", Key: fmt.Sprint(n), Time: time.Now(), Data: []byte(`{"n":1}`)}
				if err := o.Enqueue(tx, e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	r := &rig{t: b, db: db, outbox: o}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	r.run()
	for range b.N {
		<-delivered
	}
	b.StopTimer()
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric((float64(after.HeapAlloc)-float64(before.HeapAlloc))/1024, "kB-kept")
	r.shut()
}
