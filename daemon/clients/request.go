package clients

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/payment"
	"github.com/flattone/flattone/daemon/vault"
)

// Verb is what may be asked.
type Verb string

// The verbs. Lookup and Books look, the others act.
const (
	Lookup  Verb = "lookup"  // what is known of a card
	Delete  Verb = "delete"  // the card is shredded
	Charge  Verb = "charge"  // the card is charged, by the consent of its holder
	Capture Verb = "capture" // money that was only authorised is taken
	Void    Verb = "void"    // a payment is undone before its money has moved
	Refund  Verb = "refund"  // money that was taken is given back
	Books   Verb = "payment" // how a payment stands
)

// forms are the fields that each verb needs, besides verb and purpose, and that it may have.
var forms = map[Verb]struct{ needs, may []string }{
	Lookup:  {[]string{"token"}, nil},
	Delete:  {[]string{"token"}, nil},
	Charge:  {[]string{"token", "minor", "currency"}, []string{"reference", "authorise"}},
	Capture: {[]string{"payment"}, []string{"minor"}},
	Void:    {[]string{"payment"}, nil},
	Refund:  {[]string{"payment"}, []string{"minor"}},
	Books:   {[]string{"payment"}, nil},
}

// Verbs are all there are.
func Verbs() []Verb { return slices.Sorted(maps.Keys(forms)) }

// looks reports that a verb changes nothing.
func (v Verb) looks() bool { return v == Lookup || v == Books }

// Request is what a client asks.
type Request struct {
	Verb      Verb   `json:"verb"`
	Purpose   string `json:"purpose"`             // one of the client's own
	Token     string `json:"token,omitempty"`     // as its destination was told
	Payment   string `json:"payment,omitempty"`   // its id
	Minor     int64  `json:"minor,omitempty"`     // how much, in the currency's minor unit; 0: all that there is
	Currency  string `json:"currency,omitempty"`  // ISO 4217
	Reference string `json:"reference,omitempty"` // the client's word for the payment
	Authorise bool   `json:"authorise,omitempty"` // the money is set aside only
}

// LongestBody is how long a request may be, in bytes.
const LongestBody = 4096

// Parse reads a request: one JSON object without a part that is one, each field once and known, and those that the verb takes and no other. Errors say which field, and
// quote nothing: a card number may have been put in any place.
func Parse(body []byte) (q Request, err error) {
	if len(body) > LongestBody {
		return q, fmt.Errorf("it is longer than %d bytes", LongestBody)
	}
	fields, err := flat(body)
	if err == nil {
		err = q.fill(fields)
	}
	if err == nil {
		err = q.check(fields)
	}
	if err != nil {
		return Request{}, err
	}
	return q, nil
}

// fill takes the fields by their types.
func (q *Request) fill(fields map[string]any) error {
	texts := map[string]*string{"verb": (*string)(&q.Verb), "purpose": &q.Purpose, "token": &q.Token, "payment": &q.Payment, "currency": &q.Currency, "reference": &q.Reference}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		switch to, isText := texts[name]; {
		case isText:
			text, is := fields[name].(string)
			if !is {
				return fmt.Errorf("%s is not text", name)
			}
			*to = text
		case name == "minor":
			number, _ := fields[name].(json.Number)
			n, err := strconv.ParseInt(string(number), 10, 64)
			if err != nil || n <= 0 {
				return errors.New("minor is not a whole number above 0")
			}
			q.Minor = n
		case name == "authorise":
			is, truth := fields[name].(bool)
			if !truth {
				return errors.New("authorise is neither true nor false")
			}
			q.Authorise = is
		default:
			return errors.New("it has a field that there is not")
		}
	}
	return nil
}

// check refuses what a verb can't be asked with.
func (q Request) check(fields map[string]any) error {
	form, known := forms[q.Verb]
	if !known {
		return errors.New("verb is none that there is")
	}
	needs := append([]string{"verb", "purpose"}, form.needs...)
	for _, name := range needs {
		if _, there := fields[name]; !there {
			return fmt.Errorf("%s is missing, which %s needs", name, q.Verb)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(needs, name) && !slices.Contains(form.may, name) {
			return fmt.Errorf("%s is there, which %s doesn't take", name, q.Verb)
		}
	}
	switch {
	case q.Token != "" && !vault.IsToken(q.Token), q.Token == "" && slices.Contains(needs, "token"):
		return errors.New("token is no token")
	case q.Payment != "" && !payment.IsID(q.Payment), q.Payment == "" && slices.Contains(needs, "payment"):
		return errors.New("payment is no payment's id")
	case slices.Contains(needs, "currency") && !gateway.IsCurrency(q.Currency):
		return errors.New("currency is not three capital letters of ISO 4217")
	case !gateway.IsReference(q.Reference):
		return errors.New("reference is not up to 64 letters, digits, dots, hyphens and underscores, with at most 11 digits in a row")
	}
	return nil
}

// hash tells one request from another, whatever way it was written.
func (q Request) hash() []byte {
	text, err := json.Marshal(q)
	if err != nil {
		panic(err) // it is texts, numbers and truths
	}
	sum := sha256.Sum256(text)
	return sum[:]
}

// String is what is asked, for the audit log.
func (q Request) String() string {
	what := string(q.Verb)
	if q.Minor != 0 {
		what += fmt.Sprintf(" %d", q.Minor)
	}
	if q.Currency != "" {
		what += " " + q.Currency
	}
	return what + " for " + q.Purpose
}

// IsID reports whether a request may have this id.
func IsID(id string) bool { return id != "" && gateway.IsReference(id) && !strings.Contains(id, ".") }
