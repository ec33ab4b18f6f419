package upstream

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
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
	last  map[string]int // by key
	took  int
	again int
	wrong []string
}

func newBooks() *books { return &books{last: map[string]int{}} }

// take notes an event whose id is its key, a dash and its number there.
func (b *books) take(key, id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err := strconv.Atoi(strings.TrimPrefix(id, key+"-"))
	switch last := b.last[key]; {
	case err == nil && n == last+1:
		b.last[key] = n
		b.took++
	case err == nil && 0 < n && n <= last:
		b.again++
	default:
		b.wrong = append(b.wrong, fmt.Sprintf("%s came after %d", id, last))
	}
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

// stormy is a destination that fails three times in ten, is slow, is down for an hour, and loses answers. It keeps nothing but its books.
type stormy struct {
	*books
	begun time.Time
	mu    sync.Mutex
	rnd   *rand.Rand
}

func (s *stormy) Send(ctx context.Context, e Envelope) Result {
	s.mu.Lock()
	dice, lag := s.rnd.IntN(100), time.Duration(s.rnd.IntN(200))*time.Millisecond
	s.mu.Unlock()
	select {
	case <-time.After(lag):
	case <-ctx.Done():
		return Result{Reason: "broken off"}
	}
	switch down := time.Since(s.begun); {
	case down > time.Minute && down < 61*time.Minute, dice < 15:
		return Result{Reason: "away"}
	case dice < 30:
		return Result{Status: 503, Reason: "answered 503"}
	}
	if s.take(e.Key, e.ID); dice < 35 {
		return Result{Reason: "the answer was lost"}
	}
	return Result{Outcome: Delivered, Status: 200}
}

func (*stormy) Close() error { return nil }

// TestStorm: whatever a destination does, and an outbox that is started again meanwhile, each event arrives, in its key's order; and the process isn't twice as large at the end as
// when a fifth had arrived. It is an hour of virtual time. make campaign has 100 000 events of it.
func TestStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stormy{books: newBooks(), begun: time.Now(), rnd: rand.New(rand.NewPCG(8, 0))}
		r := &rig{t: t, dir: filepath.Join(t.TempDir(), "state"), unheard: true}
		r.start(Destination{}, s)
		t.Cleanup(r.shut)
		each := max(1, *storm/300)
		all := 300 * each
		r.fill(300, each)
		for _, pause := range []time.Duration{3 * time.Second, 30 * time.Minute, 31 * time.Minute} {
			time.Sleep(pause)
			r.shut()
			r.start(Destination{}, s)
		}
		sizes := []int64{} // in kB, after each tenth that arrived
		for left := r.pending(); left > 0; left = r.pending() {
			time.Sleep(time.Second)
			if 10*(all-left)/all > len(sizes) {
				sizes = append(sizes, resident(t))
			}
		}
		s.books.mu.Lock()
		defer s.books.mu.Unlock()
		if s.took != all || len(s.wrong) > 0 {
			t.Errorf("%d of %d events arrived; out of order: %q", s.took, all, s.wrong)
		}
		if n := len(sizes); n < 3 || sizes[n-1] > 2*sizes[1] {
			t.Errorf("%v kB are in use", sizes)
		}
		t.Logf("%d events, %d told again, after %v; kB in use as they arrived: %v", s.took, s.again, time.Since(s.begun), sizes)
	})
}

// resident is how much memory the process has of its own, in kB, SQLite's included, once nothing is there that nobody needs.
func resident(t *testing.T) (kB int64) {
	t.Helper()
	debug.FreeOSMemory()
	said, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(said), "RssAnon:")
	if _, err := fmt.Sscan(after, &kB); err != nil {
		t.Fatal(err)
	}
	return kB
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
					b.take(r.key, r.id)
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
