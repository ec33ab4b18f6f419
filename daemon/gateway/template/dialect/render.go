package dialect

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/flattone/flattone/daemon/secret"
)

// Page is where a body is written, as a courier's is: in locked memory.
type Page interface {
	Text(s string)
	Digits(of *secret.Text, from, to int)
}

// Values are what placeholders stand for.
type Values struct {
	Card *secret.Card      // nil where there is none
	Text map[string]string // of all that is no card's; a section is there if its word is, and isn't empty
}

func (v Values) has(word string) bool {
	if word == "cvv" {
		return v.Card != nil && v.Card.CVV.Len() > 0
	}
	return v.Text[word] != ""
}

// Body writes a verb's body, with each value in its encoding.
func (p *Parsed) Body(verb Verb, to Page, v Values) {
	p.requests[verb].body.write(p.encoding, v.has, v.Text, to.Text, func(word string) { digits(to, word, v.Card) })
}

// HasBody reports whether a verb sends one.
func (p *Parsed) HasBody(verb Verb) bool { return len(p.requests[verb].body) > 0 }

// digits writes a card's. What is keyed of an expiry is MMYY.
func digits(to Page, word string, card *secret.Card) {
	switch word {
	case "pan":
		to.Digits(card.PAN, 0, card.PAN.Len())
	case "expiry_month":
		to.Digits(card.Expiry, 0, 2)
	case "expiry_year":
		to.Text("20")
		to.Digits(card.Expiry, 2, 4)
	case "expiry_yy":
		to.Digits(card.Expiry, 2, 4)
	case "cvv":
		to.Digits(card.CVV.Text, 0, card.CVV.Len())
	}
}

func (t text) write(e Encoding, has func(string) bool, values map[string]string, put, card func(string)) {
	for _, p := range t {
		switch {
		case !p.there(has):
		case p.word == "":
			put(p.literal)
		case ofCard(p.word):
			card(p.word)
		default:
			put(e.escape(values[p.word]))
		}
	}
}

// escape keeps a value in its place. What isn't UTF-8, and what XML can't have, becomes U+FFFD.
func (e Encoding) escape(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	switch e {
	case JSON:
		text, err := json.Marshal(s)
		if err != nil {
			panic(err) // any string can be one of JSON's
		}
		return string(text[1 : len(text)-1])
	case XML:
		var b strings.Builder
		xml.EscapeText(&b, []byte(s)) // a Builder takes all
		return b.String()
	}
	return url.QueryEscape(s)
}

// Head is a request up to its body. Base is one of those that are allowed.
type Head struct {
	Method, Base, Path string
	Headers            map[string]string
}

// Head fills in a verb's. Its errors are for values that have no place in it.
func (p *Parsed) Head(verb Verb, v Values) (Head, error) {
	q := p.requests[verb]
	h := Head{q.Method, q.base, "", map[string]string{"Accept": "application/json"}}
	for _, part := range q.url {
		if part.word == "" {
			h.Path += part.literal
			continue
		}
		value := v.Text[part.word]
		if strings.Trim(value, ".") == "" { // nothing, or a way up
			return Head{}, errors.New("{{" + part.word + "}} is nothing that an address can have")
		}
		h.Path += strings.ReplaceAll(url.QueryEscape(value), "+", "%20") // which is a space in a path as well as in a query
	}
	if len(q.body) > 0 {
		h.Headers["Content-Type"] = map[Encoding]string{JSON: "application/json", XML: "application/xml", Form: "application/x-www-form-urlencoded"}[p.encoding]
	}
	for _, written := range q.headers {
		var value strings.Builder
		for _, part := range written.value {
			value.WriteString(part.literal + v.Text[part.word])
		}
		if strings.ContainsFunc(value.String(), func(c rune) bool { return c < ' ' || c > '~' }) {
			return Head{}, errors.New("the header " + written.name + " has a value that no header can have")
		}
		maps.DeleteFunc(h.Headers, func(name, _ string) bool { return strings.EqualFold(name, written.name) }) // its owner knows better
		h.Headers[written.name] = value.String()
	}
	return h, nil
}

// wellFormed judges a body with each of its sections in and out.
func (r *reader) wellFormed(key string, t text) {
	var sections []string
	for _, p := range t {
		if p.when != "" && !slices.Contains(sections, p.when) {
			sections = append(sections, p.when)
		}
	}
	for in := range 1 << len(sections) {
		var b strings.Builder
		samples := map[string]string{}
		for name := range words {
			samples[name] = "7"
		}
		has := func(word string) bool { return in>>slices.Index(sections, word)&1 == 1 }
		t.write(r.encoding, has, samples, func(s string) { b.WriteString(s) }, func(string) { b.WriteString("07") })
		if b.Len() > 0 && !r.encoding.valid(b.String()) {
			r.fault(key, "is no %s once its placeholders and sections are filled in, or left out", "look at it with each section in and out: commas, brackets and quotes", strings.ToUpper(string(r.encoding)))
			return
		}
	}
}

func (e Encoding) valid(body string) bool {
	switch e {
	case JSON:
		return json.Valid([]byte(body))
	case XML:
		d, depth, roots := xml.NewDecoder(strings.NewReader(body)), 0, 0
		for {
			token, err := d.Token()
			switch token.(type) {
			case xml.StartElement:
				if depth++; depth == 1 {
					roots++
				}
			case xml.EndElement:
				depth--
			}
			if err != nil {
				return err == io.EOF && roots == 1
			}
		}
	}
	_, err := url.ParseQuery(body)
	return err == nil
}
