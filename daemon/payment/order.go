package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// longestCall is when nobody waits for the card of an order any more.
const longestCall = 2 * time.Hour

// Want has the capture's card charged as soon as there is one. by is who asks. The order is durable when it returns.
func (p *Payments) Want(ctx context.Context, by string, o Order) (Payment, error) {
	err := p.check(o)
	if err == nil && !vault.IsCaptureID(o.Capture) {
		err = fmt.Errorf("%w: no capture", ErrBadOrder)
	}
	if err != nil {
		return Payment{}, fmt.Errorf("payment: %w", err)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	wanted := Payment{ID: id.New(payments, now), Order: o, State: Wanted, Created: now, Changed: now, By: by}
	if o.Away {
		wanted.Reason = NotReached
	}
	var pay Payment
	err = p.deps.Store.Write(ctx, func(tx *store.Tx) (err error) {
		if pay, err = wanted.join(tx); err != nil {
			return err
		}
		if err := insert(tx, p.cfg.Box, pay, now.Add(longestCall)); err != nil {
			return err
		}
		tx.OnCommit(func() { p.deps.Tell(pay) })
		return p.deps.Audit.Append(tx, audit.Event{Actor: by, Action: "payment.wanted", Object: pay.ID, Result: amountOf(pay.Order), Origin: "capture " + o.Capture, Time: now})
	})
	if err != nil {
		return Payment{}, fmt.Errorf("payment: %w", err)
	}
	return pay, nil
}

// amountOf is how the audit log has an amount: in the currency's minor unit.
func amountOf(o Order) string { return fmt.Sprintf("%d %s", o.Minor, o.Currency) }

// Abandon ends the order of a capture that came to no card.
func (p *Payments) Abandon(ctx context.Context, capture string) error {
	pay, err := p.of(ctx, "capture", capture)
	if errors.Is(err, ErrUnknown) || err == nil && pay.State != Wanted {
		return nil
	}
	if err == nil {
		err = p.abandon(ctx, pay)
	}
	if err != nil && !errors.Is(err, errGone) {
		return fmt.Errorf("payment: %w", err)
	}
	return nil
}

// abandon ends a payment that nobody charges a card for any more. If there is a card, then what stored it was killed before it could say so here: nobody was asked, and
// upstream, who knows of the card, is told.
func (p *Payments) abandon(ctx context.Context, pay Payment) error {
	var token string
	err := p.deps.Store.Read(ctx, func(tx *store.Tx) (err error) {
		token, err = p.deps.Cards.Captured(tx, pay.Capture)
		return err
	})
	if err == nil && token == "" {
		return p.settle(ctx, pay, Abandoned, "", Wanted)
	}
	if err == nil {
		pay, err = p.ready(ctx, pay, token)
	}
	if err != nil {
		return err
	}
	return p.settle(ctx, pay, Failed, Interrupted, Ready)
}

// Sealed begins to charge a capture's card, which the vault has under token by now. That it is to be is durable when Sealed returns; what comes of it is told. card is
// the caller's; of it the CVV alone is copied, which nobody else has then. A capture that no payment is wanted for is none of its business.
func (p *Payments) Sealed(ctx context.Context, capture, token string, card *secret.Card) error {
	pay, err := p.of(ctx, "capture", capture)
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	if err == nil && pay.State == Wanted {
		pay, err = p.ready(ctx, pay, token)
	}
	if err == nil && pay.State == Abandoned {
		err = p.tooLate(ctx, token)
	}
	if err != nil {
		return fmt.Errorf("payment: %w", err)
	}
	if pay.State != Ready || !p.charges.occupy(pay.ID) {
		return nil // the line sent it again, and it is seen to
	}
	before, err := p.twice.sees(pay, card.PAN)
	if err != nil {
		p.charges.leave(pay.ID)
		return fmt.Errorf("payment: %w", err)
	}
	cvv, err := secret.NewCard()
	if err == nil {
		err = cvv.CVV.CopyFrom(card.CVV)
	}
	if err != nil {
		p.charges.leave(pay.ID)
		return fmt.Errorf("payment: %w", err)
	}
	p.under.Go(func() {
		defer p.charges.leave(pay.ID)
		defer cvv.Destroy()
		may := true
		if before != "" {
			pay, may = p.hold(p.running(), pay, before)
		}
		if may {
			p.charge(p.running(), pay, cvv)
		}
	})
	return nil
}

// tooLate ends a card that was kept for a payment which has been given up: nobody charges it any more.
func (p *Payments) tooLate(ctx context.Context, token string) error {
	err := p.deps.Store.Write(ctx, func(tx *store.Tx) error { return p.deps.Cards.ResolveIn(tx, Caller, token) })
	if err == nil {
		err = p.deps.Store.Scrub(ctx)
	}
	return err
}

// ready notes that there is a card.
func (p *Payments) ready(ctx context.Context, pay Payment, token string) (Payment, error) {
	pay.Token, pay.State, pay.Reason, pay.Changed = token, Ready, "", now()
	err := p.deps.Store.Write(ctx, func(tx *store.Tx) (err error) {
		if pay.names, err = p.deps.Cards.Names(tx, token); err != nil { // now: they go with a card that is used up
			return err
		}
		was, err := change(tx, pay, pay.Changed.Add(p.lease()), Wanted)
		if err == nil && !was {
			err = errGone
		}
		tx.OnCommit(func() { p.deps.Tell(pay) })
		return err
	})
	if errors.Is(err, errGone) {
		return p.of(ctx, "capture", pay.Capture)
	}
	return pay, err
}

// now is as exact as the store.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// lease is how long nobody else sees to a payment that is being charged.
func (p *Payments) lease() time.Duration {
	return max(p.cfg.Patience, longestQuestion) + 10*time.Second
}

// of reads a payment by its id, or its capture.
func (p *Payments) of(ctx context.Context, column, value string) (pay Payment, err error) {
	err = p.deps.Store.Read(ctx, func(tx *store.Tx) error {
		pay, err = one(tx, column+" = $1", value)
		return err
	})
	return pay, err
}
