package payment

import (
	"context"
	"sync"
	"time"
)

// resend is how long after a start a line may still send a card again, with its CVV.
const resend = 10 * time.Second

// Run sees to payments and acts that are due until ctx ends: those that another run of flattoned left, those in doubt, and those that wait for their provider. It
// returns once no provider is being asked.
func (p *Payments) Run(ctx context.Context) error {
	p.ctx = ctx
	close(p.started)
	defer p.twice.forget()
	defer p.under.Wait()
	var all sync.WaitGroup
	for _, q := range []*queue{p.charges, p.follow} {
		all.Go(func() { q.run(ctx, &p.under) })
	}
	all.Wait()
	return nil
}

// running is Run's context, once it runs.
func (p *Payments) running() context.Context {
	<-p.started
	return p.ctx
}

// see does what is due for a payment.
func (p *Payments) see(ctx context.Context, id string) {
	pay, err := p.of(ctx, "id", id)
	if err != nil {
		p.deps.Log.Error("a payment could not be seen to", "payment", id, "error", err)
		return
	}
	switch {
	case pay.State == Wanted:
		if err := p.abandon(ctx, pay); err != nil {
			p.deps.Log.Error("a payment could not be ended", "payment", id, "error", err)
		}
	case pay.State == Held, pay.State == Ready && !pay.stored(): // its CVV is gone
		p.fail(ctx, pay, Interrupted)
	case pay.State == Ready, pay.State == Waiting:
		p.charge(ctx, pay, nil)
	case pay.State == Asked, pay.State == Unknown:
		p.doubt(ctx, pay)
	}
}
