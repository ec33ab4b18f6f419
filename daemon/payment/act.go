package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/store"
)

// Act is something that is done with a payment once it is approved. The provider is asked for it again and again, by the same words, until he answers; none of a
// connector's verbs moves money twice.
//
//	open ──an answer──▶ done, declined
//	 │ └───nobody knows, or he is away: asked again, for as long as it takes
//	 └──he refuses what is asked──▶ failed
type Act struct {
	ID      string
	Payment string
	Kind    Kind
	Minor   int64 // how much; of a void nothing
	By      string
	State   State
	Reason  string
	Answer  gateway.Answer
	Created time.Time
	Changed time.Time

	key   string
	tries int64
}

// The states of acts.
const (
	Open State = "open"
	Done State = "done"
	// Declined and Failed as of payments
)

// Kind is what is done.
type Kind string

// The kinds.
const (
	Capture Kind = "capture" // money that was only authorised is taken, all of it or less; once
	Void    Kind = "void"    // a payment is undone before its money has moved: an authorisation, or a sale that the provider hasn't settled yet
	Refund  Kind = "refund"  // money that was taken is given back, all of it or some
)

// Errors of acts.
var (
	ErrCannot    = errors.New("that can't be done with the payment")
	ErrKeyReused = errors.New("the key stands for something else")
)

// acts is the prefix of their ids.
const acts = "act_"

// Act has something done with a payment. by is who asks, and key his word for this request: by the same one he is answered with the act that there is, whatever
// became of it; it may be empty. minor is how much; 0 is all that there is. The act is durable when it returns; what comes of it is told.
func (p *Payments) Act(ctx context.Context, by, key, payment string, kind Kind, minor int64) (Act, error) {
	var act Act
	begun := false
	err := p.deps.Store.Write(ctx, func(tx *store.Tx) (err error) {
		pay, err := named(tx, payment)
		if err != nil {
			return err
		}
		if act, begun, err = p.begun(tx, by, key, payment, kind, minor); err != nil || begun {
			return err
		}
		all, err := actsOf(tx, payment)
		if err != nil {
			return err
		}
		much, err := (Books{pay, all}).may(kind, minor)
		if err != nil {
			return err
		}
		act = Act{ID: id.New(acts, now()), Payment: payment, Kind: kind, Minor: much, By: by, key: key, State: Open, Created: now(), Changed: now()}
		if err := insertAct(tx, p.cfg.Box, act, act.Created.Add(p.lease())); err != nil {
			return err
		}
		tx.OnCommit(func() { p.deps.TellAct(pay, act) })
		return p.deps.Audit.Append(tx, audit.Event{Actor: by, Action: "payment.act_wanted", Object: act.ID, Result: fmt.Sprintf("%s %d %s", kind, much, pay.Currency),
			Origin: "payment " + payment, Time: act.Created})
	})
	if err != nil {
		return Act{}, fmt.Errorf("payment: %w", err)
	}
	if !begun && p.follow.occupy(act.ID) {
		p.under.Go(func() {
			defer p.follow.leave(act.ID)
			p.ask(p.running(), act)
		})
	}
	return act, nil
}

// begun is the act that a key stands for already.
func (p *Payments) begun(tx *store.Tx, by, key, payment string, kind Kind, minor int64) (Act, bool, error) {
	if key == "" {
		return Act{}, false, nil
	}
	was, err := oneAct(tx, "asker = $1 AND key = $2", by, key)
	switch {
	case errors.Is(err, ErrUnknown):
		return Act{}, false, nil
	case err == nil && (was.Payment != payment || was.Kind != kind || minor != 0 && was.Minor != minor):
		err = ErrKeyReused
	}
	return was, true, err
}
