package dialect

import "slices"

// place is where a text stands.
type place int

const (
	inURL place = 1 << iota
	inHeader
	inBody
)

// word is what may stand in {{ }}.
type word struct {
	in     place
	only   []Verb // nil: in every verb
	number bool   // in JSON it may stand outside of quotes
	// section says that {{#word}} and {{^word}} may ask whether there is one, and flag that this is all there is to it.
	section, flag bool
}

// words are all there are. Those of a card stand in the authorising body alone.
var words = map[string]word{
	"pan":            {in: inBody, only: []Verb{Authorise}},
	"expiry_month":   {in: inBody, only: []Verb{Authorise}},
	"expiry_year":    {in: inBody, only: []Verb{Authorise}},
	"expiry_yy":      {in: inBody, only: []Verb{Authorise}},
	"cvv":            {in: inBody, only: []Verb{Authorise}, section: true},
	"amount":         {in: inHeader | inBody, number: true},
	"amount_decimal": {in: inHeader | inBody, number: true},
	"currency":       {in: inHeader | inBody},
	"key":            {in: inURL | inHeader | inBody},
	"reference":      {in: inURL | inHeader | inBody, section: true},
	"address_line":   {in: inBody, only: []Verb{Authorise}, section: true},
	"postcode":       {in: inBody, only: []Verb{Authorise}, section: true},
	"network_id":     {in: inBody, only: []Verb{Authorise}, section: true},
	"ref":            {in: inURL | inHeader | inBody, only: []Verb{Void, Capture, Refund}},
	"secret":         {in: inHeader},
	"take":           {only: []Verb{Authorise}, section: true, flag: true},
	"stored":         {only: []Verb{Authorise}, section: true, flag: true},
	"consent":        {only: []Verb{Authorise}, section: true, flag: true},
	"deferred":       {only: []Verb{Authorise}, section: true, flag: true},
}

// ofCard are a card's own.
func ofCard(name string) bool {
	return slices.Contains([]string{"pan", "expiry_month", "expiry_year", "expiry_yy", "cvv"}, name)
}

// judge says why a word may not stand where it does; "" if it may.
func (w word) judge(name string, verb Verb, in place) (reason, remedy string) {
	switch {
	case ofCard(name) && in != inBody:
		return "has {{" + name + "}}, and a card never leaves in an address or a header, which others log", "write it into authorise.body alone"
	case name == "secret" && in != inHeader:
		return "has {{secret}}, which is for headers alone", `write it into one of headers, such as "Authorization: Bearer {{secret}}"`
	case w.only != nil && !slices.Contains(w.only, verb):
		return "has {{" + name + "}}, which there isn't in this request", "take it out: docs/gateways.md has what each request may have"
	case w.in&in == 0:
		return "has {{" + name + "}}, which may not stand here", "take it out: docs/gateways.md has what may stand where"
	}
	return "", ""
}
