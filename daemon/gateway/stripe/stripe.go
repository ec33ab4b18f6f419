// Package stripe charges cards by Stripe's API, or one that is like it.
//
// It exists because a card that is keyed can't be tokenised in a browser: its number goes to Stripe as such, which Stripe must have allowed for the account, as it
// must have allowed MOTO (docs.stripe.com/security/guide, "raw card data"). Three requests make one payment, in an order in which a crash after any of them
// leaves something to ask for:
//
//	create the intent ─▶ note its id ─▶ hand in the card ─▶ confirm
//	└───────────── no money can move: ErrNotSent ─────────┘└─ it may
//
// Each request that makes something has an idempotency key of the order's, which Stripe remembers for a day at least: the same request again has the same
// answer, and another one under it is refused. After that day the intent's own state is what keeps it from being charged twice, so ask by its id (Inquire) rather
// than again.
//
// It promises what daemon/gateway does. It must never write a card into anything but a [courier.Page]. Of Stripe's words only codes that it has a table for go on.
package stripe

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/courier"
	"github.com/flattone/flattone/daemon/secret"
)

// version is the API's that answers are read by, whatever the account's own is.
const version = "2025-09-30.clover"

// Config is what Stripe knows the box by.
type Config struct {
	Key string // the API key, sk_... or, better, rk_...: restricted to payment intents, payment methods and refunds
}

// Stripe implements [gateway.Connector].
type Stripe struct {
	key string
	via *courier.Courier
}

var keys = regexp.MustCompile(`^[A-Za-z0-9_]{8,255}$`)

// New is a connector that sends by way of a courier to https://api.stripe.com.
func New(cfg Config, via *courier.Courier) (*Stripe, error) {
	if !keys.MatchString(cfg.Key) {
		return nil, errors.New("stripe: the API key isn't one: copy it from the account's dashboard, where it begins with rk_ or sk_")
	}
	return &Stripe{cfg.Key, via}, nil
}

// form is a body but for its card.
type form struct{ strings.Builder }

// fields is a form of names and values in turn.
func fields(namesAndValues ...string) *form {
	f := &form{}
	for i := 0; i < len(namesAndValues); i += 2 {
		f.add(namesAndValues[i], namesAndValues[i+1])
	}
	return f
}

func (f *form) add(name, value string) {
	if f.Len() > 0 {
		f.WriteByte('&')
	}
	f.WriteString(name + "=" + url.QueryEscape(value)) // brackets in names may stay
}

// Reach implements [gateway.Connector].
func (s *Stripe) Reach(ctx context.Context) error { return s.via.Reach(ctx) }

// Authorise implements [gateway.Connector].
func (s *Stripe) Authorise(ctx context.Context, o gateway.Order, card *secret.Card, note func(ref string) error) (gateway.Answer, error) {
	ref, err := s.create(ctx, o)
	if err != nil {
		return gateway.Answer{}, unsent(fmt.Errorf("create the intent: %w", err))
	}
	if err := note(ref); err != nil {
		return gateway.Answer{}, unsent(fmt.Errorf("keep its reference: %w", err))
	}
	method, err := s.handIn(ctx, o, card)
	if no := asFault(err); no.declines() {
		return no.answer(ref), nil
	}
	if err != nil {
		return gateway.Answer{}, unsent(fmt.Errorf("hand in the card: %w", err))
	}
	return s.confirm(ctx, o, ref, method)
}

// unsent says that no money can have moved, where an error doesn't say so already.
func unsent(err error) error {
	if errors.Is(err, gateway.ErrRefused) || errors.Is(err, gateway.ErrNotSent) {
		return err
	}
	return fmt.Errorf("%w to charge: %w", gateway.ErrNotSent, err)
}

// create makes an intent without a card.
func (s *Stripe) create(ctx context.Context, o gateway.Order) (ref string, err error) {
	capture := "manual"
	if o.Take {
		capture = "automatic"
	}
	f := fields("amount", strconv.FormatInt(o.Minor, 10), "currency", strings.ToLower(o.Currency), "capture_method", capture, "payment_method_types[]", "card",
		"metadata[flattone]", o.Key)
	if o.Reference != "" {
		f.add("metadata[reference]", o.Reference)
	}
	var pi intent
	if err := s.post(ctx, "/v1/payment_intents", o.Key+".create", f, &pi); err != nil {
		return "", err
	}
	return pi.ID, pi.of(o, pi.ID)
}

// handIn has Stripe keep the card under an id. It moves no money, and asks nobody but Stripe.
func (s *Stripe) handIn(ctx context.Context, o gateway.Order, card *secret.Card) (method string, err error) {
	f := fields("type", "card")
	if o.Address.Line != "" {
		f.add("billing_details[address][line1]", o.Address.Line)
	}
	if o.Address.Postcode != "" {
		f.add("billing_details[address][postal_code]", o.Address.Postcode)
	}
	step := ".card"
	page, err := courier.NewPage()
	if err != nil {
		return "", err
	}
	page.Text(f.String() + "&card[number]=")
	page.Digits(card.PAN, 0, card.PAN.Len())
	page.Text("&card[exp_month]=")
	page.Digits(card.Expiry, 0, 2)
	page.Text("&card[exp_year]=20")
	page.Digits(card.Expiry, 2, 4)
	if n := card.CVV.Len(); n > 0 {
		page.Text("&card[cvc]=")
		page.Digits(card.CVV.Text, 0, n)
		step = ".card-cvc" // the same card without its code is another request
	}
	var m struct {
		ID     string `json:"id"`
		Object string `json:"object"`
	}
	if err := s.ask(ctx, "POST", "/v1/payment_methods", o.Key+step, page, &m); err != nil {
		return "", err
	}
	if m.Object != "payment_method" || !ids.MatchString(m.ID) {
		return "", fmt.Errorf("%w: it is no payment method", gateway.ErrGarbled)
	}
	return m.ID, nil
}

// confirm moves the money.
func (s *Stripe) confirm(ctx context.Context, o gateway.Order, ref, method string) (gateway.Answer, error) {
	f := fields("payment_method", method, "expand[]", "latest_charge")
	if o.Stored == nil {
		f.add("payment_method_options[card][moto]", "true")
		f.add("error_on_requires_action", "true")
		if o.Consent {
			f.add("setup_future_usage", "off_session")
		}
	} else {
		f.add("off_session", "true")
		if o.Stored.NetworkID != "" {
			f.add("payment_method_options[card][mit_exemption][network_transaction_id]", o.Stored.NetworkID)
		}
	}
	var pi intent
	err := s.post(ctx, "/v1/payment_intents/"+ref+"/confirm", o.Key+".confirm", f, &pi)
	switch no := asFault(err); {
	case no.declines():
		return no.answer(ref), nil
	case no.Code == unexpectedState && no.status() != canceled, no.Type == otherParameters: // it was confirmed before
		return gateway.Answer{}, fmt.Errorf("confirm: %w: %s", errBefore, no.Code)
	case err != nil:
		return gateway.Answer{}, fmt.Errorf("confirm: %w", err)
	}
	if err := pi.of(o, ref); err != nil {
		return gateway.Answer{}, err
	}
	return pi.approved()
}

// errBefore leaves open what came of it.
var errBefore = errors.New("it was confirmed before")
