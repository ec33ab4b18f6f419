package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

func TestDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(statuses())
		r := newRig(t, Destination{}, f)
		r.enqueue("a", "evt_1")
		if d := r.next(); d != (Delivery{To: "to", EventID: "evt_1", Type: "card.captured", Key: "a", Tries: 1, Status: 200, Delivered: true, State: Ready}) {
			t.Errorf("told %+v", d)
		}
		got := f.seen[0]
		var body struct {
			Type      string
			Timestamp time.Time
			Data      map[string]int
		}
		if err := json.Unmarshal([]byte(got.body), &body); err != nil || body.Type != "card.captured" || body.Data["n"] != 1 || !body.Timestamp.Equal(f.begun) || got.media != "application/json" {
			t.Errorf("%s %s (%v)", got.media, got.body, err)
		}
		if r.pending() != 0 || r.state() != Ready {
			t.Errorf("%d pending, %v; want none, ready", r.pending(), r.state())
		}
		if r.shut(); !f.closed.Load() {
			t.Error("the sender is not closed at the end")
		}
	})
}

func TestBackOffDoublesToItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(statuses(500, 503, 404, 400, 429, 500, 301, 502, 500, 500, 500))
		r := newRig(t, Destination{}, f)
		r.enqueue("a", "evt_1")
		var gaps []int
		for n := 1; ; n++ {
			d := r.next()
			if d.Tries != n {
				t.Errorf("attempt %d is told as %d", n, d.Tries)
			}
			if d.Delivered {
				break
			}
			if r.state() != Failing || d.Reason == "" {
				t.Errorf("attempt %d: state %v, reason %q", n, r.state(), d.Reason)
			}
			gaps = append(gaps, int(time.Until(d.Next)/time.Second))
		}
		equal(t, "waits in seconds", gaps, []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300})
		times := f.times()
		for i, gap := range gaps {
			if got := times[i+1] - times[i]; got.Round(time.Millisecond) != time.Duration(gap)*time.Second {
				t.Errorf("attempt %d came %v after the one before, told were %d s", i+2, got, gap)
			}
		}
		for _, s := range f.seen[1:] {
			if s.id != f.seen[0].id || s.body != f.seen[0].body {
				t.Error("a repeated delivery has another id or body")
			}
		}
	})
}

func TestFullJitter(t *testing.T) {
	low, high := time.Hour, time.Duration(0)
	for range 2000 {
		d := fullJitter(time.Second)
		low, high = min(low, d), max(high, d)
	}
	if low < 0 || high > time.Second || low > 50*time.Millisecond || high < 950*time.Millisecond {
		t.Errorf("2000 draws lie in %v to %v, want all of 0 to 1 s", low, high)
	}
}

func TestAskedToWait(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{0: time.Second, 30 * time.Second: 30 * time.Second, time.Hour: 5 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			first := true
			r := newRig(t, Destination{}, newFake(func(context.Context, request) (int, time.Duration, error) {
				if !first {
					return 200, 0, nil
				}
				first = false
				return 503, asked, nil
			}))
			r.enqueue("a", "evt_1")
			begun := time.Now()
			r.delivered()
			if got := time.Since(begun); got.Round(time.Millisecond) != want {
				t.Errorf("asked to wait %v: delivered after %v, want %v", asked, got, want)
			}
		})
	}
}

func TestAHangingReceiverIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Destination{Timeout: 7 * time.Second}, newFake(hang))
		begun := time.Now()
		r.enqueue("a", "evt_1")
		if d := r.next(); d.Status != 0 || d.Delivered || d.Reason != "no answer within 7 s" || time.Since(begun) != 7*time.Second {
			t.Errorf("after %v: %+v", time.Since(begun), d)
		}
	})
}

func TestOrderPerKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := 3
		f := newFake(func(_ context.Context, r request) (int, time.Duration, error) {
			if r.id == "a1" && left > 0 {
				left--
				return 500, 0, nil
			}
			return 200, 0, nil
		})
		r := newRig(t, Destination{}, f)
		r.enqueue("a", "a1")
		r.next()
		r.enqueue("a", "a2")
		r.enqueue("b", "b1")
		r.enqueue("a", "a3")
		for r.pending() > 0 {
			r.next()
		}
		equal(t, "attempts", f.ids(), []string{"a1", "b1", "a1", "a1", "a1", "a2", "a3"})
	})
}

