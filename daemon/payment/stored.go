package payment

import (
	"context"
	"errors"
	"fmt"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// StoredOrder is what a card that the vault keeps is charged for, without a caller.
type StoredOrder struct {
	Token     string
	Gateway   string
	Minor     int64
	Currency  string
	Reference string
	Take      bool
}

// ErrNoConsent is where nobody has agreed that a card is charged again, or its card is gone.
var ErrNoConsent = errors.New("its holder has not agreed that the card is charged again")

// ChargeStored charges a card by the consent of its holder, which a first payment recorded. by is who asks, and key his word for this request: by the same one he is
// answered with the payment that there is. The payment is durable when it returns; what comes of it is told.
func (p *Payments) ChargeStored(ctx context.Context, by, key string, o StoredOrder) (Payment, error) {
	wanted := Payment{State: Ready, Token: o.Token, By: by, key: key, Created: now(), Changed: now(),
		Order: Order{Gateway: o.Gateway, Minor: o.Minor, Currency: o.Currency, Reference: o.Reference, Take: o.Take}}
	wanted.ID = id.New(payments, wanted.Created)
	if err := p.check(wanted.Order); err != nil {
		return Payment{}, fmt.Errorf("payment: %w", err)
	}
	if key == "" {
		return Payment{}, fmt.Errorf("payment: %w: it has no key", ErrBadOrder)
	}
	var pay Payment
	begun := false
	err := p.deps.Store.Write(ctx, func(tx *store.Tx) (err error) {
		pay, begun = wanted, false
		was, err := one(tx, "asker = $1 AND key = $2", by, key)
		switch {
		case err == nil && was.of(o):
			begun, pay = true, was
			return nil
		case err == nil:
			return ErrKeyReused
		case !errors.Is(err, ErrUnknown):
			return err
		}
		consent, err := p.deps.Cards.Agreed(tx, o.Token)
		if errors.Is(err, vault.ErrNoConsent) {
			return ErrNoConsent
		}
		pay.network = consent.Network
		if err == nil {
			pay.names, err = p.deps.Cards.Names(tx, o.Token)
		}
		if err == nil {
			err = insert(tx, p.cfg.Box, pay, pay.Created.Add(p.lease()))
		}
		if err != nil {
			return err
		}
		tx.OnCommit(func() { p.deps.Tell(pay) })
		return p.deps.Audit.Append(tx, audit.Event{Actor: by, Action: "payment.wanted", Object: pay.ID, Result: amountOf(pay.Order), Origin: "token " + o.Token, Time: pay.Created})
	})
	if err != nil {
		return Payment{}, fmt.Errorf("payment: %w", err)
	}
	if !begun && p.charges.occupy(pay.ID) {
		p.under.Go(func() {
			defer p.charges.leave(pay.ID)
			p.charge(p.running(), pay, nil)
		})
	}
	return pay, nil
}

// of reports whether a payment is one for such an order.
func (pay Payment) of(o StoredOrder) bool {
	return pay.stored() && o == StoredOrder{pay.Token, pay.Gateway, pay.Minor, pay.Currency, pay.Reference, pay.Take}
}

// stored reports that its card was not keyed for it, but comes from the vault.
func (pay Payment) stored() bool { return pay.Capture == "" }

// about is what is told of it stays in order by: its card's capture, or itself.
func (pay Payment) about() string {
	if pay.stored() {
		return pay.ID
	}
	return pay.Capture
}

// purpose is what its card is asked for.
func (pay Payment) purpose() string {
	if pay.stored() {
		return Stored
	}
	return Purpose
}
