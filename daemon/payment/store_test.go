package payment

import (
	"errors"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/vault"
)

// TestOnEitherStore goes through every statement of the package in real time, which the tests in bubbles can't on a database behind a network: `make postgres` has it
// on the other engine.
func TestOnEitherStore(t *testing.T) {
	r := newRig(t)
	r.run()
	is := func(what string, holds func() bool) {
		t.Helper()
		for range 600 {
			if holds() {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Fatalf("never: %s", what)
	}
	ended := func(id string, state State) {
		t.Helper()
		is(string(state), func() bool { return r.is(t, id).State == state })
	}
	pay := r.wants(t, func(o *Order) { o.Consent = true })
	token := r.sealed(t, pay, vault.Reusable)
	ended(pay.ID, Approved)

	twice := r.wants(t, nil)
	r.sealed(t, twice, vault.Flight)
	ended(twice.ID, Held)
	if err := r.pays.Confirm(t.Context(), "ann", twice.ID); err != nil {
		t.Fatal(err)
	}
	ended(twice.ID, Approved)

	gone := r.wants(t, nil)
	if err := r.pays.Abandon(t.Context(), gone.Capture); err != nil {
		t.Fatal(err)
	}
	ended(gone.ID, Abandoned)

	r.till.set(func(b *till) { b.next = []fault{isAway} })
	later := r.wants(t, func(o *Order) { o.Later, o.Minor = true, 77 })
	r.sealed(t, later, vault.Reusable)
	ended(later.ID, Approved) // after a second or two

	act, err := r.pays.Act(t.Context(), "crm", "k", pay.ID, Refund, 34)
	if err != nil {
		t.Fatal(err)
	}
	is("the refund", func() bool {
		b, err := r.pays.Books(t.Context(), pay.ID)
		return err == nil && b.Refunded() == 34
	})
	if again, err := r.pays.Act(t.Context(), "crm", "k", pay.ID, Refund, 34); err != nil || again.ID != act.ID {
		t.Errorf("%+v, %v", again, err)
	}
	o := StoredOrder{Token: token, Gateway: "till", Minor: 500, Currency: "EUR", Take: true}
	stored, err := r.pays.ChargeStored(t.Context(), "crm", "k", o)
	if err != nil {
		t.Fatal(err)
	}
	ended(stored.ID, Approved)
	if again, err := r.pays.ChargeStored(t.Context(), "crm", "k", o); err != nil || again.ID != stored.ID {
		t.Errorf("%+v, %v", again, err)
	}
	o.Minor++
	if _, err := r.pays.ChargeStored(t.Context(), "crm", "k", o); !errors.Is(err, ErrKeyReused) {
		t.Error(err)
	}
	all, err := r.pays.List(t.Context(), 3)
	if err != nil || len(all) != 3 || all[0].ID != stored.ID {
		t.Errorf("%d payments are listed, %v", len(all), err)
	}
	if n, err := r.pays.Doubts(t.Context()); err != nil || n != 0 {
		t.Errorf("%d are in doubt, %v", n, err)
	}
	open := r.wants(t, nil)
	if captures, err := r.pays.Wanted(t.Context()); err != nil || len(captures) != 1 || captures[0] != open.Capture {
		t.Errorf("wanted: %v, %v", captures, err)
	}
	if n, err := r.pays.Open(t.Context()); err != nil || len(n) != 1 || len(n["till"]) != 1 || n["till"][Wanted] != 1 {
		t.Errorf("open: %v, %v", n, err)
	}
	r.stop()
}
