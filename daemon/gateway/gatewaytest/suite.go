package gatewaytest

import (
	"context"
	"errors"
	"testing"

	"github.com/flattone/flattone/daemon/gateway"
)

// reach: whether there is a way to the provider is said before a card is sent, and asking moves nothing.
func reach(t *testing.T, r *rig) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.guarded().Reach(t.Context()); err != nil {
		t.Errorf("the provider is there: %v", err)
	}
	if err := r.guarded().Reach(over); err == nil {
		t.Error("it was said after the context's end that the provider is there")
	}
	if err := gateway.Guard(r.Stranger()).Reach(t.Context()); err == nil {
		t.Error("a provider for whom nobody vouches counts as there")
	}
	r.books("after it was looked whether he is there", r.order(true), Books{})
	r.Leave()
	if err := r.guarded().Reach(t.Context()); err == nil {
		t.Error("a provider who is away counts as there")
	}
}

func sale(t *testing.T, r *rig) {
	o := r.order(true)
	r.books("before", o, Books{})
	r.approved(o)
	r.books("after a sale", o, whole(o))
	if r.notes != 1 {
		t.Errorf("%d references were noted, want one", r.notes)
	}
	if !r.CannotInquire {
		a, err := r.guarded().Inquire(t.Context(), o, r.ref)
		r.says("an inquiry after a sale", gateway.Approved, a, err)
	}
}

func authoriseAndCapture(t *testing.T, r *rig) {
	for _, minor := range []int64{1234, 1000} {
		o := r.order(false)
		if minor < o.Minor && !r.Partial {
			continue
		}
		r.approved(o)
		r.books("after an authorisation", o, whole(o))
		for range 2 { // asked again, it is the same
			a, err := r.guarded().Capture(t.Context(), o, r.ref, minor)
			r.says("a capture", gateway.Approved, a, err)
			r.books("after a capture", o, Books{Charges: 1, Taken: minor})
		}
	}
}

func declines(t *testing.T, r *rig) {
	if len(r.Declined) == 0 {
		t.Fatal("no card is declined: nothing is tried here")
	}
	for class, number := range r.Declined {
		o := r.order(true)
		a, err := r.authorise(t.Context(), o, number, r.note)
		if err != nil || a.Outcome != gateway.Declined || a.Class != class {
			t.Errorf("%s: %+v, %v", class, a, err)
		}
		r.books("a card that is declined: "+string(class), o, Books{})
	}
}

// again: who asks again gets the same answer, and pays once.
func again(_ *testing.T, r *rig) {
	o := r.order(true)
	r.approved(o)
	r.approved(o)
	r.books("the same sale again", o, whole(o))
}

func voids(t *testing.T, r *rig) {
	for _, take := range []bool{false, true} {
		o := r.order(take)
		r.approved(o)
		for range 2 {
			a, err := r.guarded().Void(t.Context(), o, r.ref)
			r.says("a void", gateway.Approved, a, err)
			r.nothing("after a void", o)
		}
	}
}

// refunds: one key gives back once.
func refunds(t *testing.T, r *rig) {
	o := r.order(true)
	r.approved(o)
	for _, refund := range []struct {
		key   string
		minor int64
		sum   int64
	}{{"ref_1", 200, 200}, {"ref_1", 200, 200}, {"ref_2", 34, 234}} {
		a, err := r.guarded().Refund(t.Context(), o, r.ref, refund.key, refund.minor)
		r.says("a refund", gateway.Approved, a, err)
		r.books("after the refund "+refund.key, o, Books{Charges: 1, Taken: o.Minor, Returned: refund.sum})
	}
}

// notNoted: a reference that can't be kept keeps the card from leaving.
func notNoted(t *testing.T, r *rig) {
	o := r.order(true)
	full := errors.New("the disk is full")
	if _, err := r.authorise(t.Context(), o, r.Approved, func(string) error { return full }); !errors.Is(err, gateway.ErrNotSent) || !errors.Is(err, full) {
		t.Errorf("%v; want %v, because %v", err, gateway.ErrNotSent, full)
	}
	r.books("a reference that wasn't kept", o, Books{})
	r.approved(o)
	r.books("then once more", o, whole(o))
}

// crashAfterTheNote: what was noted and never sent is not there, and won't be.
func crashAfterTheNote(t *testing.T, r *rig) {
	o := r.order(true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a, err := r.authorise(ctx, o, r.Approved, func(ref string) error { cancel(); return r.note(ref) })
	if err == nil {
		t.Fatalf("%+v after its context's end", a)
	}
	r.books("a crash after the note", o, Books{})
	if r.resolve(o, r.ref) {
		t.Error("a payment that was never sent is charged")
	}
}

// endsWithItsContext: a verb returns by then, and doesn't say that nothing was done.
func endsWithItsContext(t *testing.T, r *rig) {
	o := r.order(true)
	ctx, cancel := r.broken(Silent)
	defer cancel()
	if _, err := r.authorise(ctx, o, r.Approved, r.note); !errors.Is(err, context.Canceled) || untouched(err) {
		t.Errorf("%v; want %v, and nothing of what was done", err, context.Canceled)
	}
	r.resolve(o, r.ref)
}
