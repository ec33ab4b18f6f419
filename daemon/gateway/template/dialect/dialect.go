// Package dialect reads how a provider is spoken to where its owner has written that into the configuration: what each verb of a connector sends, with placeholders,
// and what the answers mean.
//
// It exists so that a new provider needs no Go, and so that `flattone check` and flattoned judge such a text alike. It promises of what it accepts ([Parse]) that
//
//   - a card has its place in the body of the authorising request, and in no other text;
//   - whatever a value is, it stays in its place: in JSON within its string, in XML within its text or attribute, in a form within its value, in an address
//     within its segment, in a header within its line;
//   - with each of its sections in or out, a body is well-formed;
//   - requests go to the hosts that are allowed by name, over https, and nowhere else;
//   - an answer is only ever read as what its owner wrote down; whatever else it is, nobody knows what became of the payment.
//
// It has no connection and no file, and no digit goes through it: it only says where digits go.
package dialect

import (
	"fmt"
	"slices"

	"github.com/flattone/flattone/daemon/gateway"
)

// Encoding is how a body is written.
type Encoding string

// The encodings.
const (
	JSON Encoding = "json"
	Form Encoding = "form" // application/x-www-form-urlencoded
	XML  Encoding = "xml"
)

// Verb is what a provider is asked for.
type Verb string

// The verbs, as the tables below [gateway.NAME] are called.
const (
	Authorise Verb = "authorise"
	Inquire   Verb = "inquire"
	Void      Verb = "void"
	Capture   Verb = "capture"
	Refund    Verb = "refund"
)

// Verbs in the order in which they are written.
func Verbs() []Verb { return []Verb{Authorise, Inquire, Void, Capture, Refund} }

// Provider is what an owner writes of one.
type Provider struct {
	Allow    []string // https://host or https://host:port: where requests may go
	Encoding Encoding
	Requests map[Verb]Request
	Answer   Answer
}

// Request is what a verb sends, and which words of an answer's status mean what.
type Request struct {
	Method  string
	URL     string
	Headers []string // "Name: value"
	Body    string
	// Approved, Declined and NotThere (of an inquiry alone) are values of Answer.Status.
	Approved, Declined, NotThere []string
}

// Answer says where in an answer's JSON what stands, by JSON pointers (RFC 6901), and what it means.
type Answer struct {
	Status string // the one that must be there
	Key    string // where the provider repeats {{key}}: an answer with another is none of ours
	Ref, Code, Auth, NetworkID,
	CVV, Postcode, Line string
	// Read, Refused and NotThere are HTTP statuses: whose body is read, which say that the provider has done nothing, and (of an inquiry alone) that it knows of no
	// such payment. Any other leaves open what became of it.
	Read, Refused, NotThere []int
	// Classes has the codes of declines by what they mean; of one that isn't there the issuer says no, and not why.
	Classes map[gateway.Class][]string
	// Match and Mismatch are values of CVV, Postcode and Line.
	Match, Mismatch []string
}

// Classes are the reasons that codes may mean.
func Classes() []gateway.Class {
	return []gateway.Class{gateway.Refusal, gateway.Funds, gateway.Expired, gateway.BadCard, gateway.BadCVV, gateway.BadAddress, gateway.Stolen, gateway.NeedsHolder,
		gateway.Later, gateway.Misconfigured}
}

// Fault is one thing wrong with what an owner wrote: where it stands, such as authorise.body, why it is wrong and what to write instead.
type Fault struct{ Key, Reason, Remedy string }

func (f Fault) Error() string { return f.Key + ": " + f.Reason + "; " + f.Remedy }

// Parsed is a provider as it can be spoken to. Safe for concurrent use.
type Parsed struct {
	encoding Encoding
	requests map[Verb]*request
	answer   Answer
	pointers map[string][]string
}

type request struct {
	Request
	base      string // where it goes
	url, body text
	headers   []header
}

type header struct {
	name  string
	value text
}

// Parse tells everything that is wrong at once, in no faults' way of each other.
func Parse(p Provider) (*Parsed, []Fault) {
	r := &reader{encoding: p.Encoding}
	for _, base := range p.Allow {
		r.base(base)
	}
	out := &Parsed{encoding: p.Encoding, requests: map[Verb]*request{}, answer: p.Answer, pointers: map[string][]string{}}
	for _, verb := range Verbs() {
		if written, ok := p.Requests[verb]; ok {
			out.requests[verb] = r.request(verb, written, p.Allow)
		}
	}
	_, asks := p.Requests[Inquire]
	_, voids := p.Requests[Void]
	if !asks && !voids {
		r.fault("inquire", "is missing, and so is void", "write one of the two: after a time-out it must be found out, or undone, what the provider did")
	}
	if void := out.requests[Void]; void != nil && !asks && void.uses("ref") && p.Answer.Ref != "" {
		r.fault("void.url", "has {{ref}}, which after a time-out is known to an inquiry alone", "write an inquire table, or void by {{key}}")
	}
	r.answer(p.Answer, asks, out.pointers)
	return out, r.faults
}

// Has reports whether a verb was written.
func (p *Parsed) Has(verb Verb) bool { return p.requests[verb] != nil }

// Base is the one of the allowed addresses that a verb's request goes to.
func (p *Parsed) Base(verb Verb) string { return p.requests[verb].base }

// NeedsRef reports whether a verb takes the provider's own name for a payment, which is in an answer alone.
func (p *Parsed) NeedsRef(verb Verb) bool {
	return p.answer.Ref != "" && p.Has(verb) && p.requests[verb].uses("ref")
}

func (r *request) uses(word string) bool {
	texts := []text{r.url, r.body}
	for _, h := range r.headers {
		texts = append(texts, h.value)
	}
	return slices.ContainsFunc(texts, func(t text) bool { return slices.ContainsFunc(t, func(p part) bool { return p.word == word }) })
}

// reader gathers faults.
type reader struct {
	encoding Encoding
	faults   []Fault
}

func (r *reader) fault(key, reason, remedy string, args ...any) {
	r.faults = append(r.faults, Fault{key, fmt.Sprintf(reason, args...), remedy})
}
