package payment

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// Event is what upstream is told of a payment. It has the shape of the outbox's.
type Event struct {
	ID   string
	To   string // the destination; "": every one
	Type string // payment.approved, payment.declined, payment.failed; payment.captured, payment.voided, payment.refunded, payment.act_declined, payment.act_failed
	Key  string // the capture: in order with what is told of its card; of a stored card the payment
	Time time.Time
	Data []byte
}

// told is an event's data.
type told struct {
	Payment   string        `json:"payment"`
	Capture   string        `json:"capture,omitempty"`
	Token     string        `json:"token"`
	Gateway   string        `json:"gateway"`
	Minor     int64         `json:"minor"`
	Currency  string        `json:"currency"`
	Reference string        `json:"reference,omitempty"`
	Taken     bool          `json:"taken"` // approved, and not only authorised
	Reason    string        `json:"reason,omitempty"`
	Class     gateway.Class `json:"class,omitempty"`
	Code      string        `json:"code,omitempty"`
	Auth      string        `json:"auth,omitempty"`
	CVV       gateway.Check `json:"cvv,omitempty"`
	Postcode  gateway.Check `json:"postcode,omitempty"`
	Address   gateway.Check `json:"address,omitempty"`
	Deferred  bool          `json:"deferred,omitempty"` // the card was keyed while the provider couldn't be asked
	Bill      *toldBill     `json:"bill,omitempty"`
}

// toldBill is what there is to know of a bill, once a part of it has ended.
type toldBill struct {
	ID    string `json:"id"`
	Total int64  `json:"total"`
	Left  int64  `json:"left"`
}

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
				if err := p.deps.Cards.Agree(tx, pay.by, pay.Token, vault.Consent{Payment: pay.ID, Network: pay.Answer.NetworkID}); err != nil {
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

// announce has each destination told, by its own name for the card.
func (p *Payments) announce(tx *store.Tx, pay Payment) error {
	bill, err := toldOf(tx, pay)
	if err != nil {
		return err
	}
	for to, token := range pay.names {
		data, err := json.Marshal(told{Payment: pay.ID, Capture: pay.Capture, Token: token, Gateway: pay.Gateway, Minor: pay.Minor, Currency: pay.Currency, Reference: pay.Reference,
			Taken: pay.State == Approved && pay.Take, Reason: pay.Reason, Class: pay.Answer.Class, Code: pay.Answer.Code, Auth: pay.Answer.Auth, CVV: pay.Answer.CVV,
			Postcode: pay.Answer.Postcode, Address: pay.Answer.Line, Deferred: pay.deferred, Bill: bill})
		if err != nil {
			return err
		}
		e := Event{ID: id.New("evt_", pay.Changed), To: to, Type: "payment." + string(pay.State), Key: pay.about(), Time: pay.Changed, Data: data}
		if err := p.deps.Enqueue(tx, e); err != nil {
			return err
		}
	}
	return nil
}
