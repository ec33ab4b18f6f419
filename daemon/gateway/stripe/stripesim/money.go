package stripesim

import (
	"fmt"
	"net/url"
)

// verdicts are what the public test numbers are for (docs.stripe.com/testing): the error's code and the decline's. Any other number is approved.
var verdicts = map[string][2]string{
	"4000000000000002": {"card_declined", "generic_decline"},
	"4000000000009995": {"card_declined", "insufficient_funds"},
	"4000000000009987": {"card_declined", "lost_card"},
	"4000000000009979": {"card_declined", "stolen_card"},
	"4000000000000069": {"expired_card", "expired_card"},
	"4000000000000127": {"incorrect_cvc", "incorrect_cvc"},
	"4000000000000119": {"processing_error", "processing_error"},
	"4000000000006975": {"card_declined", "card_velocity_exceeded"},
	"4000008400001629": {"authentication_required", "authentication_required"},
}

// failing are the numbers whose address fails a check, and which are approved all the same: the line's, the postcode's.
var failing = map[string][2]bool{"4000000000000010": {true, true}, "4000000000000028": {true, false}, "4000000000000036": {false, true}}

func (s *Sim) confirm(p *intent, form url.Values) (int, []byte) {
	m := s.methods[form.Get("payment_method")]
	switch {
	case m == nil:
		return 400, oops("invalid_request_error", "resource_missing", "No such PaymentMethod")
	case p.Status != "requires_payment_method":
		return unexpected(p)
	case (form.Get("payment_method_options[card][moto]") == "true") == (form.Get("off_session") == "true"):
		return 400, oops("invalid_request_error", "", "flattone charges by telephone, or stored cards, and nothing in between")
	}
	v, no := verdicts[m.number]
	if by := form.Get("payment_method_options[card][mit_exemption][network_transaction_id]"); form.Get("off_session") == "true" && !s.agreed[by] {
		v, no = [2]string{"authentication_required", "authentication_required"}, true // its holder agreed to nothing
	}
	checks := map[string]any{}
	if m.cvc != "" {
		checks["cvc_check"] = "pass"
	}
	bad := failing[m.number]
	if m.address {
		checks["address_line1_check"] = passes(!bad[0])
	}
	if m.postcode {
		checks["address_postal_code_check"] = passes(!bad[1])
	}
	if no {
		if v[0] == "incorrect_cvc" {
			checks["cvc_check"] = "fail"
		}
		p.LastError = map[string]any{"type": "card_error", "code": v[0], "decline_code": v[1], "message": "Your card was declined.",
			"payment_method": map[string]any{"object": "payment_method", "card": map[string]any{"checks": checks}}}
		with := map[string]any{"payment_intent": p}
		for name, value := range p.LastError {
			with[name] = value
		}
		return 402, encode(map[string]any{"error": with})
	}
	p.charges++
	p.LastError = nil
	network := fmt.Sprintf("10455766%07d", s.last)
	s.agreed[network] = s.agreed[network] || form.Get("setup_future_usage") == "off_session"
	p.Charge = map[string]any{"id": s.id("ch"), "object": "charge", "payment_method_details": map[string]any{"card": map[string]any{
		"checks": checks, "authorization_code": "123456", "network_transaction_id": network}}}
	if p.Status = "succeeded"; p.Capture == "manual" {
		p.Status, p.Capturable = "requires_capture", p.Amount
	} else {
		p.Received = p.Amount
	}
	return 200, encode(p)
}

func passes(yes bool) string {
	if yes {
		return "pass"
	}
	return "fail"
}

func (s *Sim) cancel(p *intent) (int, []byte) {
	if p.Status == "succeeded" || p.Status == "canceled" {
		return unexpected(p)
	}
	p.Status, p.Capturable = "canceled", 0
	return 200, encode(p)
}

func (s *Sim) capture(p *intent, form url.Values) (int, []byte) {
	n := amount(form, "amount_to_capture", p.Capturable)
	switch {
	case p.Status != "requires_capture":
		return unexpected(p)
	case n <= 0 || n > p.Capturable:
		return 400, oops("invalid_request_error", "amount_too_large", "More than is capturable")
	}
	p.Status, p.Received, p.Capturable = "succeeded", n, 0
	return 200, encode(p)
}

func (s *Sim) refund(form url.Values) (int, []byte) {
	p := s.intents[form.Get("payment_intent")]
	if p == nil || p.Status != "succeeded" {
		return 400, oops("invalid_request_error", "resource_missing", "There is no charge to refund")
	}
	n := amount(form, "amount", p.Received-p.returned)
	switch {
	case p.returned == p.Received:
		return 400, oops("invalid_request_error", "charge_already_refunded", "It has already been refunded.")
	case n <= 0 || n > p.Received-p.returned:
		return 400, oops("invalid_request_error", "", "More than is left")
	}
	p.returned += n
	r := refund{s.id("re"), "refund", n, "succeeded", p.ID, map[string]string{"flattone": form.Get("metadata[flattone]")}}
	p.refunds = append(p.refunds, r)
	return 200, encode(r)
}

func (s *Sim) refunds(query url.Values) (int, []byte) {
	all := []refund{}
	if p := s.intents[query.Get("payment_intent")]; p != nil {
		all = p.refunds
	}
	return 200, encode(map[string]any{"object": "list", "data": all, "has_more": false})
}
