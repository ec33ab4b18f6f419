package stripesim

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// intent is a payment intent, in Stripe's words; what isn't shown is the books'.
type intent struct {
	ID         string            `json:"id"`
	Object     string            `json:"object"`
	Status     string            `json:"status"`
	Amount     int64             `json:"amount"`
	Capturable int64             `json:"amount_capturable"`
	Received   int64             `json:"amount_received"`
	Currency   string            `json:"currency"`
	Capture    string            `json:"capture_method"`
	Metadata   map[string]string `json:"metadata"`
	LastError  map[string]any    `json:"last_payment_error"`
	Charge     any               `json:"latest_charge"`

	charges  int
	returned int64
	refunds  []refund
}

// refund is one, in Stripe's words.
type refund struct {
	ID       string            `json:"id"`
	Object   string            `json:"object"`
	Amount   int64             `json:"amount"`
	Status   string            `json:"status"`
	Intent   string            `json:"payment_intent"`
	Metadata map[string]string `json:"metadata"`
}

// method is a card that was handed in.
type method struct {
	number, cvc       string
	address, postcode bool
}

// act does what a request asks for.
func (s *Sim) act(r *http.Request, form url.Values) (int, []byte) {
	if r.Header.Get("Authorization") != "Bearer "+Key {
		return http.StatusUnauthorized, oops("invalid_request_error", "", "Invalid API Key provided")
	}
	if r.Header.Get("Stripe-Version") == "" || r.Method == http.MethodPost && r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		return 400, oops("invalid_request_error", "", "flattone pins the version, and sends forms")
	}
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/v1/payment_intents":
		return s.create(form)
	case r.Method == http.MethodPost && r.URL.Path == "/v1/payment_methods":
		return s.keep(form)
	case r.Method == http.MethodPost && r.URL.Path == "/v1/refunds":
		return s.refund(form)
	case r.Method == http.MethodGet && r.URL.Path == "/v1/refunds":
		return s.refunds(r.URL.Query())
	}
	p := s.intents[path[min(1, len(path)-1)]]
	if p == nil || path[0] != "payment_intents" {
		return http.StatusNotFound, oops("invalid_request_error", "resource_missing", "No such payment_intent")
	}
	switch verb := path[len(path)-1]; {
	case r.Method == http.MethodGet && len(path) == 2:
		return 200, encode(p)
	case r.Method == http.MethodPost && len(path) == 3 && verb == "confirm":
		return s.confirm(p, form)
	case r.Method == http.MethodPost && len(path) == 3 && verb == "cancel":
		return s.cancel(p)
	case r.Method == http.MethodPost && len(path) == 3 && verb == "capture":
		return s.capture(p, form)
	}
	return http.StatusNotFound, oops("invalid_request_error", "", "Unrecognized request URL")
}

func (s *Sim) id(prefix string) string {
	s.last++
	return fmt.Sprintf("%s_sim%d", prefix, s.last)
}

func amount(form url.Values, name string, otherwise int64) int64 {
	if !form.Has(name) {
		return otherwise
	}
	n, err := strconv.ParseInt(form.Get(name), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func (s *Sim) create(form url.Values) (int, []byte) {
	p := &intent{ID: s.id("pi"), Object: "payment_intent", Status: "requires_payment_method", Amount: amount(form, "amount", -1), Currency: form.Get("currency"),
		Capture: form.Get("capture_method"), Metadata: map[string]string{"flattone": form.Get("metadata[flattone]"), "reference": form.Get("metadata[reference]")}}
	if p.Amount <= 0 || len(p.Currency) != 3 || p.Currency != strings.ToLower(p.Currency) || p.Capture != "automatic" && p.Capture != "manual" {
		return 400, oops("invalid_request_error", "parameter_invalid_integer", "Amount, currency or capture method is wrong")
	}
	s.intents[p.ID] = p
	return 200, encode(p)
}

// luhn is ISO/IEC 7812-1, annex B.
func luhn(number string) bool {
	sum := 0
	for i := range len(number) {
		d := int(number[len(number)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return len(number) >= 12 && sum%10 == 0
}

func (s *Sim) keep(form url.Values) (int, []byte) {
	m := &method{number: form.Get("card[number]"), cvc: form.Get("card[cvc]"), address: form.Has("billing_details[address][line1]"), postcode: form.Has("billing_details[address][postal_code]")}
	month, year := amount(form, "card[exp_month]", -1), amount(form, "card[exp_year]", -1)
	switch {
	case form.Get("type") != "card" || month < 1 || month > 12 || year < 2000:
		return 400, oops("invalid_request_error", "parameter_missing", "It is no card")
	case !luhn(m.number):
		return 402, oops("card_error", "incorrect_number", "Your card number is incorrect.")
	}
	id := s.id("pm")
	s.methods[id] = m
	return 200, encode(map[string]any{"id": id, "object": "payment_method", "type": "card", "card": map[string]any{"last4": m.number[len(m.number)-4:]}})
}

// unexpected is the answer to what a state doesn't allow.
func unexpected(p *intent) (int, []byte) {
	return 400, encode(map[string]any{"error": map[string]any{"type": "invalid_request_error", "code": "payment_intent_unexpected_state",
		"message": "This PaymentIntent's status is " + p.Status, "payment_intent": p}})
}
