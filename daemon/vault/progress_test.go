package vault

import (
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
)

// How far a rotation is, is known from what it has done: it was counted once.
func TestProgressDoesntCountAgain(t *testing.T) {
	r := newRig(t)
	for _, id := range []string{"a", "b", "c"} {
		r.mustSeal(t, visa(id))
	}
	if _, err := r.vault.Rotate(t.Context(), "anna", "asked"); err != nil {
		t.Fatal(err)
	}
	is := func(when string, records, remaining int64) {
		t.Helper()
		if p, err := r.vault.Progress(t.Context()); err != nil || p.Version != 2 || p.Records != records || p.Remaining != remaining {
			t.Errorf("%s: %+v, %v", when, p, err)
		}
	}
	is("rotated", 0, 3)
	r.mustSeal(t, visa("d"))
	is("with a new card", 1, 3)
	r.edit(t, "UPDATE card_key SET kek = 2") // which nobody but a rewrap does
	is("behind its back", 1, 3)
	r.edit(t, "UPDATE card_key SET kek = 1 WHERE token IN (SELECT token FROM card WHERE capture != $1)", captureID("d"))
	if _, _, err := r.vault.rewrapSome(t.Context(), 1, ""); err != nil {
		t.Fatal(err)
	}
	is("sealed anew", 4, 0)
	if err := r.vault.Rewrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	is("done", 4, 0)
	if f := r.vault.Figures(); f.Rewrapped != 3 {
		t.Errorf("%d were sealed anew", f.Rewrapped)
	}
}

// Many cards are counted by the housework and not by whoever asks.
func TestManyAreCountedOnceInAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := openRig(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer r.close()
		r.mustSeal(t, visa("a"))
		many := &Stock{Kinds: map[Kind]int64{Reusable: fewCards + 1}, At: time.Now()}
		r.vault.counted.Store(many)
		is := func(want int64) {
			t.Helper()
			if s, err := r.vault.Stock(t.Context()); err != nil || s.Kinds[Reusable] != want {
				t.Errorf("it holds %+v, %v", s, err)
			}
		}
		time.Sleep(countEvery - time.Second)
		if err := r.vault.recount(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		is(fewCards + 1)
		time.Sleep(time.Second)
		if err := r.vault.recount(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		is(1)
		r.mustSeal(t, visa("b"))
		is(2)
	})
}

// What was done is counted once it is durable, and by its reason.
func TestFigures(t *testing.T) {
	r := newRig(t)
	once := visa("once")
	once.Kind = Once
	token := r.mustSeal(t, once)
	if err := r.reveals(t, token, once); err != nil {
		t.Fatal(err)
	}
	token = r.mustSeal(t, visa("a"))
	r.fail = errors.New("the outbox is full")
	if err := r.vault.Shred(t.Context(), "anna", token); !errors.Is(err, r.fail) {
		t.Errorf("it is shredded, and nobody told: %v", err)
	}
	r.fail = nil
	if err := r.vault.Shred(t.Context(), "anna", token); err != nil {
		t.Fatal(err)
	}
	f := r.vault.Figures()
	if want := map[Why]int64{Used: 1, Asked: 1, Resolved: 0, Expired: 0, Unresolved: 0}; !maps.Equal(f.Shredded, want) || !f.Purged.IsZero() {
		t.Errorf("figures %+v", f)
	}
	if _, err := r.vault.purgeDue(t.Context(), time.Now()); err != nil || time.Since(r.vault.Figures().Purged) > time.Minute {
		t.Errorf("after a purge of nothing: %v, %v", r.vault.Figures().Purged, err)
	}
}

// A version's use is over by time or by records, whichever comes first; where neither is said, never.
func TestOverdue(t *testing.T) {
	made := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		after   time.Duration
		records int64
		newest  Newest
		want    string
	}{
		{0, 0, Newest{1, made.AddDate(-9, 0, 0), 1 << 40}, ""},
		{48 * time.Hour, 0, Newest{}, ""},
		{48 * time.Hour, 5, Newest{1, made.Add(-47 * time.Hour), 4}, ""},
		{48 * time.Hour, 5, Newest{1, made.Add(-48 * time.Hour), 0}, "its cryptoperiod of 2 days is over"},
		{48 * time.Hour, 5, Newest{1, made, 5}, "5 cards were sealed under it"},
	} {
		if got := (Config{RotateAfter: test.after, RotateRecords: test.records}).over(test.newest, made); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

// The oldest card in flight is told of, so that somebody asks before its day is over.
func TestTheOldestInFlight(t *testing.T) {
	r := newRig(t)
	flight := visa("flight")
	flight.Kind = Flight
	before := time.Now()
	r.mustSeal(t, flight)
	r.mustSeal(t, visa("a"))
	s, err := r.vault.Stock(t.Context())
	if err != nil || s.Flight.Before(before.Add(-time.Second)) || s.Flight.After(time.Now()) || s.Kept() != 2 {
		t.Errorf("it holds %+v, %v", s, err)
	}
	if storetest.OnPostgres() {
		return
	}
	var plan string
	err = r.db.Read(t.Context(), func(tx *store.Tx) error {
		var id, parent, unused int
		return tx.One([]any{&id, &parent, &unused, &plan}, "EXPLAIN QUERY PLAN SELECT SUM(CASE WHEN kind = 'vault' THEN 1 ELSE 0 END), MIN(expires) FROM card")
	})
	if err != nil || plan != "SCAN card USING COVERING INDEX card_expires" {
		t.Errorf("cards are counted by %q, %v", plan, err)
	}
}
