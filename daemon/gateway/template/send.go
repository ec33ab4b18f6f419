package template

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/courier"
	"github.com/flattone/flattone/daemon/gateway/template/dialect"
	"github.com/flattone/flattone/daemon/secret"
)

// ask sends a request without a card.
func (t *Template) ask(ctx context.Context, verb dialect.Verb, o gateway.Order, key, ref string, minor int64) (gateway.Answer, error) {
	if !t.provider.Has(verb) {
		return gateway.Answer{}, fmt.Errorf("%w: its configuration has no %s table", gateway.ErrNotSent, verb)
	}
	r, via, err := t.fill(verb, t.values(o, key, ref, minor), nil)
	if err != nil {
		return gateway.Answer{}, fmt.Errorf("%w: %w", gateway.ErrNotSent, err)
	}
	return t.send(ctx, verb, r, via, key, o.Key)
}

// send sends a request, once, and reads what is said of one of the keys.
func (t *Template) send(ctx context.Context, verb dialect.Verb, r courier.Request, via *courier.Courier, keys ...string) (gateway.Answer, error) {
	a, err := via.Send(ctx, r)
	if err != nil {
		return gateway.Answer{}, err
	}
	return t.provider.Read(verb, a.Status, a.Header.Get("Content-Type"), a.Body, keys...)
}

// fill makes a request. Its body, if it has one, is the caller's to wipe or send.
func (t *Template) fill(verb dialect.Verb, text map[string]string, card *secret.Card) (r courier.Request, via *courier.Courier, err error) {
	v := dialect.Values{Card: card, Text: text}
	head, err := t.provider.Head(verb, v)
	if err != nil {
		return r, nil, err
	}
	r = courier.Request{Method: head.Method, Path: head.Path, Header: head.Headers}
	if t.provider.HasBody(verb) {
		if r.Body, err = courier.NewPage(); err != nil {
			return r, nil, err
		}
		t.provider.Body(verb, r.Body, v)
	}
	return r, t.couriers[head.Base], nil
}

// values are what placeholders stand for, but for those of a card.
func (t *Template) values(o gateway.Order, key, ref string, minor int64) map[string]string {
	v := map[string]string{"key": key, "ref": ref, "amount": strconv.FormatInt(minor, 10), "amount_decimal": decimal(minor, o.Currency), "currency": o.Currency,
		"reference": o.Reference, "address_line": o.Address.Line, "postcode": o.Address.Postcode, "secret": t.secret}
	for flag, on := range map[string]bool{"take": o.Take, "deferred": o.Deferred, "consent": o.Consent, "stored": o.Stored != nil} {
		if on {
			v[flag] = "true"
		}
	}
	if o.Stored != nil {
		v["network_id"] = o.Stored.NetworkID
	}
	return v
}

// exponents are of the currencies that don't have two decimals (ISO 4217, list one, column "minor unit").
var exponents = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
	"CLF": 4, "UYW": 4,
}

// decimal is an amount in the currency's own unit: 12.34.
func decimal(minor int64, currency string) string {
	exponent, odd := exponents[currency]
	if !odd {
		exponent = 2
	}
	text := strconv.FormatInt(minor, 10)
	if exponent == 0 {
		return text
	}
	text = strings.Repeat("0", max(0, exponent+1-len(text))) + text
	return text[:len(text)-exponent] + "." + text[len(text)-exponent:]
}
