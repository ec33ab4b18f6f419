package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/upstream"
	sender "github.com/flattone/flattone/daemon/upstream/jetstream"
)

// box is one that tells.
type box struct {
	name   string
	db     *store.DB
	outbox *upstream.Outbox
	cards  int
}

type fleet []*box

// newFleet starts so many boxes, each with a store of its own, eight at a time.
func newFleet(t *testing.T, url string, n int) fleet {
	t.Helper()
	f := make(fleet, n)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		running.Wait()
		for _, b := range f {
			if b == nil {
				continue
			}
			if err := errors.Join(b.outbox.Close(), b.db.Close()); err != nil {
				t.Error(err)
			}
		}
	})
	errs := make([]error, n)
	var starting sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i := range f {
		starting.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			f[i], errs[i] = start(filepath.Join(dir, fmt.Sprint(i)), url, fmt.Sprintf("box-%d", i))
		})
	}
	starting.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for _, b := range f {
		running.Go(func() {
			if err := b.outbox.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	return f
}

func start(dir, url, name string) (*box, error) {
	log := slog.New(slog.DiscardHandler)
	db, err := store.Open(context.Background(), store.Config{Dir: dir})
	if err != nil {
		return nil, err
	}
	to, err := sender.New(sender.Config{Box: name, Servers: []string{url}, Stream: "FLATTONE"}, sender.Deps{Log: log})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	// As long away as can be: the first wait is as long as the last.
	outbox, err := upstream.New(upstream.Config{Box: name, Destinations: []upstream.Destination{{Name: "fleet", Sender: to, BackOff: *maxWait, MaxWait: *maxWait, AtOnce: sender.AtOnce}}},
		upstream.Deps{Store: db, Log: log})
	if err != nil {
		return nil, errors.Join(err, to.Close(), db.Close())
	}
	return &box{name: name, db: db, outbox: outbox}, nil
}

// take has each box take so many cards, of two events each: what a card's and a payment's are, in length.
func (f fleet) take(t *testing.T, cards int) {
	t.Helper()
	var all sync.WaitGroup
	slots := make(chan struct{}, 32)
	for _, b := range f {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			for range cards {
				if err := b.take(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

func (b *box) take() error {
	key := fmt.Sprintf("%s_%d", b.name, b.cards)
	b.cards++
	return b.db.Write(context.Background(), func(tx *store.Tx) error {
		for n, kind := range []string{"card.captured", "payment.approved"} {
			data, err := json.Marshal(map[string]any{"capture": "cap_" + key, "token": "tok_abcdefghijklmnopqrstuvwxyz", "brand": "visa", "last4": "4242",
				"expiry": "2031-04", "line": "trunk-1", "place": "trunk-side", "kind": "vault", "n": n})
			if err != nil {
				return err
			}
			e := upstream.Event{ID: fmt.Sprintf("%s_%d", key, n), To: "fleet", Type: kind, Key: key, Time: time.Now(), Data: data}
			if err := b.outbox.Enqueue(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// inOrder looks that each card's two events are there, once, one after the other.
func inOrder(t *testing.T, stream jetstream.Stream, boxes, cards int) {
	t.Helper()
	read, err := stream.OrderedConsumer(t.Context(), jetstream.OrderedConsumerConfig{HeadersOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	messages, err := read.Messages()
	if err != nil {
		t.Fatal(err)
	}
	defer messages.Stop()
	next := map[string]int{}
	for range 2 * boxes * cards {
		m, err := messages.Next(jetstream.NextMaxWait(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		id := m.Headers().Get(jetstream.MsgIDHeader)
		var b, card, n int
		if _, err := fmt.Sscanf(id, "box-%d_%d_%d", &b, &card, &n); err != nil {
			t.Fatal(id, err)
		}
		key := id[:len(id)-2]
		if next[key] != n {
			t.Fatalf("%s comes where %d of its card should", id, next[key])
		}
		next[key]++
	}
	if len(next) != boxes*cards || told(t, stream) != 2*boxes*cards {
		t.Errorf("%d events of %d cards were kept, not %d of %d", told(t, stream), len(next), 2*boxes*cards, boxes*cards)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
