package control

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Charge is what a card is to be charged for.
type Charge struct {
	// Amount is as people write it, with a point: 12.34. Currency is ISO 4217; empty, the gateway's own.
	Amount   string `json:"amount"`
	Currency string `json:"currency,omitempty"`
	// Total begins a bill, of which the amount is a part. Bill is a payment of one that was begun; then an empty amount is what is left of it.
	Total string `json:"total,omitempty"`
	Bill  string `json:"bill,omitempty"`
	// Reference is the owner's word for the payment. The provider and upstream are told.
	Reference string `json:"reference,omitempty"`
	// Address and Postcode are the holder's, for the provider to compare.
	Address  string `json:"address,omitempty"`
	Postcode string `json:"postcode,omitempty"`
	// Consent says that the holder agrees that the card is kept, and charged again without him.
	Consent bool `json:"consent,omitempty"`
}

// Charging is a payment that waits for its card.
type Charging struct {
	Capture string `json:"capture"`
	Payment string `json:"payment"`
	// Later: the provider can't be reached now, so the card is kept, and charged without its CVV once he can. The agent has to know before the caller keys.
	Later bool `json:"later,omitempty"`
}

// The states of payments.
const (
	PaymentWanted    = "wanted"    // the line is armed for it
	PaymentReady     = "ready"     // there is a card
	PaymentHeld      = "held"      // the same card was charged the same amount in the last ten minutes: it isn't charged unless somebody confirms it, soon
	PaymentWaiting   = "waiting"   // the provider is away, and is asked when he is back
	PaymentAsked     = "asked"     // he is being asked
	PaymentUnknown   = "unknown"   // he didn't answer; what became of it is asked for. The card must not be taken again meanwhile
	PaymentApproved  = "approved"  // the end
	PaymentDeclined  = "declined"  // the end
	PaymentFailed    = "failed"    // the end: nothing was taken
	PaymentAbandoned = "abandoned" // the end: there was no card
)

// Checks are how what was keyed and typed compares with what the card's issuer has: match, mismatch, or unknown where he doesn't say. Empty, it wasn't compared: it wasn't
// there, the provider has no place for it, or he said nothing of it.
type Checks struct {
	CVV      string `json:"cvv_check,omitempty"`
	Postcode string `json:"postcode_check,omitempty"`
	Address  string `json:"address_check,omitempty"`
}

// Payment is what there is to know of one.
type Payment struct {
	ID        string `json:"id"`
	Capture   string `json:"capture"`
	Line      string `json:"line"`
	Gateway   string `json:"gateway"`
	Amount    string `json:"amount"`
	Currency  string `json:"currency"`
	Reference string `json:"reference,omitempty"`
	Token     string `json:"token,omitempty"`
	State     string `json:"state"`
	Taken     string `json:"taken,omitempty"`    // how much money was taken; "": none
	Refunded  string `json:"refunded,omitempty"` // how much of it was given back
	Voided    bool   `json:"voided,omitempty"`
	Reason    string `json:"reason,omitempty"` // why it failed or waits, or the class of a decline
	Code      string `json:"code,omitempty"`   // the provider's own, for people who talk to it
	Acts      []Act  `json:"acts,omitempty"`   // what was done with it, oldest first
	Auth      string `json:"auth,omitempty"`
	Checks
	// Bill is the payment that began the bill of which this one pays a part, and Total the bill's. Paid and Left, of what is approved and of what nothing pays yet, are in the
	// answer about one payment alone.
	Bill    string    `json:"bill,omitempty"`
	Total   string    `json:"total,omitempty"`
	Paid    string    `json:"paid,omitempty"`
	Left    string    `json:"left,omitempty"`
	Created time.Time `json:"created"`
	Changed time.Time `json:"changed"`
}

// Act is something that is done with an approved payment.
type Act struct {
	ID       string    `json:"id"`
	Payment  string    `json:"payment"`
	Kind     string    `json:"kind"` // capture, void, refund
	Amount   string    `json:"amount,omitempty"`
	Currency string    `json:"currency"`
	By       string    `json:"by"`
	State    string    `json:"state"`
	Reason   string    `json:"reason,omitempty"`
	Code     string    `json:"code,omitempty"`
	Created  time.Time `json:"created"`
	Changed  time.Time `json:"changed"`
}

// The states of acts.
const (
	ActOpen     = "open"     // the provider is asked, until he answers
	ActDone     = "done"     // the end
	ActDeclined = "declined" // the end
	ActFailed   = "failed"   // the end: nothing was done
)

// actKinds are what can be done with a payment.
var actKinds = []string{"capture", "void", "refund"}

