package payment

import (
	"encoding/json"
	"time"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/store"
)

// Event is what upstream is told of a payment. It has the shape of the outbox's. docs/events.md has its types and what they say.
type Event struct {
	ID   string
	To   string // the destination
	Type string
	Key  string // the capture: in order with what is told of its card; of a stored card the payment
	Time time.Time
	Data []byte
}

// subject is the payment that an event is about, and why something of it is as it is.
type subject struct {
	Payment   string        `json:"payment"`
	Capture   string        `json:"capture,omitempty"`
	Token     string        `json:"token"` // as the destination knows the card
	Gateway   string        `json:"gateway"`
	Currency  string        `json:"currency"`
	Reference string        `json:"reference,omitempty"`
	Reason    string        `json:"reason,omitempty"`
	Class     gateway.Class `json:"class,omitempty"`
	Code      string        `json:"code,omitempty"`
}

// told is the data of a payment's end.
type told struct {
	subject
	Minor    int64         `json:"minor"`
	Taken    bool          `json:"taken"` // approved, and not only authorised
	Auth     string        `json:"auth,omitempty"`
	CVV      gateway.Check `json:"cvv,omitempty"`
	Postcode gateway.Check `json:"postcode,omitempty"`
	Address  gateway.Check `json:"address,omitempty"`
	Deferred bool          `json:"deferred,omitempty"` // the card was keyed while the provider couldn't be asked
	Bill     *toldBill     `json:"bill,omitempty"`
}

// toldBill is what there is to know of a bill, once a part of it has ended.
type toldBill struct {
	ID    string `json:"id"`
	Total int64  `json:"total"`
	Left  int64  `json:"left"`
}

// toldAct is the data of an act's end. Taken and refunded are what all that was done comes to.
type toldAct struct {
	subject
	Act      string `json:"act"`
	Kind     Kind   `json:"kind"`
	Minor    int64  `json:"minor"`
	Taken    int64  `json:"taken_minor"`
	Refunded int64  `json:"refunded_minor"`
}

// happened are the types of the events that tell of acts that are done.
var happened = map[Kind]string{Capture: "payment.captured", Void: "payment.voided", Refund: "payment.refunded"}

// announce has the end of a payment told.
func (p *Payments) announce(tx *store.Tx, pay Payment) error {
	bill, err := toldOf(tx, pay)
	if err != nil {
		return err
	}
	return p.tell(tx, pay, "payment."+string(pay.State), pay.Reason, pay.Answer, pay.Changed, func(s subject) any {
		return told{subject: s, Minor: pay.Minor, Taken: pay.State == Approved && pay.Take, Auth: pay.Answer.Auth, CVV: pay.Answer.CVV, Postcode: pay.Answer.Postcode,
			Address: pay.Answer.Line, Deferred: pay.deferred, Bill: bill}
	})
}

// announceAct has the end of an act told, with the books as they are then.
func (p *Payments) announceAct(tx *store.Tx, b Books, act Act) error {
	kind := happened[act.Kind]
	if act.State != Done {
		kind = "payment.act_" + string(act.State)
	}
	return p.tell(tx, b.Payment, kind, act.Reason, act.Answer, act.Changed, func(s subject) any {
		return toldAct{subject: s, Act: act.ID, Kind: act.Kind, Minor: act.Minor, Taken: b.Taken(), Refunded: b.Refunded()}
	})
}

// tell has each destination told, by its own name for the card.
func (p *Payments) tell(tx *store.Tx, pay Payment, kind, reason string, answer gateway.Answer, at time.Time, data func(subject) any) error {
	for to, token := range pay.names {
		body, err := json.Marshal(data(subject{Payment: pay.ID, Capture: pay.Capture, Token: token, Gateway: pay.Gateway, Currency: pay.Currency, Reference: pay.Reference,
			Reason: reason, Class: answer.Class, Code: answer.Code}))
		if err == nil {
			err = p.deps.Enqueue(tx, Event{ID: id.New("evt_", at), To: to, Type: kind, Key: pay.about(), Time: at, Data: body})
		}
		if err != nil {
			return err
		}
	}
	return nil
}
