package upstream

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/daemon/store"
)

var storm = flag.Int("events", 3000, "how many events TestStorm has delivered")

// books are what a destination took: each event once, however often it was told, and those of a key in order.
type books struct {
	mu    sync.Mutex
	took  map[string]bool
	last  map[string]int // by key
	wrong []string
	again int
}

func newBooks() *books { return &books{took: map[string]bool{}, last: map[string]int{}} }

// take notes an event whose id is its key, a dash and its number there.
func (b *books) take(r request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.took[r.id] {
		b.again++
		return
	}
	b.took[r.id] = true
	var n int
	fmt.Sscanf(r.id[len(r.key)+1:], "%d", &n)
	if n != b.last[r.key]+1 {
		b.wrong = append(b.wrong, fmt.Sprintf("%s came after %d", r.id, b.last[r.key]))
	}
	b.last[r.key] = n
}

func (r *rig) fill(keys, each int) {
	r.t.Helper()
	for n := 1; n <= each; n++ {
		err := r.db.Write(context.Background(), func(tx *store.Tx) error {
			for k := range keys {
				key := fmt.Sprint("k", k)
				if err := r.outbox.Enqueue(tx, Event{ID: fmt.Sprint(key, "-", n), To: "to", Type: "t", Key: key, Time: time.Now(), Data: []byte("1")}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			r.t.Fatal(err)
		}
	}
}

// TestStorm: a destination that fails three times in ten, is slow, is down for an hour, and loses answers, and an outbox that is started again meanwhile: each event arrives, in its
// key's order. It is an hour of virtual time. make campaign has 100 000 events of it.
func TestStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rnd, b, begun := rand.New(rand.NewPCG(8, 0)), newBooks(), time.Now()
		var mu sync.Mutex
		f := newFake(func(ctx context.Context, r request) (int, time.Duration, error) {
			mu.Lock()
			dice, lag := rnd.IntN(100), time.Duration(rnd.IntN(200))*time.Millisecond
			mu.Unlock()
			select {
			case <-time.After(lag):
			case <-ctx.Done():
				return 0, 0, ctx.Err()
			}
			down := time.Since(begun)
			switch {
			case down > time.Minute && down < 61*time.Minute, dice < 15:
				return 0, 0, errors.New("away")
			case dice < 30:
				return 503, 0, nil
			}
			b.take(r)
			if dice < 35 {
				return 0, 0, errors.New("the answer was lost")
			}
			return 200, 0, nil
		})
		r := newRig(t, Destination{}, f)
		each := max(1, *storm/300)
		r.fill(300, each)
		for _, pause := range []time.Duration{3 * time.Second, 30 * time.Minute, 40 * time.Minute} {
			time.Sleep(pause)
			r.shut()
			r.start(Destination{}, f)
		}
		for r.pending() > 0 { // which takes as long as much waits
			time.Sleep(time.Minute)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.took) != 300*each || len(b.wrong) > 0 {
			t.Errorf("%d of %d events arrived; out of order: %q", len(b.took), 300*each, b.wrong)
		}
		t.Logf("%d events, %d told again, after %v", len(b.took), b.again, time.Since(begun))
	})
}

// TestOrderWhateverFails: whatever a destination answers to each attempt, what it takes of a key it takes in order, and a dead letter holds the rest of its key and nothing else.
func TestOrderWhateverFails(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		answers := rapid.SliceOfN(rapid.SampledFrom([]int{200, 200, 200, 500, 422}), 1, 40).Draw(rt, "answers")
		keys := rapid.IntRange(1, 4).Draw(rt, "keys")
		each := rapid.IntRange(1, 4).Draw(rt, "events of a key")
		synctest.Test(t, func(t *testing.T) {
			b, say := newBooks(), statuses(answers...)
			dead := map[string]int{} // by key
			f := newFake(func(ctx context.Context, r request) (int, time.Duration, error) {
				status, after, err := say(ctx, r)
				b.mu.Lock()
				if status == 422 {
					dead[r.key]++
				}
				b.mu.Unlock()
				if status == 200 {
					b.take(r)
				}
				return status, after, err
			})
			r := newRig(t, Destination{}, f)
			r.fill(keys, each)
			time.Sleep(10 * time.Hour)
			b.mu.Lock()
			defer b.mu.Unlock()
			if len(b.wrong) > 0 {
				t.Errorf("out of order: %q", b.wrong)
			}
			for k := range keys {
				key := fmt.Sprint("k", k)
				if whole := b.last[key] == each; whole == (dead[key] > 0) || dead[key] > 1 {
					t.Errorf("of %s %d of %d arrived, with %d dead letters", key, b.last[key], each, dead[key])
				}
			}
		})
	})
}
