package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/store"
)

// ErrNotHeld is what there is to say of a payment that waits for nobody's word.
var ErrNotHeld = errors.New("the payment isn't held")

// hold keeps a payment that looks like one before it from being charged until somebody has said so, for as long as [Config.Patience]. It answers with the payment as it
// is then, and whether it may be charged. What the store says of it counts; the word only wakes who waits.
func (p *Payments) hold(ctx context.Context, pay Payment, before string) (_ Payment, may bool) {
	word := make(chan struct{}, 1)
	p.mu.Lock()
	p.words[pay.ID] = word
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.words, pay.ID)
	}()
	p.deps.Log.Warn("a card is to be charged once more, so the payment waits for somebody's word", "payment", pay.ID, "line", pay.Line, "before", before)
	pay.State, pay.Reason, pay.Changed = Held, Duplicate, now()
	if err := p.move(ctx, pay, pay.Changed.Add(p.cfg.Patience+p.lease()), Ready); err != nil {
		p.log(pay, "that a payment is held could not be written, so nothing is charged", err)
		return pay, false
	}
	why := Duplicate
	select {
	case <-word:
	case <-time.After(p.cfg.Patience):
	case <-ctx.Done():
		why = Interrupted
	}
	err := p.settle(ctx, pay, Failed, why, Held)
	if errors.Is(err, errGone) { // somebody has said something
		pay, err = p.of(context.WithoutCancel(ctx), "id", pay.ID)
	}
	if err != nil {
		p.log(pay, "what becomes of a held payment could not be written or read, so nothing is charged", err)
		return pay, false
	}
	return pay, pay.State == Ready
}

// held reads a payment that is held; [ErrUnknown] or [ErrNotHeld] otherwise.
func held(tx *store.Tx, name string) (Payment, error) {
	pay, err := named(tx, name)
	if err == nil && pay.State != Held {
		err = ErrNotHeld
	}
	return pay, err
}

// Confirm has a payment that is held charged all the same, with the CVV, which is still there. by is who says so. It is [ErrUnknown] or [ErrNotHeld] otherwise.
func (p *Payments) Confirm(ctx context.Context, by, name string) error {
	err := p.deps.Store.Write(ctx, func(tx *store.Tx) error {
		pay, err := held(tx, name)
		if err != nil {
			return err
		}
		pay.State, pay.Reason, pay.Changed = Ready, "", now()
		if _, err := change(tx, pay, pay.Changed.Add(p.lease()), Held); err != nil {
			return err
		}
		tx.OnCommit(func() { p.deps.Tell(pay) })
		return p.deps.Audit.Append(tx, audit.Event{Actor: by, Action: "payment.confirmed", Object: pay.ID, Result: amountOf(pay.Order), Origin: "gateway " + pay.Gateway, Time: pay.Changed})
	})
	if err != nil {
		return fmt.Errorf("payment: %w", err)
	}
	p.say(name)
	return nil
}

// Cancel has a payment that is held end without a charge. by is who says so. It is [ErrUnknown] or [ErrNotHeld] otherwise.
func (p *Payments) Cancel(ctx context.Context, by, name string) error {
	var pay Payment
	err := p.deps.Store.Write(ctx, func(tx *store.Tx) (err error) {
		if pay, err = held(tx, name); err != nil {
			return err
		}
		return p.deps.Audit.Append(tx, audit.Event{Actor: by, Action: "payment.cancelled", Object: name, Result: amountOf(pay.Order), Origin: "gateway " + pay.Gateway, Time: now()})
	})
	if err == nil {
		err = p.settle(ctx, pay, Failed, Duplicate, Held)
	}
	if errors.Is(err, errGone) { // it ended just now, or was confirmed
		err = ErrNotHeld
	}
	if err != nil {
		return fmt.Errorf("payment: %w", err)
	}
	p.say(name)
	return nil
}

// say wakes who holds a payment.
func (p *Payments) say(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if word := p.words[name]; word != nil {
		select {
		case word <- struct{}{}:
		default:
		}
	}
}
