package stripe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/courier"
)

// post sends a form that has no card in it.
func (s *Stripe) post(ctx context.Context, path, key string, f *form, into any) error {
	page, err := courier.NewPage()
	if err != nil {
		return fmt.Errorf("%w: %w", gateway.ErrNotSent, err)
	}
	page.Text(f.String())
	return s.ask(ctx, "POST", path, key, page, into)
}

// ask sends one request, and reads an object or the [*fault] that it is answered by.
func (s *Stripe) ask(ctx context.Context, method, path, key string, body *courier.Page, into any) error {
	header := map[string]string{"Authorization": "Bearer " + s.key, "Stripe-Version": version, "User-Agent": "flattone"}
	if body != nil {
		header["Content-Type"] = "application/x-www-form-urlencoded"
	}
	if key != "" {
		header["Idempotency-Key"] = key
	}
	a, err := s.via.Send(ctx, courier.Request{Method: method, Path: path, Header: header, Body: body})
	if err != nil {
		return err
	}
	if a.Status == http.StatusOK {
		if json.Unmarshal(a.Body, into) != nil { // its error may quote the answer
			return fmt.Errorf("%w: it isn't the JSON that it should be", gateway.ErrGarbled)
		}
		return nil
	}
	var no struct {
		Error *fault `json:"error"`
	}
	if json.Unmarshal(a.Body, &no) != nil || no.Error == nil {
		if a.Status >= http.StatusInternalServerError { // of whatever lies in front of it
			return fmt.Errorf("its servers fail: status %d", a.Status)
		}
		return fmt.Errorf("%w: status %d without an error object", gateway.ErrGarbled, a.Status)
	}
	no.Error.http = a.Status
	return no.Error
}

// The words of Stripe's that decide (docs.stripe.com/api/errors, docs.stripe.com/error-codes).
const (
	cardError       = "card_error"
	otherParameters = "idempotency_error"
	unexpectedState = "payment_intent_unexpected_state"
	lockTimeout     = "lock_timeout"
	allRefunded     = "charge_already_refunded"
)

// fault is Stripe's error object.
type fault struct {
	Type        string  `json:"type"`
	Code        string  `json:"code"`
	DeclineCode string  `json:"decline_code"`
	Intent      *intent `json:"payment_intent"`
	Method      *struct {
		Card struct {
			Checks checks `json:"checks"`
		} `json:"card"`
	} `json:"payment_method"`

	http int
}

// declines reports whether the card was declined.
func (f *fault) declines() bool { return f.http == http.StatusPaymentRequired && f.Type == cardError }

// status is that of the intent which the fault is about.
func (f *fault) status() string {
	if f.Intent == nil {
		return ""
	}
	return f.Intent.Status
}

// Error names a code, if it is one of the table or of those above. What Stripe says beside it is free text.
func (f *fault) Error() string {
	code := known(f.Code)
	if code == "" && (f.Code == unexpectedState || f.Code == lockTimeout || f.Code == allRefunded) {
		code = f.Code
	}
	if code == "" {
		code = "no code that is known here; the account's log has it"
	}
	return fmt.Sprintf("status %d: %s", f.http, code)
}

// Unwrap says whether Stripe may have acted (docs.stripe.com/error-low-level): it doesn't where a request is malformed, not allowed or one too many.
func (f *fault) Unwrap() error {
	switch {
	case f.Type == otherParameters: // of the request before this one, who knows
		return nil
	case f.http == http.StatusTooManyRequests && f.Code != lockTimeout:
		return gateway.ErrNotSent
	case f.http == http.StatusBadRequest, f.http == http.StatusUnauthorized, f.http == http.StatusForbidden, f.http == http.StatusNotFound, f.declines():
		return gateway.ErrRefused
	case f.http >= http.StatusInternalServerError, f.http == http.StatusConflict, f.http == http.StatusTooManyRequests:
		return nil
	}
	return gateway.ErrGarbled
}

// asFault is the fault in an error, or an empty one.
func asFault(err error) *fault {
	no := new(fault)
	errors.As(err, &no)
	return no
}
