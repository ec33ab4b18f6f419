package dialect

import (
	"encoding/json"
	"encoding/xml"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/daemon/secret"
)

// written is a page that a test reads.
type written struct{ strings.Builder }

func (w *written) Text(s string)                        { w.WriteString(s) }
func (w *written) Digits(of *secret.Text, from, to int) { w.Write(of.Reveal()[from:to]) }

const thePAN, theCVV = "4242424242424242", "987"

func aCard(t testing.TB, cvv string) *secret.Card {
	t.Helper()
	card, err := secret.NewCard()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(card.Destroy)
	for text, digits := range map[*secret.Text]string{card.PAN: thePAN, card.Expiry: "1131", card.CVV.Text: cvv} {
		for i := range len(digits) {
			if err := text.Append(digits[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return card
}

func parsed(t testing.TB, p Provider) *Parsed {
	t.Helper()
	out, faults := Parse(p)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return out
}

func TestBodies(t *testing.T) {
	values := func(card *secret.Card, more map[string]string) Values {
		text := map[string]string{"key": "pay_1", "amount": "1234", "amount_decimal": "12.34", "currency": "EUR", "ref": "r-1"}
		maps.Copy(text, more)
		return Values{card, text}
	}
	const xmlBody = `<p k="{{key}}"><n>{{pan}}</n><x>{{expiry_month}}/{{expiry_yy}}</x>{{#stored}}<s>{{network_id}}</s>{{/stored}}{{^stored}}<moto/>{{/stored}}</p>`
	for name, c := range map[string]struct {
		p    Provider
		verb Verb
		v    Values
		want string
	}{
		"all": {acme(), Authorise, values(aCard(t, theCVV), map[string]string{"take": "1", "address_line": `1 "High" St`}),
			`{"id": "pay_1", "amount": 1234, "currency": "EUR", "capture": true,
  "card": {"number": "4242424242424242", "month": "11", "year": "2031", "cvc": "987"}, "street": "1 \"High\" St"}`},
		"without": {acme(), Authorise, values(aCard(t, ""), nil), `{"id": "pay_1", "amount": 1234, "currency": "EUR", "capture": false,
  "card": {"number": "4242424242424242", "month": "11", "year": "2031"}}`},
		"refund": {acme(), Refund, values(nil, nil), `{"key": "pay_1", "payment": "r-1", "amount": "12.34"}`},
		"form":   {in(Form, "n={{pan}}&\n\tk={{key}}&a={{address_line}}"), Authorise, values(aCard(t, ""), map[string]string{"address_line": "a b&c=d+é"}), "n=4242424242424242&k=pay_1&a=a+b%26c%3Dd%2B%C3%A9"},
		"xml":    {in(XML, xmlBody), Authorise, values(aCard(t, ""), nil), `<p k="pay_1"><n>4242424242424242</n><x>11/31</x><moto/></p>`},
		"stored": {in(XML, xmlBody), Authorise, values(aCard(t, ""), map[string]string{"stored": "1", "network_id": `<"&'`}), `<p k="pay_1"><n>4242424242424242</n><x>11/31</x><s>&lt;&#34;&amp;&#39;</s></p>`},
	} {
		var got written
		parsed(t, c.p).Body(c.verb, &got, c.v)
		if got.String() != c.want {
			t.Errorf("%s: got  %s\nwant %s", name, got.String(), c.want)
		}
	}
}

// TestValuesStayInTheirPlace: whatever a value is, what reads the body finds it where it was put, and nothing else anywhere.
func TestValuesStayInTheirPlace(t *testing.T) {
	card := aCard(t, theCVV)
	value := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{`","amount":1,"x":"`, `"}`, "\\", `\"`, "</v><pan>1</pan><v>", `" x="`, "' x='", "]]>", "&amp;", "&#10;", "a&b=c", "%26", "\r\nX: y", "\x00", "\xff\xfe",
		"\u2028", "\ufffe", "<!--", "{{pan}}", "{{#cvv}}", "𝕏", "+"}), rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) }))
	asJSON := parsed(t, body(`{"k": "{{key}}", "p": "{{pan}}", "a": ["{{address_line}}", "x{{postcode}}y"]}`))
	asXML := parsed(t, in(XML, `<r k="{{key}}" a="{{address_line}}" b='{{postcode}}'><p>{{pan}}</p><v>{{address_line}}</v><w>x{{postcode}}y</w></r>`))
	asForm := parsed(t, in(Form, "k={{key}}&p={{pan}}&a={{address_line}}&b=x{{postcode}}y"))
	rapid.Check(t, func(t *rapid.T) {
		line, code := value.Draw(t, "line"), value.Draw(t, "postcode")
		v := Values{card, map[string]string{"key": "pay_1", "address_line": line, "postcode": code}}
		var j, x, f written
		asJSON.Body(Authorise, &j, v)
		asXML.Body(Authorise, &x, v)
		asForm.Body(Authorise, &f, v)

		line, code = strings.ToValidUTF8(line, "\uFFFD"), strings.ToValidUTF8(code, "\uFFFD")
		var doc map[string]any
		if err := json.Unmarshal([]byte(j.String()), &doc); err != nil {
			t.Fatalf("%v in %q", err, j.String())
		}
		if a, _ := doc["a"].([]any); len(doc) != 3 || doc["k"] != "pay_1" || doc["p"] != thePAN || !slices.Equal(a, []any{line, "x" + code + "y"}) {
			t.Errorf("JSON is %q", j.String())
		}

		var r struct {
			K        string     `xml:"k,attr"`
			A        string     `xml:"a,attr"`
			B        string     `xml:"b,attr"`
			P        string     `xml:"p"`
			V        string     `xml:"v"`
			W        string     `xml:"w"`
			Attrs    []xml.Attr `xml:",any,attr"`
			Elements []struct{} `xml:",any"`
		}
		if err := xml.Unmarshal([]byte(x.String()), &r); err != nil {
			t.Fatalf("%v in %q", err, x.String())
		}
		legal := func(s string) string { // XML 1.0, 2.2
			return strings.Map(func(c rune) rune {
				if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xfffe || c == 0xffff {
					return utf8.RuneError
				}
				return c
			}, s)
		}
		if l, c := legal(line), legal(code); r.K != "pay_1" || r.P != thePAN || r.A != l || r.V != l || r.B != c || r.W != "x"+c+"y" || len(r.Attrs) > 0 || len(r.Elements) > 0 {
			t.Errorf("XML is %q", x.String())
		}

		q, err := url.ParseQuery(f.String())
		if err != nil || len(q) != 4 || q.Get("k") != "pay_1" || q.Get("p") != thePAN || q.Get("a") != line || q.Get("b") != "x"+code+"y" {
			t.Errorf("the form is %q, %v", f.String(), err)
		}
	})
}

