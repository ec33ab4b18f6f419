package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/payment"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// usesPerHour is how many cards an hour a gateway may be given: a line takes one a minute at most, and a box has sixteen lines.
const usesPerHour = 3600

// patience is how long a provider may take over a card, whatever its connector asks him meanwhile; and so how long its CVV lives here.
const patience = 45 * time.Second

// chargeRules let the payments have cards charged by the gateways of the config.
func chargeRules(c *config.Config) (rules []vault.Rule) {
	for name := range c.Gateways {
		rules = append(rules, vault.Rule{Caller: payment.Caller, Purpose: payment.Purpose, Connector: name, PerHour: usesPerHour},
			vault.Rule{Caller: payment.Caller, Purpose: payment.Stored, Connector: name, PerHour: usesPerHour, Consented: true})
	}
	return rules
}

// newPayments makes what has cards charged.
func (d *Daemon) newPayments(box string) (*payment.Payments, error) {
	d.tills = newTills(d.health)
	all, run, err := connectors(d.cfg, d.tills.reached)
	if err != nil {
		return nil, err
	}
	d.gateways = run
	return payment.New(payment.Config{Box: box, Patience: patience}, payment.Deps{
		Store: d.store, Audit: d.audit, Cards: d.vault, Gateways: all, Log: d.log, Tell: d.paymentChanged, TellAct: d.actChanged,
		Enqueue: func(tx *store.Tx, e payment.Event) error {
			return d.enqueue(tx, vault.Event{ID: e.ID, To: e.To, Type: e.Type, Key: e.Key, Time: e.Time, Data: e.Data})
		},
	})
}

// paymentChanged has the feed know, and what counts how payments go.
func (d *Daemon) paymentChanged(p payment.Payment) {
	d.log.Info("a payment is "+string(p.State), "payment", p.ID, "line", p.Line, "gateway", p.Gateway, "reason", cmp.Or(p.Reason, string(p.Answer.Class)))
	d.tills.saw(p.Gateway, p.State, p.Reason)
	why := cmp.Or(p.Reason, shownClass(p.Answer.Class))
	d.countPayment(p, why)
	d.feed.Publish(control.Event{Kind: control.KindPayment, Line: p.Line, Capture: p.Capture, Payment: p.ID, Token: p.Token, State: string(p.State),
		Reason: why, Auth: p.Answer.Auth, Checks: checksOf(p.Answer)})
}

// actChanged has the feed know how it goes with what is done with a payment.
func (d *Daemon) actChanged(p payment.Payment, a payment.Act) {
	why := cmp.Or(a.Reason, shownClass(a.Answer.Class))
	d.log.Info("an act is "+string(a.State), "act", a.ID, "kind", string(a.Kind), "payment", p.ID, "gateway", p.Gateway, "reason", why)
	d.tills.saw(p.Gateway, a.State, a.Reason)
	if a.State != payment.Open {
		d.metrics.Acted(p.Gateway, string(a.Kind), string(a.State))
	}
	d.feed.Publish(control.Event{Kind: control.KindAct, Line: p.Line, Capture: p.Capture, Payment: p.ID, Act: a.ID, Code: string(a.Kind), State: string(a.State), Reason: why})
}

// shownClass is why a card was declined, as far as people may know: who keys a stolen card is on the phone with the agent.
func shownClass(c gateway.Class) string {
	if c == gateway.Stolen {
		c = gateway.Refusal
	}
	return string(c)
}

func checksOf(a gateway.Answer) control.Checks {
	return control.Checks{CVV: string(a.CVV), Postcode: string(a.Postcode), Address: string(a.Line)}
}

// paymentOf is what the admin socket says of one.
func paymentOf(p payment.Books) control.Payment {
	shown := control.Payment{ID: p.ID, Capture: p.Capture, Line: p.Line, Gateway: p.Gateway, Amount: payment.Amount(p.Minor, p.Currency), Currency: p.Currency, Reference: p.Reference,
		Token: p.Token, State: string(p.State), Taken: some(p.Taken(), p.Currency), Refunded: some(p.Refunded(), p.Currency), Voided: p.Voided(), Reason: cmp.Or(p.Reason, shownClass(p.Answer.Class)), Code: p.Answer.Code,
		Auth: p.Answer.Auth, Checks: checksOf(p.Answer), Bill: p.Bill, Total: some(p.Total, p.Currency), Created: p.Created, Changed: p.Changed}
	for _, a := range p.Acts {
		shown.Acts = append(shown.Acts, actOf(p.Payment, a))
	}
	return shown
}

// actOf is what the admin socket says of an act.
func actOf(p payment.Payment, a payment.Act) control.Act {
	return control.Act{ID: a.ID, Payment: p.ID, Kind: string(a.Kind), Amount: some(a.Minor, p.Currency), Currency: p.Currency, By: a.By, State: string(a.State),
		Reason: cmp.Or(a.Reason, shownClass(a.Answer.Class)), Code: a.Answer.Code, Created: a.Created, Changed: a.Changed}
}

