package acmesim

import (
	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/template/dialect"
)

// bodies are what it is sent to have a card charged, in each encoding.
var bodies = map[dialect.Encoding]string{
	dialect.JSON: `{"reference": "{{key}}", "amount": {{amount}}, "currency": "{{currency}}", "capture": {{#take}}true{{/take}}{{^take}}false{{/take}},
 "number": "{{pan}}", "month": "{{expiry_month}}", "year": "{{expiry_year}}"{{#cvv}}, "cvc": "{{cvv}}"{{/cvv}}{{#address_line}}, "street": "{{address_line}}"{{/address_line}}}`,
	dialect.Form: `reference={{key}}&amount={{amount}}&currency={{currency}}&capture={{#take}}true{{/take}}
 &number={{pan}}&month={{expiry_month}}&year={{expiry_year}}{{#cvv}}&cvc={{cvv}}{{/cvv}}&street={{address_line}}`,
	dialect.XML: `<?xml version="1.0"?><payment><reference>{{key}}</reference><amount>{{amount}}</amount><currency>{{currency}}</currency>{{#take}}<capture>true</capture>{{/take}}
 <number>{{pan}}</number><month>{{expiry_month}}</month><year>{{expiry_year}}</year>{{#cvv}}<cvc>{{cvv}}</cvc>{{/cvv}}<street>{{address_line}}</street></payment>`,
}

var captures = map[dialect.Encoding]string{dialect.JSON: `{"amount": "{{amount}}"}`, dialect.Form: "amount={{amount}}", dialect.XML: "<c><amount>{{amount}}</amount></c>"}

var refunds = map[dialect.Encoding]string{dialect.JSON: `{"payment": "{{ref}}", "amount": "{{amount}}"}`, dialect.Form: "payment={{ref}}&amount={{amount}}",
	dialect.XML: `<r><payment>{{ref}}</payment><amount>{{amount}}</amount></r>`}

// Provider is how the box is told to speak to it.
func (s *Sim) Provider(e dialect.Encoding) dialect.Provider { return At(s.URL(), e) }

// At is Provider for one that is elsewhere.
func At(base string, e dialect.Encoding) dialect.Provider {
	at := base + "/v1/"
	who := "Authorization: Bearer {{secret}}"
	return dialect.Provider{
		Allow: []string{base}, Encoding: e,
		Requests: map[dialect.Verb]dialect.Request{
			dialect.Authorise: {Method: "POST", URL: at + "payments", Headers: []string{who, "Idempotency-Key: {{key}}"}, Body: bodies[e], Approved: []string{"authorised", "captured"}, Declined: []string{"declined"}},
			dialect.Inquire:   {Method: "GET", URL: at + "payments?reference={{key}}", Headers: []string{who}, Approved: []string{"authorised", "captured"}, Declined: []string{"declined", "voided"}},
			dialect.Void:      {Method: "POST", URL: at + "payments/{{ref}}/void", Headers: []string{who}, Approved: []string{"voided"}},
			dialect.Capture:   {Method: "POST", URL: at + "payments/{{ref}}/capture", Headers: []string{who, "Idempotency-Key: {{key}}-capture"}, Body: captures[e], Approved: []string{"captured"}},
			dialect.Refund:    {Method: "POST", URL: at + "refunds", Headers: []string{who, "Idempotency-Key: {{key}}"}, Body: refunds[e], Approved: []string{"refunded"}},
		},
		Answer: dialect.Answer{Status: "/status", Key: "/reference", Ref: "/id", Code: "/reason", Auth: "/authorisation", NetworkID: "/scheme/transaction",
			CVV: "/checks/cvc", Postcode: "/checks/postcode", Line: "/checks/address",
			Read: []int{200, 201, 402}, Refused: []int{400, 401, 403, 422}, NotThere: []int{404},
			Classes: map[gateway.Class][]string{gateway.Funds: {"insufficient_funds"}, gateway.BadCVV: {"wrong_cvc"}, gateway.Stolen: {"lost", "stolen"}},
			Match:   []string{"M"}, Mismatch: []string{"N"}},
	}
}
