package payment

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// approved is a payment that the till has approved: a sale, or an authorisation.
func (r *rig) approved(t *testing.T, take bool) Payment {
	t.Helper()
	pay := r.wants(t, func(o *Order) {
		if o.Take = take; !take {
			o.Minor++ // no duplicate of the other kind
		}
	})
	r.sealed(t, pay, vault.Flight)
	synctest.Wait()
	if pay = r.is(t, pay.ID); pay.State != Approved {
		t.Fatalf("it is %s", pay.State)
	}
	return pay
}

// TestActs: whatever becomes of the requests, the provider does an act once, the payment's books say what his say, and upstream is told once.
func TestActs(t *testing.T) {
	for name, c := range map[string]struct {
		kind    Kind
		take    bool
		minor   int64
		becomes []fault
		state   State
		within  time.Duration
	}{
		"capture of all":            {Capture, false, 0, nil, Done, 0},
		"capture of some":           {Capture, false, 1000, nil, Done, 0},
		"void of an authorisation":  {Void, false, 0, nil, Done, 0},
		"void of a sale":            {Void, true, 0, nil, Done, 0},
		"refund of all":             {Refund, true, 0, nil, Done, 0},
		"refund of some":            {Refund, true, 34, nil, Done, 0},
		"declined":                  {Refund, true, 34, []fault{declines}, Declined, 0},
		"refused":                   {Refund, true, 34, []fault{refuses}, Failed, 0},
		"away, and there again":     {Refund, true, 34, []fault{isAway, isAway}, Done, 10 * time.Second},
		"lost, and lost again":      {Capture, false, 0, []fault{losesAsk, losesAnswer, garbles}, Done, 20 * time.Second},
		"no answer, and then there": {Refund, true, 34, []fault{hangs}, Done, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.run()
				defer r.stop()
				pay := r.approved(t, c.take)
				r.till.set(func(b *till) { b.next = c.becomes })
				act, err := r.pays.Act(t.Context(), "ann", "k1", pay.ID, c.kind, c.minor)
				if err != nil || act.State != Open {
					t.Fatalf("%s, %v", act.State, err)
				}
				time.Sleep(c.within)
				synctest.Wait()
				b, err := r.pays.Books(t.Context(), pay.ID)
				if err != nil || len(b.Acts) != 1 || b.Acts[0].State != c.state {
					t.Fatalf("%+v, %v", b.Acts, err)
				}
				e := r.till.books[pay.ID]
				taken, refunded := e.captured, int64(0)
				for _, minor := range e.refunds {
					refunded += minor
				}
				if c.take && !e.undone {
					taken = pay.Minor
				}
				if b.Taken() != taken || b.Refunded() != refunded || b.Voided() != e.undone {
					t.Errorf("%d are taken, %d given back, undone: %t; the till has %+v", b.Taken(), b.Refunded(), b.Voided(), e)
				}
				r.toldOfAct(t, b, c.state)
				again, err := r.pays.Act(t.Context(), "ann", "k1", pay.ID, c.kind, c.minor)
				if synctest.Wait(); err != nil || again.ID != act.ID || again.State != c.state {
					t.Errorf("the same key has another act: %+v, %v", again, err)
				}
			})
		})
	}
}

// toldOfAct looks that each destination was told of the only act's end once, after the payment's.
func (r *rig) toldOfAct(t *testing.T, b Books, state State) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	want := map[Kind]string{Capture: "payment.captured", Void: "payment.voided", Refund: "payment.refunded"}[b.Acts[0].Kind]
	if state != Done {
		want = "payment.act_" + string(state)
	}
	told := map[string]int{}
	for _, e := range r.sent[2:] {
		var data toldAct
		if err := json.Unmarshal(e.Data, &data); err != nil {
			t.Fatal(err)
		}
		if told[e.To]++; e.Type != want || e.Key != b.Payment.Capture || data.Act != b.Acts[0].ID || data.Taken != b.Taken() || data.Refunded != b.Refunded() {
			t.Errorf("%s was told %s: %s", e.To, e.Type, e.Data)
		}
	}
	if told["crm"] != 1 || told["erp"] != 1 {
		t.Errorf("told: %v", told)
	}
	if last := r.acts[len(r.acts)-1]; last.State != state {
		t.Errorf("told last that it is %s", last.State)
	}
}