// some is an amount, unless there is none.
func some(minor int64, currency string) string {
	if minor == 0 {
		return ""
	}
	return payment.Amount(minor, currency)
}

func (b *backend) Payments(ctx context.Context, limit int) (all []control.Payment, err error) {
	list, err := b.d.payments.List(ctx, limit)
	for _, p := range list {
		all = append(all, paymentOf(p))
	}
	return all, err
}

func (b *backend) Payment(ctx context.Context, id string) (control.Payment, error) {
	p, err := b.d.payments.Books(ctx, id)
	shown := paymentOf(p)
	if err == nil && p.Bill != "" {
		var bill payment.Bill
		bill, err = b.d.payments.Bill(ctx, id)
		shown.Paid, shown.Left = payment.Amount(bill.Paid, bill.Currency), payment.Amount(bill.Left(), bill.Currency)
	}
	return shown, aboutPayment(err)
}

func (b *backend) Confirm(ctx context.Context, by control.Actor, id string) (control.Payment, error) {
	if err := b.d.payments.Confirm(ctx, by.String(), id); err != nil {
		return control.Payment{}, aboutPayment(err)
	}
	return b.Payment(ctx, id)
}

func (b *backend) Cancel(ctx context.Context, by control.Actor, id string) (control.Payment, error) {
	if err := b.d.payments.Cancel(ctx, by.String(), id); err != nil {
		return control.Payment{}, aboutPayment(err)
	}
	return b.Payment(ctx, id)
}

// aboutPayment says what is wrong with what somebody wants of a payment.
func aboutPayment(err error) error {
	switch {
	case errors.Is(err, payment.ErrUnknown):
		return &control.Error{Code: control.CodeUnknownPayment, Text: payment.ErrUnknown.Error(), Remedy: "flattone payment list has the newest"}
	case errors.Is(err, payment.ErrNotHeld):
		return &control.Error{Code: control.CodeWrongState, Text: payment.ErrNotHeld.Error(), Remedy: "flattone payment show says how it stands; one that was held for too long is not charged: take the card again"}
	}
	return err
}

// Act has something done with a payment.
func (b *backend) Act(ctx context.Context, by control.Actor, id, kind, amount string) (control.Act, error) {
	p, err := b.d.payments.Books(ctx, id)
	if err != nil {
		return control.Act{}, aboutPayment(err)
	}
	minor := int64(0)
	if amount != "" {
		if minor, err = payment.Minor(amount, p.Currency); err != nil {
			return control.Act{}, notDone(err)
		}
	}
	act, err := b.d.payments.Act(ctx, by.String(), "", id, payment.Kind(kind), minor)
	if err != nil {
		return control.Act{}, notDone(aboutPayment(err))
	}
	return actOf(p.Payment, act), nil
}

func notDone(err error) error {
	if !errors.Is(err, payment.ErrCannot) && !errors.Is(err, payment.ErrBadOrder) {
		return err
	}
	return &control.Error{Code: control.CodeNotCharged, Text: "nothing was done: " + err.Error(), Remedy: "flattone payment show says how the payment stands"}
}

// Charge wants the payment before the line is armed for it, so that no card is ever without what it is for.
func (b *backend) Charge(ctx context.Context, by control.Actor, line, profile string, c control.Charge) (control.Charging, error) {
	if by.Agent != "" && c.Bill != "" {
		if whose, err := b.AskedFor(ctx, c.Bill); err != nil || whose != by.String() {
			return control.Charging{}, cmp.Or(err, aboutPayment(payment.ErrUnknown)) // an agent goes on with his own bills alone
		}
	}
	order, err := b.order(ctx, line, profile, c)
	if err != nil {
		return control.Charging{}, err
	}
	if order.Away, err = b.away(ctx, line, order); err != nil {
		return control.Charging{}, err
	}
	order.Capture = newCaptureID()
	pay, err := b.d.payments.Want(ctx, by.String(), order)
	if err != nil {
		return control.Charging{}, notCharged(line, err)
	}
	if _, err := b.arm(ctx, technician(by), line, profile, opening{"line.arm", "line.armed", "armed"}, order.Capture); err != nil {
		return control.Charging{}, errors.Join(err, b.d.payments.Abandon(context.WithoutCancel(ctx), order.Capture))
	}
	return control.Charging{Capture: order.Capture, Payment: pay.ID, Later: order.Away}, nil
}

