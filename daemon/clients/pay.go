package clients

import (
	"context"
	"errors"
	"strings"

	"github.com/flattone/flattone/daemon/payment"
)

// ofPayment answers what is about a payment, or makes one. It is done once for the same client and id, which is the payments' own promise.
func (c *Clients) ofPayment(ctx context.Context, r *asked) (Answer, error) {
	a, err := c.pay(ctx, r)
	for _, e := range []struct {
		is   error
		code Code
	}{
		{payment.ErrUnknown, UnknownPayment}, {payment.ErrNoConsent, NoConsent}, {payment.ErrBadOrder, Impossible}, {payment.ErrCannot, Impossible}, {payment.ErrKeyReused, IDReused},
	} {
		if errors.Is(err, e.is) {
			return refusal(e.code, strings.TrimPrefix(err.Error(), "payment: ")), nil
		}
	}
	return a, err
}

func (c *Clients) pay(ctx context.Context, r *asked) (Answer, error) {
	by := actor(r.who.Name)
	if r.Verb == Charge {
		p, err := c.deps.Payments.ChargeStored(ctx, by, r.id, payment.StoredOrder{Token: r.object, Gateway: r.who.Gateway, Minor: r.Minor, Currency: r.Currency, Reference: r.Reference, Take: !r.Authorise})
		return Answer{Payment: paymentOf(payment.Books{Payment: p})}, err
	}
	b, err := c.deps.Payments.Books(ctx, r.object)
	switch {
	case err != nil:
		return Answer{}, err
	case b.Gateway != r.who.Gateway: // another's is as one that never was
		return Answer{}, payment.ErrUnknown
	case r.Verb == Books:
		return Answer{Payment: paymentOf(b)}, nil
	case r.Minor == 0 && r.Verb != Void && b.Minor > r.who.MostMinor:
		return refusal(Impossible, "all of it may be more than most_minor of this client: say how much"), nil
	}
	act, err := c.deps.Payments.Act(ctx, by, r.id, r.object, kinds[r.Verb], r.Minor)
	return Answer{Act: &Act{ID: act.ID, Payment: act.Payment, Kind: act.Kind, Minor: act.Minor, State: act.State}}, err
}

// kinds are what verbs are to the payments.
var kinds = map[Verb]payment.Kind{Capture: payment.Capture, Void: payment.Void, Refund: payment.Refund}

// paymentOf is what a client is told of one.
func paymentOf(b payment.Books) *Payment {
	return &Payment{ID: b.ID, State: b.State, Minor: b.Minor, Currency: b.Currency, Reference: b.Reference, Taken: b.Taken(), Refunded: b.Refunded(), Voided: b.Voided(),
		Reason: b.Reason, Class: b.Answer.Class, Auth: b.Answer.Auth, Changed: b.Changed}
}
