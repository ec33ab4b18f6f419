package payment

import (
	"context"
	"errors"

	"github.com/flattone/flattone/daemon/gateway"
)

// doubt says that nobody knows, and tries to find out.
func (p *Payments) doubt(ctx context.Context, pay Payment) {
	if from := pay.State; from != Unknown {
		pay.State, pay.tries, pay.Changed = Unknown, 0, now()
		if err := p.move(ctx, pay, pay.Changed.Add(p.lease()), from); err != nil {
			p.log(pay, "that nobody knows what became of a charge could not be written", err)
			return
		}
	}
	p.find(ctx, pay)
}

// find asks the provider what became of a payment, or has it undone where he can't be asked.
func (p *Payments) find(ctx context.Context, pay Payment) {
	connector := p.deps.Gateways[pay.Gateway]
	if connector == nil {
		p.again(ctx, pay, NotConfigured)
		return
	}
	asking, cancel := context.WithTimeout(ctx, longestQuestion)
	defer cancel()
	a, err := connector.Inquire(asking, pay.order(), pay.ref)
	switch {
	case errors.Is(err, gateway.ErrCannotInquire):
		if a, err = connector.Void(asking, pay.order(), pay.ref); err == nil && a.Outcome == gateway.Approved {
			p.fail(ctx, pay, Undone)
			return
		}
	case err == nil && a.Outcome == gateway.NotThere:
		p.fail(ctx, pay, NotThere)
		return
	case err == nil:
		p.answered(ctx, pay, a)
		return
	}
	p.log(pay, "nobody knows yet what became of a charge; it is asked for again", err)
	p.again(ctx, pay, NotReached)
}

// again has it asked later.
func (p *Payments) again(ctx context.Context, pay Payment, reason string) {
	pay.Reason, pay.Changed = reason, now()
	pay.tries++
	if err := p.move(ctx, pay, pay.Changed.Add(wait(pay.tries-1, longestDoubt)), Unknown); err != nil && !errors.Is(err, errGone) {
		p.log(pay, "when a charge is asked for again could not be written", err)
	}
}
