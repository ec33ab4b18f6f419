package payment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/vault"
)

// again has the card of the rig charged once more than it was, and answers with the payment as it stands then.
func (r *rig) again(t *testing.T, change func(*Order)) Payment {
	t.Helper()
	pay := r.wants(t, change)
	r.sealed(t, pay, vault.Flight)
	synctest.Wait()
	return r.is(t, pay.ID)
}

// TestTheSameCardAgain: it is charged once, and a second time only if somebody says so while its CVV is there.
func TestTheSameCardAgain(t *testing.T) {
	for name, c := range map[string]struct {
		says   func(*Payments, context.Context, string, string) error // nil: nobody says anything
		after  time.Duration
		state  State
		reason string
		taken  int
	}{
		"confirmed":            {(*Payments).Confirm, 0, Approved, "", 1},
		"confirmed, just yet":  {(*Payments).Confirm, 30*time.Second - 1, Approved, "", 1},
		"cancelled":            {(*Payments).Cancel, 0, Failed, Duplicate, 0},
		"nobody says anything": {nil, 30 * time.Second, Failed, Duplicate, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.run()
				if first := r.again(t, nil); first.State != Approved {
					t.Fatalf("the first is %s", first.State)
				}
				pay := r.again(t, nil)
				if pay.State != Held || pay.Reason != Duplicate || r.till.taken(pay.ID) != 0 {
					t.Fatalf("it is %s %s, and money was taken %d times", pay.State, pay.Reason, r.till.taken(pay.ID))
				}
				time.Sleep(c.after)
				if c.says != nil {
					if err := c.says(r.pays, t.Context(), "ann", pay.ID); err != nil || r.is(t, pay.ID).State == Held {
						t.Errorf("%s, %v", r.is(t, pay.ID).State, err)
					}
				}
				synctest.Wait()
				if got := r.is(t, pay.ID); got.State != c.state || got.Reason != c.reason || r.till.taken(pay.ID) != c.taken {
					t.Errorf("it is %s %s, and money was taken %d times", got.State, got.Reason, r.till.taken(pay.ID))
				}
				if want := slices.Repeat([]int{len(theCVV)}, 1+c.taken); !slices.Equal(r.till.cvvs, want) {
					t.Errorf("security codes of the lengths %v came to the till, want %v", r.till.cvvs, want)
				}
				for name, says := range map[string]func(*Payments, context.Context, string, string) error{"confirmed": (*Payments).Confirm, "cancelled": (*Payments).Cancel} {
					if err := says(r.pays, t.Context(), "ann", pay.ID); !errors.Is(err, ErrNotHeld) {
						t.Errorf("%s once more: %v", name, err)
					}
				}
				r.stop()
			})
		})
	}
}

// TestWhatIsNoDuplicate is charged at once.
func TestWhatIsNoDuplicate(t *testing.T) {
	for name, c := range map[string]struct {
		first  []fault
		change func(*Order)
		after  time.Duration
		held   bool
	}{
		"the same":                        {nil, nil, 0, true},
		"the same, just before the time":  {nil, nil, lately - 1, true},
		"ten minutes later":               {nil, nil, lately, false},
		"another amount":                  {nil, func(o *Order) { o.Minor++ }, 0, false},
		"another currency":                {nil, func(o *Order) { o.Currency = "USD" }, 0, false},
		"the first was declined":          {[]fault{declines}, nil, 0, false},
		"the first never reached anybody": {[]fault{isAway}, nil, 0, false},
		"the first is under way":          {[]fault{hangs}, nil, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.till.set(func(b *till) { b.next = c.first })
				r.run()
				r.again(t, nil)
				time.Sleep(c.after)
				if got := r.again(t, c.change); (got.State == Held) != c.held {
					t.Errorf("it is %s %s", got.State, got.Reason)
				}
				time.Sleep(time.Minute)
				r.stop()
			})
		})
	}
}

// TestAnotherCard: two cards may pay the same.
func TestAnotherCard(t *testing.T) {
	r := newRig(t)
	other, err := cardOf("5555555555554444", "1131", theCVV)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Destroy()
	pay := Payment{ID: "one", Order: Order{Minor: 5, Currency: "EUR"}}
	if before, err := r.pays.twice.sees(pay, aCard(t).PAN); before != "" || err != nil {
		t.Errorf("%q, %v", before, err)
	}
	pay.ID = "two"
	if before, err := r.pays.twice.sees(pay, other.PAN); before != "" || err != nil {
		t.Errorf("another card is taken for one that was charged by %q, %v", before, err)
	}
	pay.ID = "three"
	if before, err := r.pays.twice.sees(pay, aCard(t).PAN); before != "one" || err != nil {
		t.Errorf("the same card is taken for one that was charged by %q, %v", before, err)
	}
}

// TestHeldAsItEnds: a payment that is held as flattoned ends, or is killed, was not charged, and is said to be interrupted.
func TestHeldAsItEnds(t *testing.T) {
	for _, killed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			r.run()
			r.again(t, nil)
			pay := r.again(t, nil)
			stop := r.stop
			if !killed {
				stop()
			}
			r.build(t)
			r.run()
			synctest.Wait()
			if got := r.is(t, pay.ID); got.State != Failed || got.Reason != Interrupted || r.till.taken(pay.ID) != 0 {
				t.Errorf("killed: %v; it is %s %s", killed, got.State, got.Reason)
			}
			if err := r.pays.Confirm(t.Context(), "ann", pay.ID); !errors.Is(err, ErrNotHeld) {
				t.Errorf("killed: %v; it can be confirmed: %v", killed, err)
			}
			if got := r.again(t, nil); got.State != Approved {
				t.Errorf("what was charged before the restart is remembered: it is %s", got.State)
			}
			r.stop()
			stop()
		})
	}
}

// TestTwiceIsBounded: beyond its bound the oldest is forgotten; and in the end there is nothing, nor a key.
func TestTwiceIsBounded(t *testing.T) {
	seen, err := newTwice()
	if err != nil {
		t.Fatal(err)
	}
	card := aCard(t)
	synctest.Test(t, func(t *testing.T) {
		for n := range int64(mostRemembered + 1) {
			if _, err := seen.sees(Payment{ID: fmt.Sprint(n), Order: Order{Minor: n}}, card.PAN); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		if len(seen.charged) != mostRemembered {
			t.Errorf("%d are remembered", len(seen.charged))
		}
		for n, want := range map[int64]string{0: "", 2: "2"} {
			if before, err := seen.sees(Payment{ID: "again", Order: Order{Minor: n}}, card.PAN); before != want || err != nil {
				t.Errorf("amount %d: %q, %v; want %q", n, before, err, want)
			}
		}
	})
	seen.forget()
	if _, err := seen.sees(Payment{ID: "later"}, card.PAN); err == nil || len(seen.charged) != 0 {
		t.Errorf("after the end %d are remembered, and the key is there: %v", len(seen.charged), err)
	}
}
