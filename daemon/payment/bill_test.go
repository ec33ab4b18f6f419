package payment

import (
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/daemon/vault"
)

// TestTwoCardsForOneAmount: the second pays what the first leaves, one that is declined pays nothing, and more than is left is never charged.
func TestTwoCardsForOneAmount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.run()
		first := r.again(t, func(o *Order) { o.Minor, o.Total = 6000, 10000 })
		r.bill(t, first.ID, Bill{first.ID, "EUR", 10000, 6000, 0})
		r.refuses(t, func(o *Order) { o.Minor, o.Bill = 4001, first.ID })
		r.refuses(t, func(o *Order) { o.Minor, o.Bill, o.Currency = 4000, first.ID, "USD" })
		r.refuses(t, func(o *Order) { o.Minor, o.Bill, o.Total = 4000, first.ID, 4000 })

		r.till.set(func(b *till) { b.next = []fault{declines} })
		no := r.again(t, func(o *Order) { o.Minor, o.Bill = 0, first.ID })
		if no.State != Declined || no.Minor != 4000 {
			t.Errorf("the rest is %d, and %s", no.Minor, no.State)
		}
		r.bill(t, no.ID, Bill{first.ID, "EUR", 10000, 6000, 0})

		waits := r.wants(t, func(o *Order) { o.Minor, o.Bill = 3000, no.ID }) // any of its payments names a bill
		r.bill(t, first.ID, Bill{first.ID, "EUR", 10000, 6000, 3000})
		r.refuses(t, func(o *Order) { o.Minor, o.Bill = 1001, first.ID })
		last := r.again(t, func(o *Order) { o.Minor, o.Bill = 0, first.ID })
		if last.State != Approved || last.Minor != 1000 || last.Total != 10000 {
			t.Errorf("the rest is %d of %d, and %s", last.Minor, last.Total, last.State)
		}
		r.refuses(t, func(o *Order) { o.Minor, o.Bill = 0, first.ID })
		r.sealed(t, waits, vault.Flight)
		synctest.Wait()
		r.bill(t, first.ID, Bill{first.ID, "EUR", 10000, 10000, 0})
		r.stop()

		r.mu.Lock()
		defer r.mu.Unlock()
		var data told
		if err := json.Unmarshal(r.sent[len(r.sent)-1].Data, &data); err != nil || data.Bill == nil || *data.Bill != (toldBill{first.ID, 10000, 0}) {
			t.Errorf("upstream was told %s, %v", r.sent[len(r.sent)-1].Data, err)
		}
	})
}

// TestWhatIsGivenBackIsLeft: a part that is undone, or given back, may be paid again.
func TestWhatIsGivenBackIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.run()
		taken := r.again(t, func(o *Order) { o.Minor, o.Total = 6000, 10000 })
		held := r.again(t, func(o *Order) { o.Minor, o.Bill, o.Take = 3000, taken.ID, false })
		for _, act := range []struct {
			of    string
			kind  Kind
			minor int64
		}{{taken.ID, Refund, 500}, {held.ID, Void, 0}} {
			if _, err := r.pays.Act(t.Context(), "ann", "", act.of, act.kind, act.minor); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		r.bill(t, taken.ID, Bill{taken.ID, "EUR", 10000, 5500, 0})
		less := r.again(t, func(o *Order) { o.Minor, o.Bill, o.Take = 4500, taken.ID, false })
		if _, err := r.pays.Act(t.Context(), "ann", "", less.ID, Capture, 4000); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.bill(t, taken.ID, Bill{taken.ID, "EUR", 10000, 9500, 0})
		r.stop()
	})
}

func TestNoBill(t *testing.T) {
	r := newRig(t)
	one := r.wants(t, nil)
	if _, err := r.pays.Bill(t.Context(), one.ID); !errors.Is(err, ErrNoBill) {
		t.Errorf("a payment without one: %v", err)
	}
	for _, name := range []string{"", thePAN, "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa"} {
		if _, err := r.pays.Bill(t.Context(), name); !errors.Is(err, ErrUnknown) {
			t.Errorf("no payment: %v", err)
		}
	}
	r.refuses(t, func(o *Order) { o.Bill = one.ID })
	r.refuses(t, func(o *Order) { o.Total = o.Minor - 1 })
	r.refuses(t, func(o *Order) { o.Total = mostMinor + 1 })
	r.refuses(t, func(o *Order) { o.Total = -1 })
	o := r.order(vault.NewCaptureID(time.Now()))
	o.Bill = "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	if _, err := r.pays.Want(t.Context(), "ann", o); !errors.Is(err, ErrUnknown) {
		t.Errorf("a bill that isn't one: %v", err)
	}
}

// TestNoMoreThanTheTotal: whatever is asked of a bill in whatever order, its parts come to no more than its total.
func TestNoMoreThanTheTotal(t *testing.T) {
	r := newRig(t)
	rapid.Check(t, func(rt *rapid.T) {
		total := rapid.Int64Range(1, 1000).Draw(rt, "total")
		first := r.wants(t, func(o *Order) { o.Total, o.Minor = total, rapid.Int64Range(1, total).Draw(rt, "first") })
		sum := first.Minor
		for range rapid.IntRange(1, 5).Draw(rt, "parts") {
			o := r.order(vault.NewCaptureID(time.Now()))
			o.Bill, o.Minor = first.ID, rapid.Int64Range(0, total).Draw(rt, "minor")
			pay, err := r.pays.Want(t.Context(), "ann", o)
			switch {
			case err == nil && pay.Minor > 0 && (o.Minor == 0 || o.Minor == pay.Minor):
				sum += pay.Minor
			case !errors.Is(err, ErrBadOrder) || sum < total && o.Minor <= total-sum:
				rt.Fatalf("of %d, with %d for its parts, %d is wanted: %+v, %v", total, sum, o.Minor, pay, err)
			}
		}
		if b, err := r.pays.Bill(t.Context(), first.ID); err != nil || b.Open != sum || b.Left() < 0 {
			rt.Fatalf("its parts are %d: %+v, %v", sum, b, err)
		}
	})
}

// bill looks how one stands.
func (r *rig) bill(t *testing.T, name string, want Bill) {
	t.Helper()
	if got, err := r.pays.Bill(t.Context(), name); err != nil || got != want {
		t.Errorf("the bill is %+v, %v; want %+v", got, err, want)
	}
}

// refuses looks that an order isn't taken.
func (r *rig) refuses(t *testing.T, change func(*Order)) {
	t.Helper()
	o := r.order(vault.NewCaptureID(time.Now()))
	change(&o)
	if pay, err := r.pays.Want(t.Context(), "ann", o); !errors.Is(err, ErrBadOrder) {
		t.Errorf("%+v, %v", pay, err)
	}
}
