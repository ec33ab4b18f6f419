package payment

import (
	"context"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

const (
	mostAtOnce = 16               // payments that are seen to side by side, besides those whose caller waits
	resend     = 10 * time.Second // how long after a start a line may still send a card again, with its CVV
	goneAfter  = time.Minute      // how long after it is due a payment of another box is this one's
	look       = time.Minute      // how often the store is looked at, whatever is due: another box's payments become due, too
	rest       = time.Second      // after a failure of the store
)

// Run sees to payments that are due until ctx ends: those that another run of flattoned left, those in doubt, and those that wait for their provider. It returns once
// no charge is under way.
func (p *Payments) Run(ctx context.Context) error {
	p.ctx = ctx
	close(p.started)
	defer p.twice.forget()
	defer p.under.Wait()
	if err := p.hasten(ctx); err != nil {
		p.deps.Log.Error("payments that were left could not be looked for yet", "error", err)
	}
	slots := make(chan struct{}, mostAtOnce)
	for {
		next, err := p.round(ctx, slots)
		if err != nil && ctx.Err() == nil {
			p.deps.Log.Error("payments could not be looked for; in a second they are again", "error", err)
			next = rest
		}
		select {
		case <-ctx.Done():
			return nil
		case <-p.wake:
		case <-time.After(next):
		}
	}
}

// running is Run's context, once it runs.
func (p *Payments) running() context.Context {
	<-p.started
	return p.ctx
}

// hasten has what this box left when it ended be due now. A card that no line was told of may come once more, with its CVV.
func (p *Payments) hasten(ctx context.Context) error {
	return p.deps.Store.Write(ctx, func(tx *store.Tx) error {
		for state, at := range map[State]time.Time{Ready: now().Add(resend), Held: now(), Asked: now(), Unknown: now(), Waiting: now()} {
			if _, err := tx.Exec("UPDATE payment SET due = $1 WHERE box = $2 AND state = $3 AND due > $1", at.UnixMicro(), p.cfg.Box, string(state)); err != nil {
				return err
			}
		}
		return nil
	})
}

// round begins what is due, and answers with how long there is nothing more.
func (p *Payments) round(ctx context.Context, slots chan struct{}) (next time.Duration, err error) {
	var due []string
	soonest := int64(0)
	err = p.deps.Store.Read(ctx, func(tx *store.Tx) error {
		err := tx.Each(func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			due = append(due, id)
			return err
		}, "SELECT id FROM payment WHERE due > 0 AND (due <= $1 AND box = $2 OR due <= $3) ORDER BY due LIMIT 100", now().UnixMicro(), p.cfg.Box, now().Add(-goneAfter).UnixMicro())
		if err != nil {
			return err
		}
		return tx.One([]any{&soonest}, "SELECT COALESCE(MIN(due), 0) FROM payment WHERE due > $1 AND box = $2", now().UnixMicro(), p.cfg.Box)
	})
	if err != nil {
		return 0, err
	}
	for _, id := range due {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return 0, nil
		}
		p.under.Go(func() {
			defer func() { <-slots }()
			p.see(ctx, id)
		})
	}
	if soonest == 0 {
		return look, nil
	}
	return min(time.Until(time.UnixMicro(soonest)), look), nil
}

// see does what is due for a payment, unless somebody does it.
func (p *Payments) see(ctx context.Context, id string) {
	if !p.occupy(id) {
		return
	}
	defer p.leave(id)
	pay, err := p.claim(ctx, id)
	if err != nil {
		p.deps.Log.Error("a payment could not be seen to", "payment", id, "error", err)
		return
	}
	switch pay.State {
	case Wanted:
		p.quietly(p.abandon(ctx, pay))
	case Ready, Held:
		p.fail(ctx, pay, Interrupted)
	case Waiting:
		p.charge(ctx, pay, nil)
	case Asked, Unknown:
		p.doubt(ctx, pay)
	}
}

// claim makes a payment this box's, and nobody else's while it is seen to; one that isn't due is over.
func (p *Payments) claim(ctx context.Context, id string) (pay Payment, err error) {
	err = p.deps.Store.Write(ctx, func(tx *store.Tx) error {
		pay = Payment{}
		at := now()
		n, err := tx.Exec("UPDATE payment SET box = $1, due = $2 WHERE id = $3 AND due > 0 AND due <= $4", p.cfg.Box, at.Add(p.lease()).UnixMicro(), id, at.UnixMicro())
		if err != nil || n == 0 {
			return err
		}
		pay, err = one(tx, "id", id)
		return err
	})
	if err != nil {
		return pay, fmt.Errorf("payment: %w", err)
	}
	return pay, nil
}

func (p *Payments) quietly(err error) {
	if err != nil {
		p.deps.Log.Error("a payment could not be ended", "error", err)
	}
}
