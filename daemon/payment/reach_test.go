package payment

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/vault"
)

// TestReach: who asks before he takes a card knows whether there is a way to the provider.
func TestReach(t *testing.T) {
	r := newRig(t)
	if err := r.pays.Reach(t.Context(), "till"); err != nil {
		t.Error(err)
	}
	r.till.set(func(b *till) { b.away = true })
	if err := r.pays.Reach(t.Context(), "till"); !errors.Is(err, ErrAway) || !errors.Is(err, errLost) {
		t.Errorf("he is away: %v", err)
	}
	if err := r.pays.Reach(t.Context(), "nobody"); !errors.Is(err, ErrBadOrder) {
		t.Errorf("there is no such provider: %v", err)
	}
}

// TestReachEnds: an agent waits for three seconds, and not for as long as a connection may take.
func TestReachEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.till.set(func(b *till) { b.mute = true })
		begun := time.Now()
		if err := r.pays.Reach(t.Context(), "till"); !errors.Is(err, ErrAway) || time.Since(begun) != longestReach {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
	})
}

// TestKnownToBeAway: what is known before the card is said from the beginning, and no longer than it is so.
func TestKnownToBeAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.till.set(func(b *till) { b.away = true })
		r.run()
		pay := r.wants(t, func(o *Order) { o.Later, o.Away = true, true })
		if got := r.is(t, pay.ID); pay.Reason != NotReached || got.Reason != NotReached || got.State != Wanted {
			t.Errorf("it is %s %s, and %s was told", got.State, got.Reason, pay.Reason)
		}
		r.till.set(func(b *till) { b.away = false })
		r.sealed(t, pay, vault.Reusable)
		synctest.Wait()
		if got := r.is(t, pay.ID); got.State != Approved || got.Reason != "" || r.till.cvvs[0] == 0 {
			t.Errorf("it is %s %s, and its code had %v digits", got.State, got.Reason, r.till.cvvs)
		}
		r.stop()
	})
}