// TestWhatMayBeDone is the rules, in every order that matters.
func TestWhatMayBeDone(t *testing.T) {
	act := func(kind Kind, state State, minor int64) Act { return Act{Kind: kind, State: state, Minor: minor} }
	for _, c := range []struct {
		take  bool
		state State
		acts  []Act
		kind  Kind
		ask   int64
		minor int64 // -1: it may not
	}{
		{false, Approved, nil, Capture, 0, 100},
		{false, Approved, nil, Capture, 40, 40},
		{false, Approved, nil, Capture, 101, -1},
		{false, Approved, nil, Capture, -1, -1},
		{true, Approved, nil, Capture, 0, -1},
		{false, Declined, nil, Capture, 0, -1},
		{false, Unknown, nil, Void, 0, -1},
		{false, Approved, []Act{act(Capture, Open, 40)}, Capture, 1, -1},
		{false, Approved, []Act{act(Capture, Done, 40)}, Capture, 1, -1},
		{false, Approved, []Act{act(Capture, Declined, 40)}, Capture, 0, 100},
		{false, Approved, []Act{act(Capture, Done, 40)}, Void, 0, -1},
		{false, Approved, []Act{act(Capture, Done, 40)}, Refund, 0, 40},
		{false, Approved, []Act{act(Capture, Done, 40)}, Refund, 41, -1},
		{false, Approved, []Act{act(Capture, Open, 40)}, Refund, 0, -1},
		{false, Approved, nil, Refund, 0, -1},
		{true, Approved, nil, Void, 0, 0},
		{true, Approved, nil, Void, 5, -1},
		{true, Approved, []Act{act(Void, Open, 0)}, Void, 0, -1},
		{true, Approved, []Act{act(Void, Done, 0)}, Refund, 0, -1},
		{true, Approved, []Act{act(Void, Failed, 0)}, Refund, 0, 100},
		{true, Approved, []Act{act(Refund, Open, 60)}, Refund, 0, 40},
		{true, Approved, []Act{act(Refund, Open, 60)}, Refund, 41, -1},
		{true, Approved, []Act{act(Refund, Done, 60), act(Refund, Done, 40)}, Refund, 0, -1},
		{true, Approved, []Act{act(Refund, Done, 1)}, Void, 0, -1},
		{true, Approved, nil, "seize", 0, -1},
	} {
		b := Books{Payment{Order: Order{Minor: 100, Currency: "EUR", Take: c.take}, State: c.state}, c.acts}
		minor, err := b.may(c.kind, c.ask)
		if err != nil {
			minor = -1
		}
		if minor != c.minor || err != nil && !errors.Is(err, ErrCannot) {
			t.Errorf("%s of %d where it is %s, taken: %t, after %v: %d, want %d; %v", c.kind, c.ask, c.state, c.take, c.acts, minor, c.minor, err)
		}
	}
}

// TestActsGoOnAfterARestart, with what the provider was asked before it.
func TestActsGoOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.run()
		pay := r.approved(t, true)
		r.till.set(func(b *till) { b.next = []fault{losesAnswer, isAway} })
		act, err := r.pays.Act(t.Context(), "ann", "", pay.ID, Refund, 34)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.stop()
		r.build(t)
		r.run()
		time.Sleep(time.Minute)
		synctest.Wait()
		b, err := r.pays.Books(t.Context(), pay.ID)
		if err != nil || b.Acts[0].State != Done || b.Refunded() != 34 {
			t.Errorf("%+v, %v", b.Acts, err)
		}
		if got := r.till.books[pay.ID].refunds; len(got) != 1 || got[act.ID] != 34 {
			t.Errorf("the till gave back %v", got)
		}
		r.stop()
	})
}

func TestKeysOfActs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.run()
		defer r.stop()
		pay, other := r.approved(t, true), r.approved(t, false)
		first, err := r.pays.Act(t.Context(), "crm", "k", pay.ID, Refund, 34)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for name, ask := range map[string]func() (Act, error){
			"another payment": func() (Act, error) { return r.pays.Act(t.Context(), "crm", "k", other.ID, Refund, 34) },
			"another amount":  func() (Act, error) { return r.pays.Act(t.Context(), "crm", "k", pay.ID, Refund, 35) },
			"another kind":    func() (Act, error) { return r.pays.Act(t.Context(), "crm", "k", pay.ID, Void, 0) },
		} {
			if _, err := ask(); !errors.Is(err, ErrKeyReused) {
				t.Errorf("%s: %v", name, err)
			}
		}
		// Another asker's keys are his own.
		second, err := r.pays.Act(t.Context(), "erp", "k", pay.ID, Refund, 34)
		if err != nil || second.ID == first.ID {
			t.Errorf("%v, %v", second, err)
		}
		if _, err := r.pays.Act(t.Context(), "crm", "", thePAN, Refund, 34); !errors.Is(err, ErrUnknown) {
			t.Error(err)
		}
		synctest.Wait()
	})
}

