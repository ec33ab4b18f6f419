// Package gateway is what flattone and a payment provider have to say to each other about one payment: the verbs of a [Connector], and what its answers mean.
//
// It exists so that daemon/payment charges cards without knowing whom it speaks to, and so that every connector keeps the same promises, which one suite
// (gatewaytest) holds against each of them and its provider, or a faithful simulator of it:
//
//   - A provider is asked for one payment under one [Order.Key], however often it is asked. No verb takes money twice.
//   - Before a card leaves, note has durably kept the reference by which the provider will know the payment. So after a crash it can be asked what became of it.
//   - An error tells whether the provider may have acted: [ErrNotSent] and [ErrRefused] say that it hasn't, and any other says that nobody knows, until Inquire or
//     Void has an answer.
//   - A card is written from its locked page into the connection, and is in no string, no error and no answer: an answer that repeats eight digits of it in a row
//     is no answer ([Guard]).
//
// It never follows a redirect, speaks no TLS below 1.2, and never takes a provider's free text: only what a connector's table knows goes on.
package gateway

import (
	"context"
	"errors"

	"github.com/flattone/flattone/daemon/secret"
)

// Connector speaks to one provider. Safe for concurrent use. Each verb returns by the end of its context, whatever the provider does.
//
//	Authorise ──▶ Approved ──Capture──▶ taken ──Refund──▶ given back
//	    │            └──────Void──────▶ nothing is taken
//	    ├───────▶ Declined
//	    └─ nobody knows ──Inquire──▶ Approved, Declined, NotThere, or nobody knows yet
//	             └────────Void─────▶ nothing is taken
type Connector interface {
	// Reach says whether the provider can be reached just now, and why not. Nothing is asked of him that could move money, and it takes its context's time at most.
	// That he was there is no promise that he is, a moment later.
	Reach(ctx context.Context) error
	// Authorise asks for the money, and takes it at once where the order says so. The card, with its CVV if there is one, is the caller's, and isn't kept. note
	// keeps ref before the card leaves; if it fails, the card doesn't leave, and that is [ErrNotSent].
	Authorise(ctx context.Context, o Order, card *secret.Card, note func(ref string) error) (Answer, error)
	// Inquire asks what became of a payment that ref was noted for. A connector whose provider can't be asked says [ErrCannotInquire].
	Inquire(ctx context.Context, o Order, ref string) (Answer, error)
	// Void undoes a payment, whether it happened or not. Approved says that nothing is taken, and that nothing of it will be, whatever is under way.
	Void(ctx context.Context, o Order, ref string) (Answer, error)
	// Capture takes the money of an approved order, all of it or less.
	Capture(ctx context.Context, o Order, ref string, minor int64) (Answer, error)
	// Refund gives money back that was taken; key is the refund's own, by which it is given once.
	Refund(ctx context.Context, o Order, ref, key string, minor int64) (Answer, error)
}

// Errors of every connector. What else there is, with context.DeadlineExceeded and lost connections, leaves open whether the provider acted.
var (
	ErrNotSent       = errors.New("the provider was not asked")           // nothing that it could act on left the box
	ErrRefused       = errors.New("the provider refused the request")     // it said so, and did nothing: a key, an account or a form that is wrong
	ErrCannotInquire = errors.New("the provider can't be asked")          // void it instead
	ErrGarbled       = errors.New("the provider's answer makes no sense") // nobody knows
)

// Order is what a card is charged for. It doesn't change from one verb to the next.
type Order struct {
	Key       string // the idempotency key: pay_ and 26 base32 characters
	Minor     int64  // the amount in the currency's minor unit, above 0
	Currency  string // ISO 4217, as [IsCurrency] has it
	Reference string // the owner's word for it, as [IsReference] has it; may be empty
	Take      bool   // a sale: the money is taken at once. Otherwise it is only authorised, and Capture takes it
	Address   Address
	// Stored is set where the card isn't keyed by a caller who is on the phone, but comes from the vault, by the consent of its owner. It says by which network
	// transaction he gave it (the Answer.NetworkID of a first payment). Without it each payment is MOTO: mail order, telephone order.
	Stored *Stored
	// Consent: the holder, who is on the phone, agrees that the card is charged again without him, as Stored. Networks want to be told with the first payment.
	Consent bool
	// Deferred: it was keyed while the provider couldn't be asked, and is charged later, without its CVV.
	Deferred bool
}

// Stored is what makes a stored card's use lawful.
type Stored struct{ NetworkID string }

// Address is the card holder's, for the address verification service (AVS). Both may be empty.
type Address struct {
	Line     string // the first line, as far as the service compares it: house number and street
	Postcode string
}

// Outcome is what a provider says.
type Outcome string

// The outcomes.
const (
	Approved Outcome = "approved"
	Declined Outcome = "declined"
	NotThere Outcome = "not_there" // Inquire: the provider has never acted on it, and won't any more
)

// Answer is what a provider says of a payment, in words of ours.
type Answer struct {
	Outcome Outcome
	Ref     string // by which the provider knows it now; "": as noted
	Class   Class  // of a decline: why
	Code    string // the provider's own code, 1 to 32 of [A-Za-z0-9_.-]; for people who talk to it
	Auth    string // the authorisation code, up to 6 letters and digits
	// NetworkID is the card network's transaction id, by which stored use refers to this payment.
	NetworkID string
	CVV       Check
	Postcode  Check
	Line      Check
}

// Class is a reason in words that an agent can act on.
type Class string

// The classes of declines.
const (
	Refusal       Class = "refused"       // the issuer says no, and not why
	Funds         Class = "funds"         // not enough money, or a limit
	Expired       Class = "expired"       // the card is over
	BadCard       Class = "card"          // no such card, or not for this
	BadCVV        Class = "cvv"           // the security code is wrong
	BadAddress    Class = "address"       // the address is wrong
	Stolen        Class = "stolen"        // lost, stolen, or to be kept; an agent is told refused
	NeedsHolder   Class = "authenticate"  // the issuer wants the holder to prove himself, which nobody can by phone
	Later         Class = "later"         // the issuer can't be asked now
	Misconfigured Class = "misconfigured" // the provider doesn't let this box do it
)

// Check is how something compared with what the issuer has.
type Check string

// The results of a check.
const (
	Unchecked Check = ""
	Match     Check = "match"
	Mismatch  Check = "mismatch"
	Unknown   Check = "unknown" // the issuer doesn't say
)
