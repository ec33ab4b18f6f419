package clients

import (
	"encoding/json"
	"time"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/payment"
	"github.com/flattone/flattone/daemon/vault"
)

// Answer is what a client is told: one of its parts.
type Answer struct {
	Card    *Card    `json:"card,omitempty"`
	Deleted bool     `json:"deleted,omitempty"`
	Payment *Payment `json:"payment,omitempty"`
	Act     *Act     `json:"act,omitempty"`
	Error   *Error   `json:"error,omitempty"`
}

// Card is what may be known of one.
type Card struct {
	Token       string     `json:"token"` // as it was asked for
	Kind        vault.Kind `json:"kind"`
	Brand       string     `json:"brand"`
	Last4       string     `json:"last4"`
	ExpiryMonth int        `json:"exp_month,omitzero"`
	ExpiryYear  int        `json:"exp_year,omitzero"`
	Expired     bool       `json:"expired"`
	KeptUntil   time.Time  `json:"kept_until"`
	OnHold      bool       `json:"on_hold"` // it is kept longer
}

// Payment is how one stands.
type Payment struct {
	ID        string        `json:"id"`
	State     payment.State `json:"state"`
	Minor     int64         `json:"minor"`
	Currency  string        `json:"currency"`
	Reference string        `json:"reference,omitempty"`
	Taken     int64         `json:"taken_minor"`
	Refunded  int64         `json:"refunded_minor"`
	Voided    bool          `json:"voided"`
	Reason    string        `json:"reason,omitempty"` // why it failed, or waits
	Class     gateway.Class `json:"class,omitempty"`  // of a decline: why
	Auth      string        `json:"auth,omitempty"`
	Changed   time.Time     `json:"changed"`
}

// Act is what is done with a payment.
type Act struct {
	ID      string        `json:"id"`
	Payment string        `json:"payment"`
	Kind    payment.Kind  `json:"kind"`
	Minor   int64         `json:"minor"` // of a void 0
	State   payment.State `json:"state"`
}

// Error says why something wasn't done.
type Error struct {
	Code   Code   `json:"code"`
	Text   string `json:"text"`
	Remedy string `json:"remedy"`
}

// Code is why, for programs. None ever changes.
type Code string

// The codes.
const (
	NotBelieved    Code = "not_believed"    // nobody knows whose request it is
	BadRequest     Code = "bad_request"     // it isn't one
	NotAllowed     Code = "not_allowed"     // the client may not
	Quota          Code = "quota"           // not any more this hour
	IDReused       Code = "id_reused"       // something else was asked under this id
	UnknownToken   Code = "unknown_token"   // this client has no card by it
	OnHold         Code = "on_hold"         // somebody keeps the card
	UnknownPayment Code = "unknown_payment" // this client has no such payment
	NoConsent      Code = "no_consent"      // nobody has agreed that the card is charged again
	Impossible     Code = "impossible"      // it can't be done, as things are
	Unavailable    Code = "unavailable"     // the box can't, for now
)

// remedies are what to do.
var remedies = map[Code]string{
	NotBelieved:    "sign it by the client's secret as Standard Webhooks has it, by a clock that is right, and send it with a reply subject",
	BadRequest:     "docs/clients.md has what a request looks like; nothing was done, and the id is free",
	NotAllowed:     "have the owner change [client.NAME] in the box's configuration; nothing was done, and the id is free",
	Quota:          "ask again later, under the same id, or have the owner raise per_hour of [client.NAME]",
	IDReused:       "give each request an id of its own, and the same one only to the same request",
	UnknownToken:   "there never was such a card, or it is gone, or it isn't this client's: forget the token",
	OnHold:         "somebody keeps it from being deleted: flattone card holds says who and why; once it is released, ask under another id",
	UnknownPayment: "payment events have their ids: of this client's gateway, and no other",
	NoConsent:      "only a card that was taken with its holder's consent to later charges is charged again: take one anew",
	Impossible:     "ask how the payment stands; then something else, under another id",
	Unavailable:    "ask again under the same id: whatever was done is not done twice",
}

func refusal(code Code, text string) Answer {
	return Answer{Error: &Error{Code: code, Text: text, Remedy: remedies[code]}}
}

// result is how it is in the audit log.
func (a Answer) result() string {
	if a.Error != nil {
		return string(a.Error.Code)
	}
	return "ok"
}

// JSON is the answer as it is sent.
func (a Answer) JSON() []byte {
	text, err := json.Marshal(a)
	if err != nil {
		panic(err) // it is texts, numbers and times of this century
	}
	return text
}

// cardOf is what a client is told of a card at a time.
func cardOf(e vault.Entry, token string, now time.Time) *Card {
	return &Card{Token: token, Kind: e.Kind, Brand: e.Brand, Last4: e.Last4, ExpiryMonth: e.ExpiryMonth, ExpiryYear: e.ExpiryYear,
		Expired: expired(e.ExpiryMonth, e.ExpiryYear, now), KeptUntil: e.Expires, OnHold: e.Hold != nil}
}

// expired reports that the month is over, everywhere: a card is good to its last day. One without an expiry never is.
func expired(month, year int, now time.Time) bool {
	const last = 12 * time.Hour // UTC-12 is the last place where it ends
	return month != 0 && !now.Add(-last).Before(time.Date(year, time.Month(month)+1, 1, 0, 0, 0, 0, time.UTC))
}
