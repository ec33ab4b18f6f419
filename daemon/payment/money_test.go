package payment

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/daemon/vault"
)

// TestMoneyIsTakenOnceAndKnown: whatever providers do and however often flattoned is started anew, by this box or another, while charges and acts are under
// way: once the provider answers again, every payment and act has an end, and it is what his books say.
func TestMoneyIsTakenOnceAndKnown(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			r.till.cannotInquire = rapid.Bool().Draw(rt, "blind")
			r.run()
			stops := []func(){}
			var pays []Payment
			for range rapid.IntRange(1, 25).Draw(rt, "steps") {
				switch rapid.IntRange(0, 7).Draw(rt, "step") {
				case 0, 1, 2:
					fault := fault(rapid.IntRange(int(approves), int(hangs)).Draw(rt, "fault"))
					r.till.set(func(b *till) { b.next = append(b.next, fault) })
					later := rapid.Bool().Draw(rt, "later")
					like := rapid.SampledFrom([]int{0, len(pays)}).Draw(rt, "like") // the first, perhaps: then it may be held
					pay := r.wants(t, func(o *Order) { o.Later, o.Minor, o.Take = later, 1000+int64(like), like%2 == 0 })
					pays = append(pays, pay)
					r.sealed(t, pay, map[bool]vault.Kind{true: vault.Reusable, false: vault.Flight}[later])
				case 3: // the box before is still there, in a manner of speaking, and ends what it has begun
					stops = append(stops, r.stop)
					r.build(t)
					if rapid.Bool().Draw(rt, "another") {
						r.pays.cfg.Box, r.pays.charges.box, r.pays.follow.box = "another", "another", "another"
					}
					r.run()
				case 4:
					away := rapid.Bool().Draw(rt, "away")
					r.till.set(func(b *till) { b.away = away })
				case 5:
					synctest.Wait()
					for _, pay := range pays {
						says := rapid.SampledFrom([]func(context.Context, string, string) error{r.pays.Confirm, r.pays.Cancel}).Draw(rt, "says")
						if err := says(t.Context(), "ann", pay.ID); err != nil && !errors.Is(err, ErrNotHeld) {
							t.Error(err)
						}
					}
				case 6:
					kind := rapid.SampledFrom([]Kind{Capture, Void, Refund}).Draw(rt, "kind")
					for _, pay := range pays {
						minor := int64(0)
						if kind == Refund {
							minor = rapid.Int64Range(0, 700).Draw(rt, "minor")
						}
						if _, err := r.pays.Act(t.Context(), "ann", "", pay.ID, kind, minor); err != nil && !errors.Is(err, ErrCannot) {
							t.Error(err)
						}
					}
				case 7:
					time.Sleep(time.Duration(rapid.IntRange(1, 200).Draw(rt, "seconds")) * time.Second)
				}
			}
			r.till.set(func(b *till) { b.away, b.next = false, nil })
			time.Sleep(15 * time.Minute)
			synctest.Wait()
			for _, pay := range pays {
				got, err := r.pays.Books(t.Context(), pay.ID)
				if err != nil {
					t.Fatal(err)
				}
				want := 0
				if got.State == Approved && !got.Voided() {
					want = 1
				}
				if !got.State.Over() || r.till.taken(pay.ID) != want || got.Refunded() > got.Taken() || got.State == Approved && !r.till.agrees(got) {
					t.Errorf("%s: it is %s %s, and money was taken %d times; %+v; the till has %+v", pay.ID, got.State, got.Reason, r.till.taken(pay.ID), got.Acts, r.till.books[pay.ID])
				}
			}
			r.stop()
			for _, stop := range stops {
				stop()
			}
		})
		if t.Failed() {
			rt.FailNow()
		}
	})
}