// Paying is the part of a [Backend] that is about payments.
type Paying interface {
	// Charge is Arm for a card that is charged as soon as it is stored. How it goes on is told as events of [KindPayment]. While the provider can't be reached it is
	// [CodeGatewayAway], or Later, as the profile says; that is known before the line is armed.
	Charge(ctx context.Context, by Actor, line, profile string, c Charge) (Charging, error)
	// Confirm has a payment that is held charged; [CodeWrongState] if it isn't held, or no longer.
	Confirm(ctx context.Context, by Actor, id string) (Payment, error)
	// Cancel has it fail; the same otherwise.
	Cancel(ctx context.Context, by Actor, id string) (Payment, error)
	// Payments are the newest, newest first, at most limit.
	Payments(ctx context.Context, limit int) ([]Payment, error)
	// Payment is one; [CodeUnknownPayment] if there never was one.
	Payment(ctx context.Context, id string) (Payment, error)
	// Act has something done with an approved payment: capture, void or refund; an empty amount is all that there is. What comes of it is told as events of [KindAct].
	Act(ctx context.Context, by Actor, id, kind, amount string) (Act, error)
}

type chargeRequest struct {
	Profile string `json:"profile,omitempty"`
	Charge
}

// paymentRoutes are the table's lines about payments.
func (s *Server) paymentRoutes() []route {
	b := s.backend
	routes := []route{
		{pattern: "POST /v1/lines/{line}/charge", may: commanding, desk: bound, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask chargeRequest
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			return b.Charge(ctx, by, r.PathValue("line"), ask.Profile, ask.Charge)
		}},
		{pattern: "POST /v1/payments/{payment}/confirm", may: commanding, desk: own, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			return b.Confirm(ctx, by, r.PathValue("payment"))
		}},
		{pattern: "POST /v1/payments/{payment}/cancel", may: commanding, desk: own, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			return b.Cancel(ctx, by, r.PathValue("payment"))
		}},
		{pattern: "GET /v1/payments", may: accounting, call: func(ctx context.Context, _ Actor, r *http.Request) (any, error) {
			n, err := limit(r)
			if err != nil {
				return nil, err
			}
			return orEmpty(b.Payments(ctx, n))
		}},
		{pattern: "GET /v1/payments/{payment}", may: accounting, desk: own, call: func(ctx context.Context, _ Actor, r *http.Request) (any, error) {
			return b.Payment(ctx, r.PathValue("payment"))
		}},
	}
	for _, kind := range actKinds {
		routes = append(routes, route{pattern: "POST /v1/payments/{payment}/" + kind, may: commanding, desk: own, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask actRequest
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			return b.Act(ctx, by, r.PathValue("payment"), kind, ask.Amount)
		}})
	}
	return routes
}

// actRequest is how much of a payment an act is about: all, if it is empty.
type actRequest struct {
	Amount string `json:"amount,omitempty"`
}

// Charge readies line for a card that is charged as soon as it is stored. An empty profile is the line's own.
func (c *Client) Charge(ctx context.Context, line, profile string, what Charge) (Charging, error) {
	return ask[Charging](ctx, c, "arming line "+line+" for a payment", http.MethodPost, linePath(line, "charge"), chargeRequest{profile, what})
}

// Payments are the newest.
func (c *Client) Payments(ctx context.Context, limit int) ([]Payment, error) {
	return ask[[]Payment](ctx, c, "asking for the payments", http.MethodGet, "payments?limit="+strconv.Itoa(limit), nil)
}

// Payment is one.
func (c *Client) Payment(ctx context.Context, id string) (Payment, error) {
	return ask[Payment](ctx, c, "asking for the payment", http.MethodGet, "payments/"+url.PathEscape(id), nil)
}

// Confirm has a payment that is held charged.
func (c *Client) Confirm(ctx context.Context, id string) (Payment, error) {
	return ask[Payment](ctx, c, "confirming the payment", http.MethodPost, "payments/"+url.PathEscape(id)+"/confirm", nil)
}

// Cancel has a payment that is held end without a charge.
func (c *Client) Cancel(ctx context.Context, id string) (Payment, error) {
	return ask[Payment](ctx, c, "cancelling the payment", http.MethodPost, "payments/"+url.PathEscape(id)+"/cancel", nil)
}

// Act has something done with a payment: kind is capture, void or refund. An empty amount is all that there is.
func (c *Client) Act(ctx context.Context, payment, kind, amount string) (Act, error) {
	return ask[Act](ctx, c, "asking for a "+kind, http.MethodPost, "payments/"+url.PathEscape(payment)+"/"+kind, actRequest{amount})
}
