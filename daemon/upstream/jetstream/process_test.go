package jetstream

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/upstream/jetstream/natstest"
)

var (
	many  = flag.Int("events", 10_000, "how many events the memory is measured over")
	kills = flag.Int("kills", 3, "how often the server is killed")
)

func senderTo(t testing.TB, p *natstest.Process) *Sender {
	return newSender(t, nil, func(cfg *Config) { cfg.Servers = []string{p.URL()} })
}

// A server that is killed keeps what it acknowledged, and each key's events in order, once each.
func TestServerKilled(t *testing.T) {
	server := natstest.NewProcess(t, true)
	stream := server.Stream("S", "flattone.>")
	s := senderTo(t, server)
	const keys = 8
	stop := make(chan struct{})
	counts := make([]int, keys)
	var all sync.WaitGroup
	for k := range keys {
		all.Go(func() {
			for ; ; counts[k]++ {
				select {
				case <-stop:
					return
				default:
					deliver(t, s, event(fmt.Sprintf("evt_%d_%d", k, counts[k]), fmt.Sprint(k)))
				}
			}
		})
	}
	for range *kills {
		time.Sleep(rand.N(300 * time.Millisecond))
		server.Kill()
		server.Start()
		deliver(t, s, event("evt_witness", "witness"))
	}
	close(stop)
	all.Wait()
	next := make([]int, keys)
	for _, id := range ids(kept(t, stream)) {
		var k, n int
		if id == "evt_witness" {
			continue
		}
		if _, err := fmt.Sscanf(id, "evt_%d_%d", &k, &n); err != nil || next[k] != n {
			t.Fatalf("%s comes where %d of its key should", id, next[k])
		}
		next[k]++
	}
	equal(t, "kept of each key", next, counts)
}

// Nothing of an event stays behind once it is delivered.
func TestMemoryIsFlat(t *testing.T) {
	server := natstest.NewProcess(t, false)
	server.Stream("S", "flattone.>")
	s := senderTo(t, server)
	send := func(from, to int) int64 {
		var all sync.WaitGroup
		for w := range 16 {
			all.Go(func() {
				for n := from + w; n < to; n += 16 {
					deliver(t, s, event(fmt.Sprint("evt_", n), fmt.Sprint(w)))
				}
			})
		}
		all.Wait()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	warm := *many / 10
	before := send(0, warm)
	after := send(warm, *many)
	t.Logf("%d kB after %d events, %d kB after %d", before>>10, warm, after>>10, *many)
	if grown := after - before; grown > 16*int64(*many-warm) {
		t.Errorf("%d events left %d bytes", *many-warm, grown)
	}
}
