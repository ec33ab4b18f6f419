package payment

import (
	"cmp"
	"context"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// settle ends a payment that is in one of those states, with all that hangs on it: the card that was kept for it alone goes, the log and upstream know.
func (p *Payments) settle(ctx context.Context, pay Payment, state State, reason string, from ...State) error {
	ctx = context.WithoutCancel(ctx)
	pay.State, pay.Reason, pay.Changed, pay.Address = state, reason, now(), gateway.Address{}
	err := p.deps.Store.Write(ctx, func(tx *store.Tx) error {
		was, err := change(tx, pay, time.Time{}, from...)
		if err == nil && !was {
			err = errGone
		}
		if err != nil {
			return err
		}
		if pay.Token != "" {
			if err := p.announce(tx, pay); err != nil {
				return err
			}
			if pay.Consent && state == Approved {
				if err := p.deps.Cards.Agree(tx, pay.By, pay.Token, vault.Consent{Payment: pay.ID, Network: pay.Answer.NetworkID}); err != nil {
					return err
				}
			}
			if err := p.deps.Cards.ResolveIn(tx, Caller, pay.Token); err != nil {
				return err
			}
		}
		tx.OnCommit(func() { p.deps.Tell(pay) })
		return p.deps.Audit.Append(tx, audit.Event{Actor: Caller, Action: "payment.ended", Object: pay.ID, Result: result(pay.State, pay.Reason, pay.Answer), Origin: "gateway " + pay.Gateway, Time: pay.Changed})
	})
	if err == nil && pay.Token != "" {
		err = p.deps.Store.Scrub(ctx)
	}
	return err
}

// result is how something ended, in a word or two of ours.
func result(state State, reason string, a gateway.Answer) string {
	if why := cmp.Or(reason, string(a.Class)); why != "" {
		return string(state) + " " + why
	}
	return string(state)
}
