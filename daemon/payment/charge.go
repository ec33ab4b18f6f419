package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// order is what the provider is asked for. It is the same each time.
func (pay Payment) order() gateway.Order {
	o := gateway.Order{Key: pay.ID, Minor: pay.Minor, Currency: pay.Currency, Reference: pay.Reference, Take: pay.Take, Address: pay.Address, Consent: pay.Consent, Deferred: pay.deferred}
	if pay.stored() {
		o.Stored = &gateway.Stored{NetworkID: pay.network}
	}
	return o
}

// charge sends the card, once, and settles what comes of it, or finds out. with has the CVV, if there is one.
func (p *Payments) charge(ctx context.Context, pay Payment, with *secret.Card) {
	connector := p.deps.Gateways[pay.Gateway]
	if connector == nil {
		p.fail(ctx, pay, NotConfigured)
		return
	}
	answer, pay, err := p.send(ctx, connector, pay, with)
	switch {
	case err == nil:
		p.answered(ctx, pay, answer)
	case errors.Is(err, errGone):
	case errors.Is(err, gateway.ErrNotSent):
		p.notSent(ctx, pay, err)
	case errors.Is(err, gateway.ErrRefused):
		p.log(pay, "the provider refused the request, so nothing was charged: look at its settings, and at the account there", err)
		p.fail(ctx, pay, Refused)
	case pay.ref == "":
		p.log(pay, "the vault didn't give the card, so nothing was charged", err)
		p.fail(ctx, pay, NoCard)
	default:
		p.log(pay, "nobody knows what became of a charge; it is asked for", err)
		p.doubt(ctx, pay)
	}
}

// send gives the provider the card, and answers with the payment as it is by then. What is begun is gone through with, also while flattoned stops.
func (p *Payments) send(ctx context.Context, connector gateway.Connector, pay Payment, with *secret.Card) (a gateway.Answer, _ Payment, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.cfg.Patience)
	defer cancel()
	from, order := pay.State, pay.order()
	err = p.deps.Cards.Use(ctx, vault.Use{Token: pay.Token, Caller: Caller, Purpose: pay.purpose(), Connector: pay.Gateway}, func(card *secret.Card) error {
		if with != nil {
			if err := card.CVV.CopyFrom(with.CVV); err != nil {
				return err
			}
			with.CVV.Clear() // one is enough
		}
		a, err = connector.Authorise(ctx, order, card, func(ref string) error {
			pay.ref, pay.State, pay.Reason, pay.Changed = ref, Asked, "", now()
			return p.move(ctx, pay, pay.Changed.Add(p.lease()), from)
		})
		return err
	})
	return a, pay, err
}

// notSent is the end of a payment, or of an attempt at one that may be charged later.
func (p *Payments) notSent(ctx context.Context, pay Payment, why error) {
	p.log(pay, "the provider can't be reached", why)
	if !pay.Later {
		p.fail(ctx, pay, NotReached)
		return
	}
	from := pay.State
	if pay.tries++; pay.tries > mostWaits {
		p.fail(ctx, pay, TooLate)
		return
	}
	pay.State, pay.Reason, pay.ref, pay.deferred, pay.Changed = Waiting, NotReached, "", true, now()
	if err := p.move(ctx, pay, pay.Changed.Add(wait(pay.tries, longestWait)), from); err != nil {
		p.log(pay, "that a payment waits could not be written", err)
	}
}

const (
	longestWait  = 5 * time.Minute // between attempts at a provider who is away
	longestDoubt = time.Minute     // between questions to one who doesn't answer
	mostWaits    = 288             // a day of the longest
	// longestQuestion is how long a provider may take to say what became of a payment: one who can't be sure at once is asked twice, some time apart.
	longestQuestion = 3 * time.Minute
)

// wait is how long until the next try.
func wait(tries int64, most time.Duration) time.Duration {
	return min(time.Second<<min(tries, 10), most)
}

// answered settles what a provider says.
func (p *Payments) answered(ctx context.Context, pay Payment, a gateway.Answer) {
	pay.Answer = a
	if a.Ref != "" {
		pay.ref = a.Ref
	}
	state := Declined
	if a.Outcome == gateway.Approved {
		state = Approved
	}
	p.end(ctx, pay, state, "")
}

func (p *Payments) fail(ctx context.Context, pay Payment, reason string) {
	p.end(ctx, pay, Failed, reason)
}

// end settles a payment that this process sees to. Where that can't be written, the payment stays as it is, and is asked for when it is due.
func (p *Payments) end(ctx context.Context, pay Payment, state State, reason string) {
	err := p.settle(ctx, pay, state, reason, Ready, Held, Waiting, Asked, Unknown)
	if err != nil && !errors.Is(err, errGone) {
		p.log(pay, "what became of a payment could not be written; it is asked for again", err)
	}
}

// move writes a change of state that isn't the end, and has it told.
func (p *Payments) move(ctx context.Context, pay Payment, due time.Time, from ...State) error {
	return p.deps.Store.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		was, err := change(tx, pay, due, from...)
		if err == nil && !was {
			err = errGone
		}
		tx.OnCommit(func() { p.deps.Tell(pay) })
		return err
	})
}

func (p *Payments) log(pay Payment, what string, err error) {
	p.deps.Log.Error(what, "payment", pay.ID, "line", pay.Line, "gateway", pay.Gateway, "error", fmt.Sprint(err))
}
