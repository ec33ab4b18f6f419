package dialect

import (
	"os"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/gateway"
)

// acme is a provider in which nothing is wrong.
func acme() Provider {
	return Provider{
		Allow:    []string{"https://api.acme.example", "https://[::1]:8443"},
		Encoding: JSON,
		Requests: map[Verb]Request{
			Authorise: {Method: "POST", URL: "https://api.acme.example/v1/payments", Headers: []string{"Authorization: Bearer {{secret}}", "Idempotency-Key: {{key}}"},
				Body: `{"id": "{{key}}", "amount": {{amount}}, "currency": "{{currency}}", "capture": {{#take}}true{{/take}}{{^take}}false{{/take}},
  "card": {"number": "{{pan}}", "month": "{{expiry_month}}", "year": "{{expiry_year}}"{{#cvv}}, "cvc": "{{cvv}}"{{/cvv}}}{{#address_line}}, "street": "{{address_line}}"{{/address_line}}}`,
				Approved: []string{"authorised", "captured"}, Declined: []string{"declined"}},
			Inquire: {Method: "GET", URL: "https://api.acme.example/v1/payments?id={{key}}", Headers: []string{"Authorization: Bearer {{secret}}"},
				Approved: []string{"authorised", "captured"}, Declined: []string{"declined", "voided"}, NotThere: []string{"unknown"}},
			Void:    {Method: "DELETE", URL: "https://api.acme.example/v1/payments/{{ref}}", Approved: []string{"voided"}},
			Capture: {Method: "POST", URL: "https://api.acme.example/v1/payments/{{ref}}/capture", Body: `{"amount": {{amount}}}`, Approved: []string{"captured"}},
			Refund:  {Method: "POST", URL: "https://api.acme.example/v1/refunds", Body: `{"key": "{{key}}", "payment": "{{ref}}", "amount": "{{amount_decimal}}"}`, Approved: []string{"done"}},
		},
		Answer: Answer{Status: "/payment/status", Key: "/payment/key", Ref: "/payment/id", Code: "/payment/reason", Auth: "/payment/auth", NetworkID: "/network/0", CVV: "/checks/cvc",
			Postcode: "/checks/zip", Read: []int{200, 402}, Refused: []int{400, 404}, NotThere: []int{404},
			Classes: map[gateway.Class][]string{gateway.Funds: {"51", "no_funds"}, gateway.BadCVV: {"82"}}, Match: []string{"M"}, Mismatch: []string{"N"}},
	}
}

// changed is acme's with one request or more changed.
func changed(change func(*Provider)) Provider {
	p := acme()
	change(&p)
	return p
}

// with changes one request.
func with(verb Verb, change func(*Request)) Provider {
	return changed(func(p *Provider) {
		q := p.Requests[verb]
		change(&q)
		p.Requests[verb] = q
	})
}

func body(s string) Provider { return with(Authorise, func(q *Request) { q.Body = s }) }

func in(e Encoding, s string) Provider {
	return changed(func(p *Provider) {
		p.Encoding = e
		p.Requests = map[Verb]Request{Authorise: p.Requests[Authorise], Inquire: p.Requests[Inquire]}
		q := p.Requests[Authorise]
		q.Body = s
		p.Requests[Authorise] = q
	})
}

