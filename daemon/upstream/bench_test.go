package upstream

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// BenchmarkDeliver is one event's claim and settling while many others wait: of keys of their own, or all
// of one key, of which only the first may go.
func BenchmarkDeliver(b *testing.B) {
	for _, c := range []struct{ waiting, keys int }{{0, 1}, {10_000, 1}, {10_000, 10_000}} {
		b.Run(fmt.Sprintf("waiting=%d/keys=%d", c.waiting, c.keys), func(b *testing.B) {
			r := newRig(b, Config{}, newFake(statuses()))
			if err := r.stop(); err != nil {
				b.Fatal(err)
			}
			fill := func(n int) {
				err := r.db.Write(b.Context(), func(tx *store.Tx) error {
					for i := range n {
						e := Event{ID: fmt.Sprint(time.Now().UnixNano(), i), Type: "t", Key: fmt.Sprint(i % c.keys), Time: time.Now(), Data: []byte("1")}
						if err := r.outbox.Enqueue(tx, e); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			fill(c.waiting)
			for b.Loop() {
				fill(1)
				got, _, err := r.outbox.claim(context.Background(), time.Now())
				if err != nil || got == nil {
					b.Fatal(err)
				}
				if err := r.outbox.deliver(context.Background(), got); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
