package gatewaytest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/gateway"
)

// rig asks a connector, and looks at all that it says.
type rig struct {
	Rig
	t     testing.TB
	ref   string // what was noted last
	notes int
	count int
}

// order is one that nobody had before.
func (r *rig) order(take bool) gateway.Order {
	r.count++
	return gateway.Order{Key: fmt.Sprintf("pay_%026d", r.count), Minor: 1234, Currency: "EUR", Reference: "invoice-7", Take: take, Address: gateway.Address{Line: "1 Main St", Postcode: "12345"}}
}

// note keeps a reference.
func (r *rig) note(ref string) error {
	r.ref, r.notes = ref, r.notes+1
	return nil
}

func (r *rig) guarded() gateway.Connector { return gateway.Guard(r.Connector) }

// authorise asks for an order with a card, which must be as it was after it, and in nothing that is said.
func (r *rig) authorise(ctx context.Context, o gateway.Order, number string, note func(string) error) (gateway.Answer, error) {
	r.t.Helper()
	card := Card(r.t, number)
	a, err := r.guarded().Authorise(ctx, o, card, note)
	if card.PAN.Len() != len(number) || card.CVV.Len() != 3 || card.Expiry.Len() != 4 {
		r.t.Error("the card isn't as it was")
	}
	for _, said := range []string{fmt.Sprintf("%+v", a), fmt.Sprintf("%v %+v", err, err)} {
		for from := range len(number) - 7 {
			if strings.Contains(said, number[from:from+8]) {
				r.t.Error("digits of the card are in what is said")
				break
			}
		}
	}
	if err != nil && a != (gateway.Answer{}) {
		r.t.Errorf("an answer beside an error: %+v", a)
	}
	return a, err
}

// approved asks for an order, which must be approved.
func (r *rig) approved(o gateway.Order) gateway.Answer {
	r.t.Helper()
	a, err := r.authorise(r.t.Context(), o, r.Approved, r.note)
	if err != nil || a.Outcome != gateway.Approved {
		r.t.Fatalf("%+v, %v; want it approved", a, err)
	}
	return a
}

// says checks a verb's outcome.
func (r *rig) says(what string, want gateway.Outcome, a gateway.Answer, err error) {
	r.t.Helper()
	if err != nil || a.Outcome != want {
		r.t.Errorf("%s: %+v, %v; want %s", what, a, err, want)
	}
}

// books compares what the provider keeps with what should be so.
func (r *rig) books(what string, o gateway.Order, want Books) {
	r.t.Helper()
	if got := r.Provider.Books(o); got != want {
		r.t.Errorf("%s: the provider's books say %+v, want %+v", what, got, want)
	}
}

// whole is what the books say of an approved order.
func whole(o gateway.Order) Books {
	if o.Take {
		return Books{Charges: 1, Taken: o.Minor}
	}
	return Books{Charges: 1, Held: o.Minor}
}

// untouched reports whether an error says that the provider has not acted.
func untouched(err error) bool {
	return errors.Is(err, gateway.ErrNotSent) || errors.Is(err, gateway.ErrRefused)
}

// resolve finds out what became of an order that nobody knows of, and holds it against the books. It returns whether it is charged.
func (r *rig) resolve(o gateway.Order, ref string) bool {
	r.t.Helper()
	if r.CannotInquire {
		if _, err := r.guarded().Inquire(r.t.Context(), o, ref); !errors.Is(err, gateway.ErrCannotInquire) {
			r.t.Errorf("an inquiry: %v, want %v", err, gateway.ErrCannotInquire)
		}
		a, err := r.guarded().Void(r.t.Context(), o, ref)
		r.says("void instead of an inquiry", gateway.Approved, a, err)
		r.nothing("after the void", o)
		return false
	}
	a, err := r.guarded().Inquire(r.t.Context(), o, ref)
	switch {
	case err != nil:
		r.t.Errorf("an inquiry: %v", err)
	case a.Outcome == gateway.Approved:
		r.books("an inquiry says approved", o, whole(o))
		return true
	default:
		r.books("an inquiry says "+string(a.Outcome), o, Books{})
	}
	return false
}

// nothing checks that nothing is held of an order, and that what was taken was given back.
func (r *rig) nothing(what string, o gateway.Order) {
	r.t.Helper()
	if b := r.Provider.Books(o); b.Held != 0 || b.Taken != b.Returned || b.Charges > 1 {
		r.t.Errorf("%s: the provider's books say %+v", what, b)
	}
}
