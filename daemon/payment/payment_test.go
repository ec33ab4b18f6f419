package payment

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// TestPayments: whatever becomes of the request, the payment ends, in minutes, and says what the till's books say.
func TestPayments(t *testing.T) {
	for name, c := range map[string]struct {
		becomes []fault
		blind   bool // the provider can't be asked
		state   State
		reason  string
		within  time.Duration
	}{
		"approved":                   {[]fault{approves}, false, Approved, "", 0},
		"declined":                   {[]fault{declines}, false, Declined, "", 0},
		"away":                       {[]fault{isAway}, false, Failed, NotReached, 0},
		"refused":                    {[]fault{refuses}, false, Failed, Refused, 0},
		"the request is lost":        {[]fault{losesAsk}, false, Failed, NotThere, 0},
		"the answer is lost":         {[]fault{losesAnswer}, false, Approved, "", 0},
		"the answer is garbled":      {[]fault{garbles}, false, Approved, "", 0},
		"no answer":                  {[]fault{hangs}, false, Approved, "", 31 * time.Second},
		"lost, where nobody can ask": {[]fault{losesAsk}, true, Failed, Undone, 0},
		"the answer is lost, where nobody can ask": {[]fault{losesAnswer}, true, Failed, Undone, 0},
		"no answer, where nobody can ask":          {[]fault{hangs}, true, Failed, Undone, 31 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.till.next, r.till.cannotInquire = c.becomes, c.blind
				r.run()
				pay := r.wants(t, nil)
				token := r.sealed(t, pay, vault.Flight)
				time.Sleep(c.within)
				synctest.Wait()
				got := r.is(t, pay.ID)
				if got.State != c.state || got.Reason != c.reason {
					t.Errorf("it is %s %s, want %s %s", got.State, got.Reason, c.state, c.reason)
				}
				if want := map[bool]int{true: 1}[c.state == Approved]; r.till.taken(pay.ID) != want {
					t.Errorf("the till took money %d times, want %d", r.till.taken(pay.ID), want)
				}
				if _, err := r.vault.Find(t.Context(), token); err != nil {
					t.Error(err)
				}
				if err := r.vault.Use(t.Context(), vault.Use{Token: token, Caller: Caller, Purpose: Purpose, Connector: "till"}, nil); !errors.Is(err, vault.ErrShredded) {
					t.Errorf("the card is still there, which was kept for the payment alone: %v", err)
				}
				r.toldOnce(t, pay, token, c.state)
				r.stop()
			})
		})
	}
}

// toldOnce looks that each destination was told of the end once, by its own name for the card, and the feed last.
func (r *rig) toldOnce(t *testing.T, pay Payment, token string, state State) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if last := r.told[len(r.told)-1]; last.State != state || last.ID != pay.ID {
		t.Errorf("told last: %s", last.State)
	}
	tokens := map[string]string{}
	for _, e := range r.sent {
		var data told
		if err := json.Unmarshal(e.Data, &data); err != nil {
			t.Fatal(err)
		}
		if e.Type != "payment."+string(state) || e.Key != pay.Capture || data.Payment != pay.ID || data.Minor != 1234 || tokens[e.To] != "" {
			t.Errorf("%s was told %s: %s", e.To, e.Type, e.Data)
		}
		tokens[e.To] = data.Token
	}
	if tokens["crm"] != token || tokens["erp"] == token || !vault.IsToken(tokens["erp"]) {
		t.Errorf("told by the names %v, the card's own is %s", tokens, token)
	}
}