// TestStoredCards: a card is charged without its holder where he has agreed to it, by the network's id of that, once for a key; and no other.
func TestStoredCards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.run()
		defer r.stop()
		agreed := map[bool]string{}
		for _, consent := range []bool{true, false} {
			pay := r.wants(t, func(o *Order) {
				if o.Consent = consent; !consent {
					o.Minor++ // no duplicate
				}
			})
			agreed[consent] = r.sealed(t, pay, vault.Reusable)
			synctest.Wait()
			if asked := r.till.orders[len(r.till.orders)-1]; asked.Consent != consent {
				t.Errorf("the till is told of a consent: %t", asked.Consent)
			}
		}
		o := StoredOrder{Token: agreed[true], Gateway: "till", Minor: 500, Currency: "EUR", Reference: "month-2", Take: true}
		pay, err := r.pays.ChargeStored(t.Context(), "crm", "k", o)
		if err != nil {
			t.Fatal(err)
		}
		again, err := r.pays.ChargeStored(t.Context(), "crm", "k", o)
		if err != nil || again.ID != pay.ID {
			t.Errorf("%s again, and %s; %v", pay.ID, again.ID, err)
		}
		synctest.Wait()
		if got := r.is(t, pay.ID); got.State != Approved {
			t.Errorf("it is %s %s", got.State, got.Reason)
		}
		e := r.till.books[pay.ID]
		if e == nil || e.charged != 1 || e.stored == nil || e.stored.NetworkID != "net-7" || r.till.cvvs[len(r.till.cvvs)-1] != 0 {
			t.Errorf("the till has %+v, security codes %v", e, r.till.cvvs)
		}
		r.mu.Lock()
		if last := r.sent[len(r.sent)-1]; last.Key != pay.ID || last.Type != "payment.approved" {
			t.Errorf("told: %+v", last)
		}
		r.mu.Unlock()
		if _, err := r.vault.Find(t.Context(), o.Token); err != nil {
			t.Errorf("the card is gone: %v", err)
		}
		for name, c := range map[string]struct {
			key    string
			change func(*StoredOrder)
			want   error
		}{
			"the key for another amount": {"k", func(o *StoredOrder) { o.Minor++ }, ErrKeyReused},
			"no consent":                 {"k2", func(o *StoredOrder) { o.Token = agreed[false] }, ErrNoConsent},
			"no such card":               {"k3", func(o *StoredOrder) { o.Token = "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa" }, ErrNoConsent},
			"no key":                     {"", func(*StoredOrder) {}, ErrBadOrder},
			"no amount":                  {"k4", func(o *StoredOrder) { o.Minor = 0 }, ErrBadOrder},
		} {
			bad := o
			c.change(&bad)
			if _, err := r.pays.ChargeStored(t.Context(), "crm", c.key, bad); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		// The vault keeps to it by itself.
		err = r.vault.Use(t.Context(), vault.Use{Token: agreed[false], Caller: Caller, Purpose: Stored, Connector: "till"}, nil)
		if !errors.Is(err, vault.ErrNoConsent) {
			t.Errorf("the vault gives a card that nobody agreed to: %v", err)
		}
		if err := r.vault.Shred(t.Context(), "ann", agreed[true]); err != nil {
			t.Fatal(err)
		}
		if _, err := r.pays.ChargeStored(t.Context(), "crm", "k5", o); !errors.Is(err, ErrNoConsent) {
			t.Errorf("a shredded card: %v", err)
		}
	})
}

// TestStoredChargesGoOn where they were wanted and not sent when flattoned died: there is no CVV that could be lost.
func TestStoredChargesGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.run()
		first := r.wants(t, func(o *Order) { o.Consent = true })
		token := r.sealed(t, first, vault.Reusable)
		synctest.Wait()
		r.stop()
		pay := Payment{ID: id.New(payments, now()), State: Ready, Token: token, By: "crm", key: "k", Created: now(), Changed: now(),
			Order: Order{Gateway: "till", Minor: 500, Currency: "EUR", Take: true}}
		if err := r.db.Write(t.Context(), func(tx *store.Tx) error { return insert(tx, "test", pay, now().Add(time.Minute)) }); err != nil {
			t.Fatal(err)
		}
		r.build(t)
		r.run()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := r.is(t, pay.ID); got.State != Approved || r.till.taken(pay.ID) != 1 {
			t.Errorf("it is %s, charged %d times", got.State, r.till.taken(pay.ID))
		}
		r.stop()
	})
}

// TestActsOf are listed in the order in which they were wanted.
func TestActsOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.run()
		defer r.stop()
		pay := r.approved(t, true)
		for i := range 3 {
			if _, err := r.pays.Act(t.Context(), "ann", fmt.Sprint(i), pay.ID, Refund, int64(i+1)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		b, err := r.pays.Books(t.Context(), pay.ID)
		if err != nil || !slices.IsSortedFunc(b.Acts, func(x, y Act) int { return int(x.Minor - y.Minor) }) || len(b.Acts) != 3 {
			t.Errorf("%+v, %v", b.Acts, err)
		}
	})
}
