package payment

import (
	"context"
	"errors"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/store"
)

// seeAct does what is due for an act.
func (p *Payments) seeAct(ctx context.Context, id string) {
	var act Act
	err := p.deps.Store.Read(ctx, func(tx *store.Tx) (err error) {
		act, err = oneAct(tx, "id = $1", id)
		return err
	})
	if err != nil {
		p.deps.Log.Error("an act could not be seen to", "act", id, "error", err)
		return
	}
	if act.State == Open {
		p.ask(ctx, act)
	}
}

// ask asks the provider for an act, and settles what he says.
func (p *Payments) ask(ctx context.Context, act Act) {
	pay, err := p.of(ctx, "id", act.Payment)
	if err != nil {
		p.logAct(act, "the payment of an act could not be read; it is asked for again", err)
		return
	}
	answer, err := p.request(ctx, pay, act)
	reason := NotReached
	switch {
	case err == nil && answer.Outcome == gateway.Approved:
		p.endAct(ctx, pay, act, Done, "", answer)
		return
	case err == nil:
		p.endAct(ctx, pay, act, Declined, "", answer)
		return
	case errors.Is(err, gateway.ErrRefused):
		p.logAct(act, "the provider refused the request, so nothing was done: look at its settings, and at the account there", err)
		p.endAct(ctx, pay, act, Failed, Refused, gateway.Answer{})
		return
	case errors.Is(err, errNoGateway):
		reason = NotConfigured
	}
	p.logAct(act, "nobody knows yet what became of an act; it is asked for again", err)
	act.Reason, act.Changed = reason, now()
	act.tries++
	if err := p.moveAct(ctx, pay, act, act.Changed.Add(wait(act.tries, longestWait))); err != nil && !errors.Is(err, errGone) {
		p.logAct(act, "when an act is asked for again could not be written", err)
	}
}

var errNoGateway = errors.New("no such gateway is configured")

// request asks him. What is begun is gone through with, also while flattoned stops.
func (p *Payments) request(ctx context.Context, pay Payment, act Act) (gateway.Answer, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.cfg.Patience)
	defer cancel()
	connector := p.deps.Gateways[pay.Gateway]
	switch {
	case connector == nil:
		return gateway.Answer{}, errNoGateway
	case act.Kind == Capture:
		return connector.Capture(ctx, pay.order(), pay.ref, act.Minor)
	case act.Kind == Refund:
		return connector.Refund(ctx, pay.order(), pay.ref, act.ID, act.Minor)
	}
	return connector.Void(ctx, pay.order(), pay.ref)
}

// moveAct writes that an act goes on, and has it told.
func (p *Payments) moveAct(ctx context.Context, pay Payment, act Act, due time.Time) error {
	return p.deps.Store.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		err := changeAct(tx, act, due)
		tx.OnCommit(func() { p.deps.TellAct(pay, act) })
		return err
	})
}

// endAct settles an act; the log and upstream know in the same transaction. Where that can't be written, it is asked for once more.
func (p *Payments) endAct(ctx context.Context, pay Payment, act Act, state State, reason string, answer gateway.Answer) {
	act.State, act.Reason, act.Answer, act.Changed = state, reason, answer, now()
	err := p.deps.Store.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if err := changeAct(tx, act, time.Time{}); err != nil {
			return err
		}
		all, err := actsOf(tx, pay.ID)
		if err == nil {
			err = p.announceAct(tx, Books{pay, all}, act)
		}
		if err != nil {
			return err
		}
		tx.OnCommit(func() { p.deps.TellAct(pay, act) })
		return p.deps.Audit.Append(tx, audit.Event{Actor: Caller, Action: "payment.act_ended", Object: act.ID, Result: result(state, reason, answer), Origin: "gateway " + pay.Gateway, Time: act.Changed})
	})
	if err != nil && !errors.Is(err, errGone) {
		p.logAct(act, "what became of an act could not be written; it is asked for again", err)
	}
}

func (p *Payments) logAct(act Act, what string, err error) {
	p.deps.Log.Error(what, "act", act.ID, "kind", string(act.Kind), "payment", act.Payment, "error", err)
}