// TestTheCardIsSentWithItsCVV, and the box keeps neither it nor the holder's address.
func TestTheCardIsSentWithItsCVV(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.run()
		pay := r.wants(t, nil)
		r.sealed(t, pay, vault.Flight)
		synctest.Wait()
		if !slices.Equal(r.till.cvvs, []int{len(theCVV)}) {
			t.Errorf("security codes of the lengths %v came to the till", r.till.cvvs)
		}
		err := r.db.Read(t.Context(), func(tx *store.Tx) error {
			var address, postcode string
			err := tx.One([]any{&address, &postcode}, "SELECT address, postcode FROM payment")
			if address+postcode != "" {
				t.Errorf("the holder's address is kept: %q %q", address, postcode)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		r.stop()
	})
}

func TestBadOrders(t *testing.T) {
	r := newRig(t)
	for name, bad := range map[string]func(*Order){
		"no amount":              func(o *Order) { o.Minor = 0 },
		"less than nothing":      func(o *Order) { o.Minor = -1 },
		"thirteen digits":        func(o *Order) { o.Minor = 1_000_000_000_000 },
		"no currency":            func(o *Order) { o.Currency = "" },
		"a currency in words":    func(o *Order) { o.Currency = "eur" },
		"no such gateway":        func(o *Order) { o.Gateway = "tills" },
		"no capture":             func(o *Order) { o.Capture = thePAN },
		"a card as a reference":  func(o *Order) { o.Reference = thePAN },
		"a card with hyphens":    func(o *Order) { o.Reference = "4242-4242-4242-4242" },
		"a reference of 65":      func(o *Order) { o.Reference = strings.Repeat("x", 65) },
		"a reference with a gap": func(o *Order) { o.Reference = "two words" },
	} {
		o := r.order(vault.NewCaptureID(time.Now()))
		bad(&o)
		_, err := r.pays.Want(t.Context(), "ann", o)
		if !errors.Is(err, ErrBadOrder) || strings.Contains(err.Error(), thePAN) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNoCardComes: the capture ends without one, or nobody ever says so.
func TestNoCardComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.run()
		one, other := r.wants(t, nil), r.wants(t, nil)
		if err := r.pays.Abandon(t.Context(), one.Capture); err != nil {
			t.Fatal(err)
		}
		if got := r.is(t, one.ID).State; got != Abandoned {
			t.Errorf("it is %s", got)
		}
		time.Sleep(longestCall + time.Minute)
		synctest.Wait()
		if got := r.is(t, other.ID).State; got != Abandoned {
			t.Errorf("two hours later the other is %s", got)
		}
		if len(r.sent) != 0 {
			t.Errorf("upstream was told of it: %v", r.sent)
		}
		if err := r.pays.Abandon(t.Context(), vault.NewCaptureID(time.Now())); err != nil {
			t.Errorf("a capture without a payment: %v", err)
		}
		r.stop()
	})
}

// TestKilledOnceTheCardWasStored: before the payment knew of it. It ends, and the card with it, and upstream is told that nothing was taken.
func TestKilledOnceTheCardWasStored(t *testing.T) {
	for name, ends := range map[string]func(*rig, Payment) error{
		"nobody has the capture any more": func(r *rig, pay Payment) error { return r.pays.Abandon(context.Background(), pay.Capture) },
		"nobody says so":                  func(*rig, Payment) error { time.Sleep(longestCall + time.Minute); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.run()
				pay := r.wants(t, nil)
				token := r.seal(t, pay.Capture, vault.Flight)
				if err := ends(r, pay); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if got := r.is(t, pay.ID); got.State != Failed || got.Reason != Interrupted || len(r.till.cvvs) != 0 {
					t.Errorf("it is %s %s, and the till was asked %d times", got.State, got.Reason, len(r.till.cvvs))
				}
				if err := r.vault.Use(t.Context(), vault.Use{Token: token, Caller: Caller, Purpose: Purpose, Connector: "till"}, nil); !errors.Is(err, vault.ErrShredded) {
					t.Errorf("the card is still there: %v", err)
				}
				r.toldOnce(t, pay, token, Failed)
				r.stop()
			})
		})
	}
}

// TestACardThatComesTooLate: the payment was given up, so the card goes, and nobody is charged.
func TestACardThatComesTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.run()
		pay := r.wants(t, nil)
		if all, err := r.pays.Wanted(t.Context()); err != nil || !slices.Equal(all, []string{pay.Capture}) {
			t.Errorf("wanted are %v, %v", all, err)
		}
		if err := r.pays.Abandon(t.Context(), pay.Capture); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the line sends it again
			token := r.sealed(t, pay, vault.Flight)
			synctest.Wait()
			if err := r.vault.Use(t.Context(), vault.Use{Token: token, Caller: Caller, Purpose: Purpose, Connector: "till"}, nil); !errors.Is(err, vault.ErrShredded) {
				t.Errorf("the card is still there: %v", err)
			}
		}
		if got := r.is(t, pay.ID).State; got != Abandoned || len(r.till.cvvs) != 0 {
			t.Errorf("it is %s, and the till was asked %d times", got, len(r.till.cvvs))
		}
		if all, err := r.pays.Wanted(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("wanted are %v, %v", all, err)
		}
		r.stop()
	})
}

