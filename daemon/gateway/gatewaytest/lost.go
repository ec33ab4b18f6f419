package gatewaytest

import (
	"context"
	"slices"
	"testing"

	"github.com/flattone/flattone/daemon/gateway"
)

// broken has a fault befall the next request, and is a context for it: where there is no answer to wait for, it ends as soon as the request is there.
func (r *rig) broken(f Fault) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(r.t.Context())
	met := r.Provider.Break(f)
	if f == Silent || f == Late {
		go func() {
			select {
			case <-met:
			case <-ctx.Done():
			}
			cancel()
		}()
	}
	return ctx, cancel
}

// lossy are the faults after which a provider has acted, or never will.
func (r *rig) lossy() []Fault {
	return slices.DeleteFunc(slices.Clone(r.Faults), func(f Fault) bool { return f == Late })
}

// late: a request that the provider acts on only after it was asked, or told to void, changes nothing of what it said.
func late(t *testing.T, r *rig) {
	if !slices.Contains(r.Faults, Late) {
		return
	}
	authorise := func() gateway.Order {
		o := r.order(true)
		ctx, cancel := r.broken(Late)
		defer cancel()
		if a, err := r.authorise(ctx, o, r.Approved, r.note); err == nil || untouched(err) {
			t.Errorf("%+v, %v; want an error that leaves it open", a, err)
		}
		return o
	}
	if !r.CannotInquire {
		o := authorise()
		a, err := r.guarded().Inquire(t.Context(), o, r.ref)
		r.Provider.Break("")
		if err == nil {
			r.says("an inquiry before a late request", gateway.NotThere, a, err)
			r.books("a late request after it was not there", o, Books{})
		}
	}
	o := authorise()
	a, err := r.guarded().Void(t.Context(), o, r.ref)
	r.Provider.Break("")
	if err == nil {
		r.says("a void before a late request", gateway.Approved, a, err)
		r.nothing("a late request after a void", o)
	}
}

// answersLost: after each fault, what the connector says of the payment is what the books say.
func answersLost(t *testing.T, r *rig) {
	if len(r.Faults) == 0 {
		t.Fatal("no fault is known: nothing is tried here")
	}
	for _, take := range []bool{true, false} {
		for _, f := range r.lossy() {
			o := r.order(take)
			ctx, cancel := r.broken(f)
			a, err := r.authorise(ctx, o, r.Approved, r.note)
			cancel()
			switch {
			case err == nil:
				r.says(string(f), gateway.Approved, a, err)
				r.books(string(f), o, whole(o))
				continue
			case untouched(err):
				r.books(string(f)+", and it says that nothing was done", o, Books{})
			}
			if charged := r.resolve(o, r.ref); charged && untouched(err) {
				t.Errorf("%s: it said that nothing was done, and it was: %v", f, err)
			}
			a, err = r.guarded().Void(t.Context(), o, r.ref)
			r.says(string(f)+", then a void", gateway.Approved, a, err)
			r.nothing(string(f)+", then a void", o)
		}
	}
}

// verbsLost: a capture, a void or a refund whose answer is lost is asked for again, and done once.
func verbsLost(t *testing.T, r *rig) {
	for _, f := range r.lossy() {
		for name, verb := range map[string]func(context.Context, gateway.Order) (gateway.Answer, error){
			"capture": func(ctx context.Context, o gateway.Order) (gateway.Answer, error) {
				return r.guarded().Capture(ctx, o, r.ref, o.Minor)
			},
			"void": func(ctx context.Context, o gateway.Order) (gateway.Answer, error) {
				return r.guarded().Void(ctx, o, r.ref)
			},
			"refund": func(ctx context.Context, o gateway.Order) (gateway.Answer, error) {
				return r.guarded().Refund(ctx, o, r.ref, o.Key+"-1", 34)
			},
		} {
			o := r.order(name == "refund")
			r.approved(o)
			ctx, cancel := r.broken(f)
			a, err := verb(ctx, o)
			cancel()
			if err != nil { // once more, and nothing in between
				a, err = verb(t.Context(), o)
			}
			r.says(name+", "+string(f), gateway.Approved, a, err)
			want := map[string]Books{"capture": {Charges: 1, Taken: o.Minor}, "void": {Charges: 1}, "refund": {Charges: 1, Taken: o.Minor, Returned: 34}}[name]
			r.books(name+", "+string(f), o, want)
		}
	}
}
