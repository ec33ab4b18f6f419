// Package gatewaytest holds every connector to the contract of daemon/gateway, against its provider or a simulator of it that keeps books.
//
// It exists so that daemon/payment may rely on any of them alike. A connector's test calls [Run] with a [Rig]; the suite charges, loses answers, crashes between
// steps, asks, voids and gives back, and compares what the connector says with the books after each.
//
// It promises that a connector which passes takes money once at most, whatever is lost and however often it is asked, and says truly what became of it. It is for
// tests only, and knows public test cards alone.
package gatewaytest

import (
	"testing"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/secret"
)

// Fault is what goes wrong with one request that could move money.
type Fault string

// The faults. Where nothing else is said, the provider has acted on the request.
const (
	Unheard   Fault = "unheard"   // the connection is closed before the request is read: it doesn't act
	Busy      Fault = "busy"      // it says that it doesn't act now
	Silent    Fault = "silent"    // no answer, and the connection stays
	Dropped   Fault = "dropped"   // the connection is closed without an answer
	Failing   Fault = "failing"   // it says that something went wrong, not what
	Garbled   Fault = "garbled"   // noise
	Truncated Fault = "truncated" // the answer ends early
	Oversized Fault = "oversized" // the answer is longer than any
	Stale     Fault = "stale"     // the answer is that of another payment which went well: it doesn't act
	Twice     Fault = "twice"     // the answer comes twice
	Late      Fault = "late"      // it has the request, and acts on it only when Break is called again
)

// Books are what a provider keeps of an order, in minor units.
type Books struct {
	Charges  int   // how often it was authorised, voided since or not
	Held     int64 // authorised, and neither taken nor let go
	Taken    int64
	Returned int64 // of what was taken
}

// Provider is whom the connector speaks to. Safe for concurrent use.
type Provider interface {
	// Break has a fault befall the next request that could move money: of an authorisation, a capture, a void or a refund, not those that prepare one or only ask. It
	// replaces the fault before, if that befell nobody; "" is none. met is closed when the provider has acted on the request, or hasn't, and is about to answer. What came [Late] is acted on before Break returns.
	Break(Fault) (met <-chan struct{})
	Books(gateway.Order) Books
}

// Rig is a connector and its provider, as new.
type Rig struct {
	Connector gateway.Connector
	Provider  Provider
	// Approved is a test card's number that is approved, and Declined are those that are declined, by the class.
	Approved string
	Declined map[gateway.Class]string
	// Faults are those that this provider's protocol knows.
	Faults []Fault
	// CannotInquire: the connector says [gateway.ErrCannotInquire].
	CannotInquire bool
	// Stranger makes a connector to a provider for whom nobody vouches.
	Stranger func() gateway.Connector
	// Leave has the provider be away from now on.
	Leave func()
	// Partial: less may be captured than was authorised.
	Partial bool
}

// Run runs the suite. start makes a rig for each part of it.
func Run(t *testing.T, start func(testing.TB) Rig) {
	for name, test := range map[string]func(*testing.T, *rig){
		"reach": reach, "sale": sale, "authorise and capture": authoriseAndCapture, "declines": declines, "again": again, "void": voids, "refund": refunds,
		"answers lost": answersLost, "verbs lost": verbsLost, "late": late, "not noted": notNoted, "crash after the note": crashAfterTheNote, "ends with its context": endsWithItsContext,
	} {
		t.Run(name, func(t *testing.T) { test(t, &rig{Rig: start(t), t: t}) })
	}
	t.Run("never twice", func(t *testing.T) { neverTwice(t, start) })
}

// Card is a card with a number of digits, for the expiry of 2031-11, with the code 123.
func Card(t testing.TB, number string) *secret.Card {
	t.Helper()
	card, err := secret.NewCard()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(card.Destroy)
	for _, field := range []struct {
		to     *secret.Text
		digits string
	}{{card.PAN, number}, {card.Expiry, "1131"}, {card.CVV.Text, "123"}} {
		for i := range len(field.digits) {
			if err := field.to.Append(field.digits[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return card
}
