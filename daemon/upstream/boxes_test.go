package upstream

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
)

var boxes = flag.Int("boxes", 4, "how many boxes share one PostgreSQL")

// ledger is a destination that takes everything at once.
type ledger struct{ *books }

func (l ledger) Send(_ context.Context, e Envelope) Result {
	l.take(e.Key, e.ID)
	return Result{Outcome: Delivered, Status: 200}
}

func (ledger) Close() error { return nil }

// TestAnIdleBoxTakesOver what another wrote that died before it could tell anybody.
func TestAnIdleBoxTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Destination{MaxWait: time.Minute}, newFake(statuses()))
		synctest.Wait()
		begun := time.Now()
		err := r.db.Write(t.Context(), func(tx *store.Tx) error { // and rings for nobody
			_, err := tx.Exec(putIn, "a1", "to", "a", "card.captured", mediaStandard, []byte("{}"), begun.UnixMicro())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := r.delivered(); d.EventID != "a1" || time.Since(begun) > time.Minute {
			t.Errorf("after %v: %+v", time.Since(begun), d)
		}
	})
}

// TestBoxesShareAnOutbox: many boxes on one PostgreSQL write events and deliver whatever is due, each other's too. Each key's arrive in order, and none is told twice, as each is under
// one box's lease.
func TestBoxesShareAnOutbox(t *testing.T) {
	const keys, each = 20, 5 // of each box
	where, b := storetest.Postgres(t), newBooks()
	var writing, running sync.WaitGroup
	var all []*rig
	for n := range *boxes {
		name := fmt.Sprint("box", n)
		db, err := store.Open(t.Context(), store.Config{Dir: filepath.Join(t.TempDir(), "state"), Postgres: store.Postgres{Where: where, Box: name}})
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{t: t, db: db}
		if r.outbox, err = New(Config{Box: name, Destinations: []Destination{{Name: "to", Sender: ledger{b}, Timeout: time.Hour}}}, Deps{Store: db, Log: slog.New(slog.DiscardHandler)}); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	ctx, cancel := context.WithCancel(context.Background())
	begun := time.Now()
	for n, r := range all {
		running.Go(func() {
			if err := r.outbox.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		for k := range keys {
			writing.Go(func() {
				key := fmt.Sprint("k", n, "-", k)
				for e := 1; e <= each; e++ {
					r.enqueue(key, fmt.Sprint(key, "-", e))
				}
			})
		}
	}
	writing.Wait()
	written := time.Since(begun)
	for all[0].pending() > 0 {
		time.Sleep(10 * time.Millisecond)
	}
	took := time.Since(begun)
	cancel()
	running.Wait()
	for _, r := range all {
		if err := r.db.Close(); err != nil {
			t.Error(err)
		}
	}
	events := *boxes * keys * each
	if b.took != events || b.again > 0 || len(b.wrong) > 0 {
		t.Errorf("%d of %d arrived, %d again, out of order: %q", b.took, events, b.again, b.wrong)
	}
	t.Logf("measured: %d events of %d boxes, each in a transaction of its own, written in %v and told in %v: %.0f a second", events, *boxes, written.Round(time.Millisecond),
		took.Round(time.Millisecond), float64(events)/took.Seconds())
}