// TestRandomFailures lets attempts of many keys fail at random: each event arrives, and none passes an
// earlier one of its key.
func TestRandomFailures(t *testing.T) {
	for seed := range uint64(5) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 0))
			var mu sync.Mutex           // several keys are on their way at the same time
			arrived := map[string]int{} // key -> last event
			f := newFake(func(_ context.Context, r request) (int, time.Duration, error) {
				mu.Lock()
				defer mu.Unlock()
				if rnd.IntN(3) == 0 {
					return 0, 0, errors.New("the network is away")
				}
				if rnd.IntN(3) == 0 {
					return 500, 0, nil
				}
				key, n := r.id[:1], int(r.id[1]-'0')
				if n != arrived[key]+1 {
					t.Errorf("seed %d: %s arrived after %d", seed, r.id, arrived[key])
				}
				arrived[key] = n
				return 200, 0, nil
			})
			r := newRig(t, Destination{}, f)
			for n := 1; n <= 5; n++ {
				for _, key := range []string{"a", "b", "c", "d"} {
					r.enqueue(key, fmt.Sprint(key, n))
				}
			}
			for r.pending() > 0 {
				r.next()
			}
			equal(t, "arrived", []int{arrived["a"], arrived["b"], arrived["c"], arrived["d"]}, []int{5, 5, 5, 5})
		})
	}
}

func TestGoneDisables(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(statuses(410))
		r := newRig(t, Destination{}, f)
		r.enqueue("a", "a1")
		if d := r.next(); d.Status != 410 || d.Delivered || !d.Next.IsZero() {
			t.Errorf("told %+v", d)
		}
		r.enqueue("b", "b1")
		time.Sleep(time.Hour) // of the bubble
		if got := len(f.ids()); got != 1 || r.state() != Disabled || r.pending() != 2 {
			t.Errorf("%d attempts, %v, %d pending; want 1, disabled, 2", got, r.state(), r.pending())
		}
		r.shut()
		r.start(Destination{}, f)
		r.delivered()
		r.delivered()
		equal(t, "attempts", slices.Sorted(slices.Values(f.ids())), []string{"a1", "a1", "b1"})
	})
}

// TestRestartInMidAttempt: what was on its way when the process ended is sent again at once, the same.
func TestRestartInMidAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := newFake(hang)
		r := newRig(t, Destination{}, hung)
		r.enqueue("a", "a1")
		synctest.Wait()
		r.shut()
		f := newFake(statuses())
		r.start(Destination{}, f)
		begun := time.Now()
		if d := r.delivered(); d.Tries != 2 || d.EventID != "a1" {
			t.Errorf("told %+v, want a second attempt of a1", d)
		}
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("it waited %v for a lease that nobody holds", waited)
		}
		if hung.seen[0].body != f.seen[0].body {
			t.Error("the body changed over the restart")
		}
	})
}

// TestAnotherBoxInMidAttempt: what another box on the same store was delivering is its own until its time is over, and then anybody's.
func TestAnotherBoxInMidAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Destination{Timeout: time.Minute}, newFake(hang)) // which is the box without a name
		r.enqueue("a", "a1")
		synctest.Wait()
		r.shut()
		r.box = "two"
		r.start(Destination{Timeout: time.Minute}, newFake(statuses()))
		begun := time.Now()
		if d := r.delivered(); d.Tries != 2 || d.EventID != "a1" {
			t.Errorf("told %+v, want a second attempt of a1", d)
		}
		if waited := time.Since(begun); waited != 2*time.Minute {
			t.Errorf("it waited %v for the lease of a box that has died", waited)
		}
	})
}

// TestAnswerAtTheEndIsWrittenDown: an answer that comes just before the end is settled, so that the receiver isn't told
// again.
func TestAnswerAtTheEndIsWrittenDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r *rig
		release := make(chan struct{})
		r = newRig(t, Destination{}, newFake(func(context.Context, request) (int, time.Duration, error) {
			holds := make(chan struct{})
			go r.db.Write(context.Background(), func(*store.Tx) error { // the settling must wait behind this
				close(holds)
				<-release
				return nil
			})
			<-holds
			return 200, 0, nil
		}))
		r.enqueue("a", "a1")
		synctest.Wait() // until the outbox waits for the writer
		go r.stop()
		synctest.Wait()
		close(release)
		r.stop()
		if n := r.pending(); n != 0 {
			t.Errorf("%d events will be sent again that were taken", n)
		}
	})
}

