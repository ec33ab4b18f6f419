package jetstream

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/upstream/jetstream/natstest"
)

var orders = flag.Int("orders", 8, "how many runs of events are broken off and looked at for their order")

// However many keys there are, and whenever the server or the connection goes, each key's events are kept in order, once each.
func TestOrderOfEachKey(t *testing.T) {
	server := natstest.New(t, nil)
	stream := server.Stream("S", "flattone.>")
	for seed := range *orders {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(seed), 0))
			keys, events := 1+r.IntN(50), 1+r.IntN(10)
			s := newSender(t, server, nil)
			var all sync.WaitGroup
			for k := range keys {
				all.Go(func() {
					for n := range events {
						deliver(t, s, event(fmt.Sprintf("evt_%d_%d_%d", seed, k, n), fmt.Sprint(k)))
					}
				})
			}
			for range r.IntN(3) {
				time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
				if r.IntN(2) == 0 {
					s.dial.close()
					continue
				}
				server.Stop()
				server.Start()
			}
			all.Wait()
			next := make([]int, keys)
			for _, id := range ids(kept(t, stream)) {
				var of, k, n int
				if _, err := fmt.Sscanf(id, "evt_%d_%d_%d", &of, &k, &n); err != nil || of != seed || next[k] != n {
					t.Fatalf("%s comes where %d of its key should", id, next[k])
				}
				next[k]++
			}
			for k, n := range next {
				if n != events {
					t.Errorf("%d of key %d's %d events were kept", n, k, events)
				}
			}
			if err := stream.Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}
