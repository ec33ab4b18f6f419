package stripe

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/flattone/flattone/daemon/gateway"
)

// ids are Stripe's: pi_, pm_, re_ and what it likes.
var ids = regexp.MustCompile(`^[A-Za-z0-9_]{4,128}$`)

// The statuses of an intent (docs.stripe.com/payments/paymentintents/lifecycle).
//
//	requires_payment_method ──confirm──▶ processing ──▶ succeeded
//	    ▲      │ cancel                      │    └───▶ requires_capture ──capture──▶ succeeded
//	    │      └──▶ canceled ◀──cancel───────────────────┘
//	    └────────── declined ────────────────┘
const (
	needsMethod  = "requires_payment_method"
	needsConfirm = "requires_confirmation"
	needsAction  = "requires_action"
	needsCapture = "requires_capture"
	canceled     = "canceled"
	succeeded    = "succeeded"
)

// intent is what is read of a payment intent.
type intent struct {
	ID        string          `json:"id"`
	Object    string          `json:"object"`
	Status    string          `json:"status"`
	Amount    int64           `json:"amount"`
	Received  int64           `json:"amount_received"`
	Currency  string          `json:"currency"`
	LastError *fault          `json:"last_payment_error"`
	Charge    json.RawMessage `json:"latest_charge"` // an object where it was asked for, its id elsewhere
}

// checks are what the issuer said of what it was asked to compare.
type checks struct {
	CVC      string `json:"cvc_check"`
	Line     string `json:"address_line1_check"`
	Postcode string `json:"address_postal_code_check"`
}

// of refuses an intent that is another payment's.
func (p *intent) of(o gateway.Order, ref string) error {
	if p.Object != "payment_intent" || !ids.MatchString(p.ID) || p.ID != ref || p.Amount != o.Minor || !strings.EqualFold(p.Currency, o.Currency) {
		return fmt.Errorf("%w: it is of another payment", gateway.ErrGarbled)
	}
	return nil
}

// approved is the answer where there is one, and an error where nobody knows yet.
func (p *intent) approved() (gateway.Answer, error) {
	if p.Status != succeeded && p.Status != needsCapture {
		return gateway.Answer{}, fmt.Errorf("the payment is not decided yet: its status is %s", p.state())
	}
	var charge struct {
		Details struct {
			Card struct {
				Checks    checks `json:"checks"`
				Auth      string `json:"authorization_code"`
				NetworkID string `json:"network_transaction_id"`
			} `json:"card"`
		} `json:"payment_method_details"`
	}
	if len(p.Charge) > 0 && p.Charge[0] == '{' && json.Unmarshal(p.Charge, &charge) != nil {
		return gateway.Answer{}, fmt.Errorf("%w: its charge isn't the JSON that it should be", gateway.ErrGarbled)
	}
	card := charge.Details.Card
	a := gateway.Answer{Outcome: gateway.Approved, Ref: p.ID}
	card.Checks.into(&a)
	// Whoever approved a payment has done so, whatever else he says.
	if auths.MatchString(card.Auth) {
		a.Auth = card.Auth
	}
	if networkIDs.MatchString(card.NetworkID) {
		a.NetworkID = card.NetworkID
	}
	return a, nil
}

var (
	auths      = regexp.MustCompile(`^[A-Za-z0-9]{1,6}$`)
	networkIDs = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)
)

// state is a status, if it is one.
func (p *intent) state() string {
	switch p.Status {
	case needsMethod, needsConfirm, needsAction, needsCapture, canceled, succeeded, "processing":
		return p.Status
	}
	return "none that there is"
}

// answer is that of a declined card.
func (f *fault) answer(ref string) gateway.Answer {
	a := gateway.Answer{Outcome: gateway.Declined, Ref: ref, Class: gateway.Refusal}
	for _, code := range []string{f.DeclineCode, f.Code} { // the more exact one first
		if class, ok := classes[code]; ok {
			a.Class, a.Code = class, code
			break
		}
	}
	if f.Method != nil {
		f.Method.Card.Checks.into(&a)
	}
	return a
}

func (c checks) into(a *gateway.Answer) {
	check := map[string]gateway.Check{"pass": gateway.Match, "fail": gateway.Mismatch, "unavailable": gateway.Unknown}
	a.CVV, a.Line, a.Postcode = check[c.CVC], check[c.Line], check[c.Postcode]
}

// known is a code of the table, and nothing for any other.
func known(code string) string {
	if _, ok := classes[code]; ok {
		return code
	}
	return ""
}

// classes are what Stripe's codes of declines mean (docs.stripe.com/declines/codes, docs.stripe.com/error-codes).
var classes = map[string]gateway.Class{
	"approve_with_id": gateway.Refusal, "call_issuer": gateway.Refusal, "card_declined": gateway.Refusal, "do_not_honor": gateway.Refusal,
	"do_not_try_again": gateway.Refusal, "fraudulent": gateway.Refusal, "generic_decline": gateway.Refusal, "highest_risk_level": gateway.Refusal,
	"elevated_risk_level": gateway.Refusal, "merchant_blacklist": gateway.Refusal, "no_action_taken": gateway.Refusal, "not_permitted": gateway.Refusal,
	"revocation_of_all_authorizations": gateway.Refusal, "revocation_of_authorization": gateway.Refusal, "security_violation": gateway.Refusal,
	"stop_payment_order": gateway.Refusal, "transaction_not_allowed": gateway.Refusal, "duplicate_transaction": gateway.Refusal, "testmode_decline": gateway.Refusal,
	"card_decline_rate_limit_exceeded": gateway.Refusal,

	"insufficient_funds": gateway.Funds, "card_velocity_exceeded": gateway.Funds, "withdrawal_count_limit_exceeded": gateway.Funds,
	"expired_card": gateway.Expired, "invalid_expiry_month": gateway.Expired, "invalid_expiry_year": gateway.Expired,

	"card_not_supported": gateway.BadCard, "currency_not_supported": gateway.BadCard, "incorrect_number": gateway.BadCard, "invalid_account": gateway.BadCard,
	"invalid_number": gateway.BadCard, "new_account_information_available": gateway.BadCard, "restricted_card": gateway.BadCard, "service_not_allowed": gateway.BadCard,

	"incorrect_cvc": gateway.BadCVV, "invalid_cvc": gateway.BadCVV,
	"incorrect_address": gateway.BadAddress, "incorrect_zip": gateway.BadAddress,
	"lost_card": gateway.Stolen, "stolen_card": gateway.Stolen, "pickup_card": gateway.Stolen,

	"authentication_required": gateway.NeedsHolder, "authentication_not_handled": gateway.NeedsHolder, "payment_intent_authentication_failure": gateway.NeedsHolder,
	"offline_pin_required": gateway.NeedsHolder, "online_or_offline_pin_required": gateway.NeedsHolder, "incorrect_pin": gateway.NeedsHolder,
	"invalid_pin": gateway.NeedsHolder, "pin_try_exceeded": gateway.NeedsHolder,

	"issuer_not_available": gateway.Later, "processing_error": gateway.Later, "reenter_transaction": gateway.Later, "try_again_later": gateway.Later,
	"invalid_amount": gateway.Misconfigured,
}