// TestBrokenStoreIsTriedSlowly: however short the wait after a failed delivery may be.
func TestBrokenStoreIsTriedSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Destination{BackOff: 10 * time.Millisecond}, newFake(statuses()))
		synctest.Wait()
		err := r.db.Write(t.Context(), func(tx *store.Tx) error {
			tx.OnCommit(r.outbox.to[0].ring)
			_, err := tx.Exec("DROP TABLE outbox")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		r.shut()
		if n := strings.Count(r.log.String(), "can't be written"); n < 2 || n > 11 {
			t.Errorf("in 10 s the log was told %d times", n)
		}
	})
}

func TestBackOffSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Destination{BackOff: time.Minute}, newFake(statuses(500)))
		r.enqueue("a", "a1")
		r.next()
		r.shut()
		begun := time.Now()
		r.start(Destination{BackOff: time.Minute}, newFake(statuses()))
		r.delivered()
		if waited := time.Since(begun).Round(time.Millisecond); waited != time.Minute {
			t.Errorf("sent %v after the restart, want the minute that was due", waited)
		}
	})
}

// TestClockSetBack: an event that is due in a future that no back-off reaches is due now.
func TestClockSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Destination{}, newFake(statuses(500)))
		r.enqueue("a", "a1")
		r.next()
		r.shut()
		db, err := open(r.dir)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Write(context.Background(), func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE outbox SET due = $1", time.Now().Add(24*time.Hour).UnixMicro())
			return err
		})
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		r.start(Destination{}, newFake(statuses()))
		r.delivered()
		if waited := time.Since(begun); waited > time.Minute {
			t.Errorf("waited %v for a clock that was set back", waited)
		}
	})
}

// TestAStoreThatFailsAsItBegins: an outbox that can't take over from the last run goes on trying, and delivers once it can.
func TestAStoreThatFailsAsItBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Destination{}, newFake(statuses(500)))
		r.enqueue("a", "a1")
		r.next()
		r.shut()
		change := func(db *store.DB, to string) {
			t.Helper()
			if err := db.Write(context.Background(), func(tx *store.Tx) error { _, err := tx.Exec(to); return err }); err != nil {
				t.Fatal(err)
			}
		}
		db, err := open(r.dir)
		if err != nil {
			t.Fatal(err)
		}
		change(db, "ALTER TABLE outbox RENAME TO mislaid")
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		r.start(Destination{}, newFake(statuses()))
		time.Sleep(time.Minute)
		change(r.db, "ALTER TABLE mislaid RENAME TO outbox")
		r.delivered()
	})
}

func TestTheSameEventTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(statuses())
		r := newRig(t, Destination{}, f)
		r.enqueue("a", "a1")
		r.enqueue("a", "a1")
		r.delivered()
		r.enqueue("a", "a1")
		synctest.Wait()
		equal(t, "attempts", f.ids(), []string{"a1"})
	})
}

func TestAnEventOfAFailedTransactionIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(statuses())
		r := newRig(t, Destination{}, f)
		failed := errors.New("the act failed")
		err := r.db.Write(t.Context(), func(tx *store.Tx) error {
			return errors.Join(r.outbox.Enqueue(tx, Event{ID: "a1", To: "to", Type: "t", Key: "a", Time: time.Now(), Data: []byte("1")}), failed)
		})
		if !errors.Is(err, failed) {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(f.ids()) != 0 || r.pending() != 0 {
			t.Error("an event was sent of what never happened")
		}
	})
}

func TestUnfitEvents(t *testing.T) {
	r := newRig(t, Destination{}, newFake(statuses()))
	now := time.Now()
	for i, e := range []Event{{To: "to"}, {To: "to", Type: "t", Key: "k", Time: now}, {To: "to", ID: "i", Key: "k", Time: now}, {To: "to", ID: "i", Type: "t", Time: now},
		{To: "to", ID: "i", Type: "t", Key: "k"}, {To: "to", ID: "i", Type: "t", Key: "k", Time: now, Data: []byte("{")}, {To: "nobody", ID: "i", Type: "t", Key: "k", Time: now, Data: []byte("1")}} {
		if err := r.db.Write(t.Context(), func(tx *store.Tx) error { return r.outbox.Enqueue(tx, e) }); err == nil {
			t.Errorf("event %d was taken", i)
		}
	}
}

func TestRunEndsWithItsStore(t *testing.T) {
	r := newRig(t, Destination{}, newFake(statuses()))
	if err := errors.Join(r.stop(), r.db.Close()); err != nil {
		t.Fatal(err)
	}
	if err := r.outbox.Run(t.Context()); !errors.Is(err, store.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}
