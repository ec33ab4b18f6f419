// Package upstreamtest measures a sender's way through the whole outbox, from the row that an act writes to the row that is marked.
//
// It exists so that each kind of destination is measured the same: what a sender alone can do says little of what events a second arrive, as the store has its
// part in each. It reports events a second, and microseconds that this process computed for each, which other work on the machine hardly changes; what runs
// in the same process as the destination's other end is in them, too.
package upstreamtest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
	"github.com/flattone/flattone/daemon/upstream"
)

// writers is how many write events at the same time, each in a transaction of its own, where they are written while others are delivered: as many as the
// store writes down together.
const writers = 128

// Bench delivers b.N events of about 400 bytes, each of another key: all written before (full), or written as they are delivered (steady).
func Bench(b *testing.B, to func(testing.TB) upstream.Destination) {
	b.Run("full", func(b *testing.B) {
		r := newRig(b, to(b))
		r.fill(b)
		r.measure(b, func() {})
	})
	b.Run("steady", func(b *testing.B) {
		r := newRig(b, to(b))
		r.measure(b, func() { r.write(b) })
	})
}

type rig struct {
	db     *store.DB
	outbox *upstream.Outbox
	left   atomic.Int64
	all    chan struct{} // closed when all are delivered
}

func newRig(b *testing.B, to upstream.Destination) *rig {
	dir := filepath.Join(b.TempDir(), "state")
	where, err := storetest.At(dir)
	if err != nil {
		b.Fatal(err)
	}
	r := &rig{all: make(chan struct{})}
	r.left.Store(int64(b.N))
	if r.db, err = store.Open(b.Context(), store.Config{Dir: dir, Postgres: store.Postgres{Where: where, Box: "box"}}); err != nil {
		b.Fatal(err)
	}
	to.Name = "to"
	r.outbox, err = upstream.New(upstream.Config{Box: "box", Destinations: []upstream.Destination{to}},
		upstream.Deps{Store: r.db, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), OnDelivery: func(d upstream.Delivery) {
			if d.Delivered && r.left.Add(-1) == 0 {
				close(r.all)
			}
		}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := r.outbox.Close(); err != nil {
			b.Error(err)
		}
		if err := r.db.Close(); err != nil {
			b.Error(err)
		}
	})
	return r
}

// enqueue writes the events from to below end in one transaction.
func (r *rig) enqueue(b *testing.B, from, end int) {
	data := []byte(`{"text":"` + strings.Repeat("x", 320) + `"}`)
	err := r.db.Write(context.Background(), func(tx *store.Tx) error {
		for n := from; n < end; n++ {
			e := upstream.Event{ID: fmt.Sprint("evt_", n), To: "to", Type: "card.captured", Key: fmt.Sprint("cap_", n), Time: time.Now(), Data: data}
			if err := r.outbox.Enqueue(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Error(err)
	}
}

func (r *rig) fill(b *testing.B) {
	for from := 0; from < b.N; from += 1000 {
		r.enqueue(b, from, min(from+1000, b.N))
	}
}

func (r *rig) write(b *testing.B) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for n := int(next.Add(1)); n <= b.N; n = int(next.Add(1)) {
				r.enqueue(b, n-1, n)
			}
		})
	}
	all.Wait()
}

func (r *rig) measure(b *testing.B, meanwhile func()) {
	kept := heap()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	b.ResetTimer()
	computed := cpu(b)
	go func() { ended <- r.outbox.Run(ctx) }()
	meanwhile()
	<-r.all
	computed = cpu(b) - computed
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(computed.Microseconds())/float64(b.N), "cpu-us/event")
	b.ReportMetric((heap()-kept)/1024, "kB-kept")
	cancel()
	if err := <-ended; err != nil {
		b.Error(err)
	}
}

// heap is what is in use once nothing is there that nobody needs.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// cpu is the time that this process has computed.
func cpu(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
