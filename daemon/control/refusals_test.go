package control

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// noted collects what refusals note, with the second of it.
type noted struct {
	mu    sync.Mutex
	began time.Time
	lines []string
}

func (n *noted) note(_ context.Context, by Actor, call, result string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, fmt.Sprintf("%s %s %s: %s", time.Since(n.began), by, call, result))
}

// TestRefusalsAreCounted: the first is noted at once, and ten thousand more take an entry a minute.
func TestRefusalsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &noted{began: time.Now()}
		r := newRefusals(n.note)
		anna, otto := Actor{Name: "anna"}, Actor{Name: "otto"}
		for range 10_001 {
			r.add(t.Context(), anna, "arm", "no")
		}
		r.add(t.Context(), anna, "tune", "no")
		r.add(t.Context(), otto, "arm", "no")
		time.Sleep(90 * time.Second)
		r.add(t.Context(), anna, "arm", "no") // in the minute after that of the ten thousand
		r.add(t.Context(), otto, "arm", "no") // after a minute of rest: a first one
		time.Sleep(5 * time.Minute)
		r.add(t.Context(), anna, "arm", "no")
		r.add(t.Context(), anna, "arm", "no")
		r.close()
		r.add(t.Context(), otto, "arm", "late")
		want := []string{"0s anna arm: no", "0s anna tune: no", "0s otto arm: no", "1m0s anna arm: refused 10000 times more within a minute", "1m30s otto arm: no",
			"2m0s anna arm: refused 1 times more within a minute", "6m30s anna arm: no", "6m30s anna arm: refused 1 times more within a minute", "6m30s otto arm: late"}
		if !slices.Equal(n.lines, want) {
			t.Errorf("noted are %q, want %q", n.lines, want)
		}
	})
}

// TestRefusalsOfMany: however many people and calls there are, what is kept of them is bounded, and none is lost from the count.
func TestRefusalsOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &noted{began: time.Now()}
		r := newRefusals(n.note)
		const many = 10_000
		for i := range many {
			r.add(t.Context(), Actor{Name: fmt.Sprint(i)}, "arm", "no")
		}
		kept := func() int {
			r.mu.Lock()
			defer r.mu.Unlock()
			return len(r.tallies)
		}
		if n := kept(); n > maxTallies+1 {
			t.Errorf("%d tallies are kept", n)
		}
		time.Sleep(time.Hour)
		if n := kept(); n > 0 {
			t.Errorf("%d tallies are left after an hour", n)
		}
		r.close()
		if want := fmt.Sprintf("1m0s many many calls: refused %d times more within a minute", many-maxTallies-1); len(n.lines) != maxTallies+2 || n.lines[len(n.lines)-1] != want {
			t.Errorf("%d entries, the last %q, want %q", len(n.lines), n.lines[len(n.lines)-1], want)
		}
	})
}