func TestWhatIsGood(t *testing.T) {
	for name, p := range map[string]Provider{
		"acme":                     acme(),
		"form":                     in(Form, "card[number]={{pan}}&\n  k={{key}}{{#cvv}}&cvc={{cvv}}{{/cvv}}&a=%20{{address_line}}"),
		"xml":                      in(XML, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<pay key="{{key}}" who='{{postcode}}'><pan>{{pan}}</pan>{{#cvv}}<cvv v="{{cvv}}"/>{{/cvv}}{{^cvv}}<none/>{{/cvv}}</pay>`),
		"an escape before a value": body(`{"a": "\"\u00e9{{key}}", "p": "{{pan}}"}`),
	} {
		if _, faults := Parse(p); len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	header := func(s string) Provider {
		return with(Authorise, func(q *Request) { q.Headers = append(q.Headers, s) })
	}
	address := func(s string) Provider { return with(Authorise, func(q *Request) { q.URL = s }) }
	const ok = `"k": "{{key}}", "p": "{{pan}}"`
	for name, c := range map[string]struct {
		p         Provider
		key, says string
	}{
		"a card in the address":             {address("https://api.acme.example/pay/{{pan}}"), "authorise.url", "never leaves in an address"},
		"an expiry in the query":            {address("https://api.acme.example/pay?m={{expiry_month}}"), "authorise.url", "never leaves in an address"},
		"a card in a header":                {header("X-Card: {{pan}}"), "authorise.headers", "never leaves in an address"},
		"a code as the idempotency key":     {header("Idempotency-Key: {{key}}{{cvv}}"), "authorise.headers", "never leaves in an address"},
		"a card in a header's name":         {header("{{pan}}: x"), "authorise.headers", "is no header"},
		"a card in a refund":                {with(Refund, func(q *Request) { q.Body = `{"k": "{{key}}", "r": "{{ref}}", "p": "{{pan}}"}` }), "refund.body", "isn't in this request"},
		"a card in an allowed host":         {changed(func(p *Provider) { p.Allow[0] = "https://{{pan}}.example" }), "allow", "no host"},
		"a secret in the body":              {body(`{` + ok + `, "s": "{{secret}}"}`), "authorise.body", "for headers alone"},
		"a secret in the address":           {address("https://api.acme.example/{{secret}}"), "authorise.url", "for headers alone"},
		"another host":                      {address("https://api.acme.example.evil.example/"), "authorise.url", "begins with none"},
		"a user before the host":            {address("https://api.acme.example@evil.example/"), "authorise.url", "begins with none"},
		"plain http":                        {address("http://api.acme.example/"), "authorise.url", "begins with none"},
		"another port":                      {address("https://api.acme.example:444/"), "authorise.url", "begins with none"},
		"a way up":                          {address("https://api.acme.example/v1/../admin"), "authorise.url", "segment"},
		"a way up, encoded":                 {address("https://api.acme.example/v1/%2e%2E/admin"), "authorise.url", "segment"},
		"a fragment":                        {address("https://api.acme.example/v1#x"), "authorise.url", "percent-encoded"},
		"a space":                           {address("https://api.acme.example/v1 /"), "authorise.url", "percent-encoded"},
		"half a percent sign":               {address("https://api.acme.example/%{{key}}"), "authorise.url", "percent sign"},
		"plain http is allowed":             {changed(func(p *Provider) { p.Allow[0] = "http://api.acme.example" }), "allow", "no host"},
		"a path is allowed":                 {changed(func(p *Provider) { p.Allow[0] = "https://api.acme.example/v1" }), "allow", "no host"},
		"any host is allowed":               {changed(func(p *Provider) { p.Allow[0] = "https://*.example" }), "allow", "no host"},
		"a port too high":                   {changed(func(p *Provider) { p.Allow[0] = "https://api.acme.example:65536" }), "allow", "no host"},
		"two lines in a header":             {header("X: a\r\nHost: b"), "authorise.headers", "is no header"},
		"another length":                    {header("content-length: 0"), "authorise.headers", "ends or goes"},
		"a section in a header":             {header("X: a{{#take}}b{{/take}}"), "authorise.headers", "may not stand here"},
		"no word":                           {body(`{` + ok + `, "x": "{{pin}}"}`), "authorise.body", "a word in {{ }} that there isn't"},
		"an open word":                      {body(`{` + ok + `, "x": "{{key"}`), "authorise.body", "isn't closed"},
		"an open section":                   {body(`{` + ok + `{{#cvv}}}`), "authorise.body", "a section that isn't closed"},
		"a section in another":              {body(`{` + ok + `{{#cvv}}{{#take}}{{/take}}{{/cvv}}}`), "authorise.body", "within another"},
		"a section closed twice":            {body(`{` + ok + `{{#cvv}}{{/cvv}}{{/cvv}}}`), "authorise.body", "isn't open"},
		"a section of a number":             {body(`{` + ok + `{{#pan}}{{/pan}}}`), "authorise.body", "may not stand here"},
		"a flag as a value":                 {body(`{` + ok + `, "x": "{{take}}"}`), "authorise.body", "no value"},
		"a value outside of quotes":         {body(`{` + ok + `, "x": {{address_line}}}`), "authorise.body", "taken for something else"},
		"a card outside of quotes":          {body(`{"k": "{{key}}", "p": {{pan}}}`), "authorise.body", "taken for something else"},
		"a value behind a backslash":        {body(`{` + ok + `, "x": "\{{key}}"}`), "authorise.body", "taken for something else"},
		"a value within an escape":          {body(`{` + ok + `, "x": "\u00{{key}}00"}`), "authorise.body", "taken for something else"},
		"a section that opens a string":     {body(`{` + ok + `, "x": {{#cvv}}"{{/cvv}}"}`), "authorise.body", "ends elsewhere"},
		"an amount ten times as high":       {body(`{` + ok + `, "a": {{amount}}0}`), "authorise.body", "beside another digit"},
		"an amount with a digit before":     {in(Form, "p={{pan}}&k={{key}}&a=1{{amount}}"), "authorise.body", "beside another digit"},
		"two amounts in a row":              {in(XML, `<a k="{{key}}" p="{{pan}}">{{amount}}{{amount}}</a>`), "authorise.body", "beside another digit"},
		"no JSON":                           {body(`{` + ok + `,}`), "authorise.body", "is no JSON"},
		"no JSON without a section":         {body(`{{#cvv}}{` + ok + `}{{/cvv}}{{#take}}{}{{/take}}`), "authorise.body", "is no JSON"},
		"no card":                           {body(`{"k": "{{key}}"}`), "authorise.body", "{{pan}}"},
		"no key":                            {with(Authorise, func(q *Request) { q.Headers, q.Body = nil, `{"p": "{{pan}}"}` }), "authorise.body", "doesn't have {{key}}"},
		"a tag":                             {in(XML, `<a><p>{{pan}}</p><{{key}}/></a>`), "authorise.body", "taken for something else"},
		"an attribute without quotes":       {in(XML, `<a k={{key}}><p>{{pan}}</p></a>`), "authorise.body", "taken for something else"},
		"a comment":                         {in(XML, `<a k="{{key}}"><!-- {{pan}} --></a>`), "authorise.body", "a comment"},
		"CDATA":                             {in(XML, `<a k="{{key}}"><![CDATA[{{pan}}]]></a>`), "authorise.body", "a comment, CDATA"},
		"an entity":                         {in(XML, `<!DOCTYPE a [<!ENTITY b "c">]><a k="{{key}}">{{pan}}</a>`), "authorise.body", "document type"},
		"two roots":                         {in(XML, `<a k="{{key}}">{{pan}}</a><b/>`), "authorise.body", "is no XML"},
		"a tag that isn't closed":           {in(XML, `<a k="{{key}}">{{pan}}`), "authorise.body", "is no XML"},
		"a form's half percent":             {in(Form, `p={{pan}}&k=%2{{key}}`), "authorise.body", "taken for something else"},
		"a form in quotes":                  {in(Form, "p={{pan}}&k={{key}}&\u00e9=1"), "authorise.body", "percent-encoded"},
		"a long body":                       {body(`{` + ok + `, "x": "` + strings.Repeat("x", longest) + `"}`), "authorise.body", "no text of at most"},
		"not UTF-8":                         {body(`{` + ok + `, "x": "` + "\xff" + `"}`), "authorise.body", "no text of at most"},
		"no method":                         {with(Authorise, func(q *Request) { q.Method = "post" }), "authorise.method", "no method"},
		"a payment by GET":                  {with(Authorise, func(q *Request) { q.Method = "GET" }), "authorise.method", "does nothing"},
		"GET with a body":                   {with(Inquire, func(q *Request) { q.Body = `{}` }), "inquire.body", "stands beside GET"},
		"an inquiry by the provider's name": {with(Inquire, func(q *Request) { q.URL = "https://api.acme.example/{{ref}}" }), "inquire.url", "isn't in this request"},
		"an inquiry about nothing":          {with(Inquire, func(q *Request) { q.URL = "https://api.acme.example/" }), "inquire.url", "doesn't have {{key}}"},
		"a refund of nothing":               {with(Refund, func(q *Request) { q.Body = `{"k": "{{key}}"}` }), "refund.url", "names no payment"},
		"a refund without a key":            {with(Refund, func(q *Request) { q.Body = `{"k": "{{ref}}"}` }), "refund.body", "doesn't have {{key}}"},
		"nothing is approved":               {with(Void, func(q *Request) { q.Approved = nil }), "void.approved", "is missing"},
		"a word of two meanings":            {with(Authorise, func(q *Request) { q.Declined = []string{"captured"} }), "authorise.declined", "a word twice"},
		"nobody asks":                       {changed(func(p *Provider) { delete(p.Requests, Inquire); delete(p.Requests, Void) }), "inquire", "and so is void"},
		"a name that nobody learns":         {changed(func(p *Provider) { delete(p.Requests, Inquire); p.Answer.NotThere = nil }), "void.url", "known to an inquiry alone"},
		"no pointer":                        {changed(func(p *Provider) { p.Answer.Status = "status" }), "answer.status", "no JSON pointer"},
		"a pointer's odd escape":            {changed(func(p *Provider) { p.Answer.Ref = "/a~2" }), "answer.ref", "no JSON pointer"},
		"a redirect is read":                {changed(func(p *Provider) { p.Answer.Read = []int{302} }), "answer.http_read", "nothing for sure"},
		"a server's error refuses":          {changed(func(p *Provider) { p.Answer.Refused = []int{500} }), "answer.http_refused", "nothing for sure"},
		"a conflict refuses":                {changed(func(p *Provider) { p.Answer.Refused = []int{409} }), "answer.http_refused", "may have acted"},
		"read and refused":                  {changed(func(p *Provider) { p.Answer.Refused = []int{402} }), "answer.http_refused", "http_read has, too"},
		"a code of two classes":             {changed(func(p *Provider) { p.Answer.Classes[gateway.Stolen] = []string{"82"} }), "answer.class.stolen", "cvv has, too"},
		"a match that isn't":                {changed(func(p *Provider) { p.Answer.Mismatch = []string{"M"} }), "answer.mismatch", "match has, too"},
	} {
		_, faults := Parse(c.p)
		found := false
		for _, f := range faults {
			found = found || f.Key == c.key && strings.Contains(f.Reason, c.says)
			if f.Reason == "" || f.Remedy == "" {
				t.Errorf("%s: a fault without a remedy: %v", name, f)
			}
		}
		if !found {
			t.Errorf("%s: got %v, want %s that says %q", name, faults, c.key, c.says)
		}
	}
}

// TestEveryWordIsDocumented: the manual has what may be written.
func TestEveryWordIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../../../docs/gateways.md")
	if err != nil {
		t.Fatal(err)
	}
	for word := range words {
		if !strings.Contains(string(doc), "`"+word+"`") {
			t.Errorf("docs/gateways.md doesn't explain %s", word)
		}
	}
}