// TestChargedLater: a kept card is charged, once and without its CVV, when the provider is there again.
func TestChargedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.till.away = true
		r.run()
		pay := r.wants(t, func(o *Order) { o.Later = true })
		r.sealed(t, pay, vault.Reusable)
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if got := r.is(t, pay.ID); got.State != Waiting || got.Reason != NotReached {
			t.Fatalf("it is %s %s", got.State, got.Reason)
		}
		tries := len(r.till.cvvs)
		if tries > 3*60/5+12 {
			t.Errorf("the provider was tried %d times in three hours", tries)
		}
		r.till.set(func(b *till) { b.away = false })
		time.Sleep(longestWait)
		synctest.Wait()
		if got := r.is(t, pay.ID); got.State != Approved || r.till.taken(pay.ID) != 1 {
			t.Errorf("it is %s %s, and money was taken %d times", got.State, got.Reason, r.till.taken(pay.ID))
		}
		if r.till.cvvs[0] != len(theCVV) || r.till.cvvs[tries] != 0 {
			t.Errorf("security codes of the lengths %v: want one at the first try alone", r.till.cvvs)
		}
		if !r.till.orders[tries].Deferred || r.till.orders[0].Deferred {
			t.Error("the provider isn't told that the card was keyed before")
		}
		var data told
		r.mu.Lock()
		last := r.sent[len(r.sent)-1].Data
		r.mu.Unlock()
		if err := json.Unmarshal(last, &data); err != nil || !data.Deferred {
			t.Errorf("upstream isn't: %s, %v", last, err)
		}
		r.stop()
	})
}

// TestLaterHasAnEnd: a provider that is away for more than a day is given up.
func TestLaterHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.till.away = true
		r.run()
		pay := r.wants(t, func(o *Order) { o.Later = true })
		r.sealed(t, pay, vault.Reusable)
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		if got := r.is(t, pay.ID); got.State != Failed || got.Reason != TooLate && got.Reason != NoCard {
			t.Errorf("it is %s %s", got.State, got.Reason)
		}
		r.stop()
	})
}

// TestSentAgain: a line that missed the answer sends its card once more, and it is charged once.
func TestSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.run()
		pay := r.wants(t, nil)
		r.till.next = []fault{hangs}
		for range 5 {
			r.sealed(t, pay, vault.Flight)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := r.is(t, pay.ID).State; got != Approved || r.till.taken(pay.ID) != 1 || len(r.till.cvvs) != 1 {
			t.Errorf("it is %s, money was taken %d times, and the card sent %d times", got, r.till.taken(pay.ID), len(r.till.cvvs))
		}
		r.stop()
	})
}

// TestDoubtOutlastsTheProvider: he is asked until he answers, and less and less often.
func TestDoubtOutlastsTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.run()
		pay := r.wants(t, nil)
		r.till.next = []fault{hangs}
		r.sealed(t, pay, vault.Flight)
		time.Sleep(10 * time.Second)
		r.till.set(func(b *till) { b.away = true })
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := r.is(t, pay.ID); got.State != Unknown || r.till.asks < 50 || r.till.asks > 100 {
			t.Errorf("it is %s, and was asked for %d times in an hour", got.State, r.till.asks)
		}
		r.till.set(func(b *till) { b.away = false })
		time.Sleep(longestDoubt)
		synctest.Wait()
		if got := r.is(t, pay.ID); got.State != Approved || r.till.taken(pay.ID) != 1 {
			t.Errorf("it is %s", got.State)
		}
		r.stop()
	})
}

// TestAnotherBoxSeesToIt: a box that is gone has left a payment in doubt in the store that both share.
func TestAnotherBoxSeesToIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		pay := r.asked(t, r.wants(t, nil))
		r.build(t)
		r.pays.cfg.Box = "another"
		r.run()
		time.Sleep(2*goneAfter + look + r.pays.lease())
		synctest.Wait()
		if got := r.is(t, pay.ID); got.State != Failed || got.Reason != NotThere {
			t.Errorf("it is %s %s", got.State, got.Reason)
		}
		r.stop()
	})
}

// asked leaves a payment as kill -9 does between its reference and the card.
func (r *rig) asked(t *testing.T, pay Payment) Payment {
	t.Helper()
	token := r.seal(t, pay.Capture, vault.Flight)
	pay, err := r.pays.ready(context.Background(), pay, token)
	if err != nil {
		t.Fatal(err)
	}
	pay.ref, pay.State = "ref-"+pay.ID, Asked
	if err := r.pays.move(context.Background(), pay, now().Add(r.pays.lease()), Ready); err != nil {
		t.Fatal(err)
	}
	return pay
}