// away reports whether the provider can't be reached and the card is to be charged later; where the profile doesn't let it be, it is refused. Nobody has keyed yet.
func (b *backend) away(ctx context.Context, line string, o payment.Order) (bool, error) {
	err := b.d.payments.Reach(ctx, o.Gateway)
	if ctx.Err() != nil { // who asked has gone, and nothing is known
		return false, ctx.Err()
	}
	b.d.tills.reached(o.Gateway, err)
	switch {
	case err == nil:
		return false, nil
	case o.Later:
		b.d.log.Warn("a provider can't be reached, so the card is charged later", "line", line, "gateway", o.Gateway, "error", err)
		return true, nil
	}
	b.d.log.Error("a provider can't be reached, so no card is taken", "line", line, "gateway", o.Gateway, "error", err)
	return false, &control.Error{Code: control.CodeGatewayAway, Text: fmt.Sprintf("line %s was not armed: gateway %s: %v", line, o.Gateway, err),
		Remedy: `don't ask for the card, and try again: flattone status says when he is back; or have the profile's offline = "later" keep cards for then`}
}

// stores refuses to take a card without an amount where it would be charged: nobody could know what for.
func (b *backend) stores(line, profile string) error {
	cfg := b.d.lined.Load()
	l, _ := cfg.Line(line)
	name := cmp.Or(profile, l.Profile)
	if cfg.Profiles[name].Gateway == "" {
		return nil
	}
	return &control.Error{Code: control.CodeNotCharged, Text: "line " + line + " was not armed: cards of profile " + name + " are charged, and there is no amount",
		Remedy: "flattone charge takes one; or name a profile that only stores cards"}
}

// order is what a line is to be armed for, by its profile.
func (b *backend) order(ctx context.Context, line, profile string, c control.Charge) (payment.Order, error) {
	cfg := b.d.lined.Load()
	l, known := cfg.Line(line)
	if !known {
		return payment.Order{}, unknownLine(line, b.d.board.names())
	}
	name := cmp.Or(profile, l.Profile)
	p, known := cfg.Profiles[name]
	if !known {
		return payment.Order{}, unknownProfile(name, slices.Sorted(maps.Keys(cfg.Profiles)))
	}
	if p.Gateway == "" {
		return payment.Order{}, &control.Error{Code: control.CodeNotCharged, Text: "line " + line + " was not armed: profile " + name + " charges no cards",
			Remedy: "name another one with --profile, or give it a gateway in the configuration; flattone arm takes a card without charging it"}
	}
	if c.Consent && p.Keep != config.KeepVault {
		return payment.Order{}, &control.Error{Code: control.CodeNotCharged, Text: "line " + line + " was not armed: profile " + name + " doesn't keep cards, so none can be charged again",
			Remedy: "leave out --consent, or name a profile with keep = \"vault\""}
	}
	o := payment.Order{Line: line, Profile: name, Gateway: p.Gateway, Currency: cmp.Or(c.Currency, b.d.cfg.Gateways[p.Gateway].Currency), Reference: c.Reference,
		Take: p.Charge == config.Take, Later: p.Offline == config.ChargeLater, Consent: c.Consent, Address: gateway.Address{Line: c.Address, Postcode: c.Postcode}}
	return o, notCharged(line, b.amounts(ctx, &o, c))
}

// amounts has an order be for how much. Of a bill that was begun it may be for what is left, and is in the bill's currency.
func (b *backend) amounts(ctx context.Context, o *payment.Order, c control.Charge) (err error) {
	if c.Bill != "" {
		bill, err := b.d.payments.Bill(ctx, c.Bill)
		if err != nil {
			return aboutPayment(err)
		}
		o.Bill, o.Currency = bill.ID, cmp.Or(c.Currency, bill.Currency)
	}
	if c.Amount != "" || c.Bill == "" {
		if o.Minor, err = payment.Minor(c.Amount, o.Currency); err != nil {
			return err
		}
	}
	if c.Total != "" {
		o.Total, err = payment.Minor(c.Total, o.Currency)
	}
	return err
}

func notCharged(line string, err error) error {
	if !errors.Is(err, payment.ErrBadOrder) {
		return err
	}
	return &control.Error{Code: control.CodeNotCharged, Text: fmt.Sprintf("line %s was not armed: %v", line, err), Remedy: "flattone charge --help says what goes"}
}

// abandonPayments ends what lines were armed to have charged, where they came to no card.
func (d *Daemon) abandonPayments(ctx context.Context) error {
	for ctx.Err() == nil { // a subscriber that was too slow begins anew; what it missed is forlorn
		for e := range d.feed.Subscribe(ctx) {
			if e.Kind != control.KindState || e.State != control.StateVoid || e.Capture == "" || e.Test {
				continue
			}
			if err := d.payments.Abandon(ctx, e.Capture); err != nil && ctx.Err() == nil {
				d.log.Error("the payment of a capture without a card could not be ended; it is tried again", "line", e.Line, "capture", e.Capture, "error", err)
			}
		}
	}
	return nil
}
