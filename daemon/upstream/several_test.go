package upstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// two runs an outbox with two destinations, "slow" and "well".
func two(t *testing.T, slow, well *fake, to Destination) *rig {
	t.Helper()
	r := newRig(t, Destination{}, newFake(statuses()))
	r.shut()
	one, other := to, to
	one.Name, one.Sender, other.Name, other.Sender = "slow", slow, "well", well
	r.run(one, other)
	return r
}

// TestASlowOneHoldsUpNoOther, and each has an event of its own under the same id.
func TestASlowOneHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		well := newFake(statuses())
		r := two(t, newFake(hang), well, Destination{})
		r.enqueueTo("slow", "a", "a1")
		r.enqueueTo("well", "a", "a1")
		r.enqueueTo("well", "a", "a2")
		begun := time.Now()
		r.delivered()
		r.delivered()
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("it waited %v for the other", waited)
		}
		equal(t, "attempts", well.ids(), []string{"a1", "a2"})
		all, err := r.outbox.Figures(t.Context())
		if err != nil || all[0].Waiting != 1 || all[1].Waiting != 0 || all[0].Oldest.IsZero() || all[1].Attempts != 2 {
			t.Errorf("figures %+v (%v)", all, err)
		}
	})
}

// TestKeysAreSentAtTheSameTime, and no more of them than fit.
func TestKeysAreSentAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		r := newRig(t, Destination{}, newFake(func(context.Context, request) (int, time.Duration, error) {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return 200, 0, nil
		}))
		for n := range 2 * 64 {
			r.enqueue(fmt.Sprint(n), fmt.Sprint(n))
		}
		for r.pending() > 0 {
			r.delivered()
		}
		if most.Load() != 64 {
			t.Errorf("%d were on their way at once, want 64", most.Load())
		}
	})
}

// TestDeadLetter: what is refused for good holds its key, and no other, until a technician has it sent again or drops it.
func TestDeadLetter(t *testing.T) {
	for _, fate := range []string{"replay", "drop"} {
		synctest.Test(t, func(t *testing.T) {
			refuses := true
			f := newFake(func(_ context.Context, r request) (int, time.Duration, error) {
				if r.id == "a1" && refuses {
					return 422, 0, nil
				}
				return 200, 0, nil
			})
			r := newRig(t, Destination{}, f)
			r.enqueue("a", "a1")
			r.enqueue("a", "a2")
			r.enqueue("b", "b1")
			for range 2 {
				if d := r.next(); d.EventID == "a1" && (!d.Dead || d.Delivered || !d.Next.IsZero() || d.State != Ready) {
					t.Errorf("told %+v", d)
				}
			}
			time.Sleep(100 * time.Hour)
			all, err := r.outbox.Undelivered(t.Context(), Pick{}, 10)
			if err != nil || len(all) != 2 || !all[0].Dead || all[0].Status != 422 || all[0].Reason == "" || !all[1].Behind {
				t.Errorf("undelivered: %+v (%v)", all, err)
			}
			if dead, err := r.outbox.Undelivered(t.Context(), Pick{Dead: true, To: "to"}, 10); err != nil || len(dead) != 1 {
				t.Errorf("dead: %+v (%v)", dead, err)
			}
			refuses = false
			err = r.db.Write(t.Context(), func(tx *store.Tx) error {
				do := r.outbox.Replay
				if fate == "drop" {
					do = r.outbox.Drop
				}
				if n, err := do(tx, Pick{ID: "b1"}, time.Now()); n != 0 || err != nil {
					t.Errorf("%s of what is no dead letter: %d, %v", fate, n, err)
				}
				n, err := do(tx, Pick{ID: "a1"}, time.Now())
				if n != 1 {
					t.Errorf("%s of %d", fate, n)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			for r.pending() > 0 {
				r.next()
			}
			want := "a1 b1 a1 a2"
			if fate == "drop" {
				want = "a1 b1 a2"
			}
			if got := strings.Join(f.ids(), " "); got != want && got != strings.Replace(want, "a1 b1", "b1 a1", 1) {
				t.Errorf("after %s the attempts are %s", fate, got)
			}
		})
	}
}

// TestGivenUp: what was tried for long enough is a dead letter; time before its first attempt doesn't count.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Destination{GiveUp: time.Hour}, newFake(func(context.Context, request) (int, time.Duration, error) { return 0, 0, errors.New("away") }))
		begun := time.Now()
		r.enqueue("a", "a1")
		for d := r.next(); !d.Dead; d = r.next() {
			if time.Since(begun) > 2*time.Hour {
				t.Fatalf("after %v it isn't given up", time.Since(begun))
			}
		}
		if took := time.Since(begun); took < time.Hour || r.pending() != 1 || r.state() != Failing {
			t.Errorf("given up after %v, %d pending, %v", took, r.pending(), r.state())
		}
	})
}

func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Destination{}, newFake(statuses(410)))
		if err := r.outbox.Resume("to"); !errors.Is(err, ErrNotDisabled) {
			t.Errorf("got %v", err)
		}
		if err := r.outbox.Resume("nobody"); !errors.Is(err, ErrNoDestination) {
			t.Errorf("got %v", err)
		}
		r.enqueue("a", "a1")
		r.next()
		time.Sleep(time.Hour)
		if err := r.outbox.Resume("to"); err != nil {
			t.Fatal(err)
		}
		if d := r.next(); !d.Delivered || d.Tries != 2 {
			t.Errorf("told %+v", d)
		}
	})
}

// TestADestinationThatIsDownIsProbed: where different events fail one after the other, not all of those that wait are tried.
func TestADestinationThatIsDownIsProbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		f := newFake(func(context.Context, request) (int, time.Duration, error) {
			if time.Since(begun) < time.Hour {
				return 0, 0, errors.New("away")
			}
			return 200, 0, nil
		})
		r := newRig(t, Destination{}, f)
		for n := range 2000 {
			r.enqueue(fmt.Sprint(n), fmt.Sprint(n))
		}
		time.Sleep(time.Hour - time.Since(begun))
		if n := len(f.ids()); n > 300 {
			t.Errorf("in an hour it was tried %d times", n)
		}
		for r.pending() > 0 {
			r.next()
		}
		if waited := time.Since(begun); waited > time.Hour+10*time.Minute {
			t.Errorf("it took until %v after it was back", waited-time.Hour)
		}
	})
}

// TestWhoIsNotConfigured: what waits for a destination that the config no longer names is told, and can be dropped.
func TestWhoIsNotConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := two(t, newFake(hang), newFake(statuses()), Destination{})
		r.enqueueTo("slow", "a", "a1")
		r.enqueueTo("slow", "a", "a2")
		synctest.Wait()
		r.shut()
		r.start(Destination{}, newFake(statuses()))
		all, err := r.outbox.Figures(t.Context())
		if err != nil || len(all) != 2 || !all[1].Unknown || all[1].Name != "slow" || all[1].Waiting != 2 {
			t.Errorf("figures %+v (%v)", all, err)
		}
		err = r.db.Write(t.Context(), func(tx *store.Tx) error {
			n, err := r.outbox.Drop(tx, Pick{To: "slow"}, time.Now())
			if n != 2 {
				t.Errorf("%d were dropped", n)
			}
			return err
		})
		if err != nil || r.pending() != 0 {
			t.Errorf("%d pending (%v)", r.pending(), err)
		}
	})
}