// TestHeadsStayInTheirPlace: no value leaves its segment, its parameter or its line.
func TestHeadsStayInTheirPlace(t *testing.T) {
	p := parsed(t, with(Void, func(q *Request) {
		q.URL, q.Headers = "https://api.acme.example/v1/{{ref}}/void?k={{key}}", []string{"X-Ref: {{ref}}", "accept: text/x"}
	}))
	head := func(ref, key string) (string, string, error) {
		h, err := p.Head(Void, Values{nil, map[string]string{"ref": ref, "key": key}})
		if _, twice := h.Headers["Accept"]; err == nil && (twice || h.Headers["accept"] != "text/x" || h.Base != "https://api.acme.example") {
			t.Errorf("got %+v", h)
		}
		return h.Path, h.Headers["X-Ref"], err
	}
	for _, way := range []string{"", ".", "..", "a\r\nHost: b", "\x00", "é"} {
		if _, _, err := head(way, "k"); err == nil {
			t.Errorf("%q is sent", way)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		ref, key := rapid.String().Draw(t, "ref"), rapid.String().Draw(t, "key")
		path, line, err := head(ref, key)
		if err != nil {
			return
		}
		u, err := url.Parse("https://h" + path)
		if err != nil || strings.Count(u.EscapedPath(), "/") != 3 || u.Path != "/v1/"+ref+"/void" || len(u.Query()) != 1 || u.Query().Get("k") != key || u.Fragment != "" || line != ref || strings.ContainsAny(line, "\r\n") {
			t.Errorf("%q, %q: %q and %q", ref, key, path, line)
		}
	})
}

// FuzzParse: nothing ends it; and of what it takes, no card has its place but in the authorising body, where each value stays in its place.
func FuzzParse(f *testing.F) {
	for _, p := range []Provider{acme(), in(Form, "p={{pan}}&k={{key}}"), in(XML, `<a k="{{key}}">{{pan}}</a>`), body(`{"\u00{{pan}}": {{amount}}, {{^take}}1{{/take}}`)} {
		q := p.Requests[Authorise]
		f.Add(string(p.Encoding), q.URL, q.Headers[0], q.Body)
	}
	f.Add("json", "https://api.acme.example/{{pan}}", "{{cvv}}: {{pan}}", "{{{{#cvv}}}}")
	card := aCard(f, theCVV)
	f.Fuzz(func(t *testing.T, encoding, address, header, text string) {
		if !slices.Contains([]Encoding{JSON, Form, XML}, Encoding(encoding)) {
			return
		}
		p, faults := Parse(with(Authorise, func(q *Request) { q.URL, q.Headers, q.Body = address, []string{header}, text }))
		if encoding != "json" {
			p, faults = Parse(changed(func(p *Provider) {
				p.Encoding = Encoding(encoding)
				p.Requests = map[Verb]Request{Inquire: p.Requests[Inquire], Authorise: {Method: "POST", URL: address, Headers: []string{header}, Body: text, Approved: []string{"a"}}}
			}))
		}
		if len(faults) > 0 {
			for _, fault := range faults {
				if fault.Reason == "" || fault.Remedy == "" {
					t.Errorf("%v", fault)
				}
			}
			return
		}
		const told = `"'<&>\` + "\x00"
		v := Values{card, map[string]string{"key": "pay_k", "amount": "7", "amount_decimal": "0.07", "currency": "EUR", "reference": "r", "address_line": told, "postcode": told, "network_id": told, "secret": "s"}}
		h, err := p.Head(Authorise, v)
		if err == nil {
			for _, s := range append(slices.Collect(maps.Values(h.Headers)), h.Path) {
				if (strings.Contains(s, thePAN) || strings.Contains(s, "987")) && !strings.Contains(address+header, "987") && !strings.Contains(address+header, thePAN) {
					t.Errorf("a card is in %q", s)
				}
			}
		}
		for _, flags := range []string{"", "1"} {
			v.Text["take"], v.Text["stored"], v.Text["deferred"], v.Text["consent"] = flags, flags, flags, flags
			var b written
			p.Body(Authorise, &b, v)
			if !Encoding(encoding).valid(b.String()) {
				t.Errorf("%q is no %s", b.String(), encoding)
			}
		}
	})
}
