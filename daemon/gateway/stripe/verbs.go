package stripe

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/flattone/flattone/daemon/gateway"
)

// Inquire implements [gateway.Connector]. An intent that no card was tried on is canceled first, so that a confirmation which is still under way comes to nothing.
func (s *Stripe) Inquire(ctx context.Context, o gateway.Order, ref string) (gateway.Answer, error) {
	pi, err := s.look(ctx, o, ref)
	if err != nil {
		return gateway.Answer{}, fmt.Errorf("ask for the intent: %w", err)
	}
	if pi.LastError != nil && pi.LastError.Type == cardError && (pi.Status == needsMethod || pi.Status == canceled) {
		return pi.LastError.answer(ref), nil
	}
	switch pi.Status {
	case needsMethod, needsConfirm, needsAction:
		if err := s.cancel(ctx, o, ref); err != nil {
			return gateway.Answer{}, err
		}
		return gateway.Answer{Outcome: gateway.NotThere}, nil
	case canceled:
		return gateway.Answer{Outcome: gateway.NotThere}, nil
	}
	return pi.approved()
}

func (s *Stripe) look(ctx context.Context, o gateway.Order, ref string) (*intent, error) {
	if !ids.MatchString(ref) {
		return nil, fmt.Errorf("%w: the reference is none of Stripe's", gateway.ErrNotSent)
	}
	var pi intent
	if err := s.ask(ctx, "GET", "/v1/payment_intents/"+ref+"?expand%5B%5D=latest_charge", "", nil, &pi); err != nil {
		return nil, err
	}
	return &pi, pi.of(o, ref)
}

// cancel ends an intent for good. It has no idempotency key: Stripe would repeat a refusal that no longer holds, and what is canceled stays so.
func (s *Stripe) cancel(ctx context.Context, o gateway.Order, ref string) error {
	var pi intent
	if err := s.post(ctx, "/v1/payment_intents/"+ref+"/cancel", "", fields(), &pi); err != nil {
		if asFault(err).status() == canceled {
			return nil
		}
		return fmt.Errorf("cancel the intent: %w", err)
	}
	if err := pi.of(o, ref); err != nil {
		return err
	}
	if pi.Status != canceled {
		return fmt.Errorf("%w: an intent that was canceled is %s", gateway.ErrGarbled, pi.state())
	}
	return nil
}

// Void implements [gateway.Connector]: it cancels the intent, or gives back what it has taken.
func (s *Stripe) Void(ctx context.Context, o gateway.Order, ref string) (gateway.Answer, error) {
	if !ids.MatchString(ref) {
		return gateway.Answer{}, fmt.Errorf("%w: the reference is none of Stripe's", gateway.ErrNotSent)
	}
	err := s.cancel(ctx, o, ref)
	nothing := gateway.Answer{Outcome: gateway.Approved, Ref: ref}
	switch no := asFault(err); {
	case err == nil:
		return nothing, nil
	case no.Code != unexpectedState:
		return gateway.Answer{}, err
	case no.status() != succeeded:
		return gateway.Answer{}, errors.New("the intent can't be canceled yet")
	}
	// All that is left of it, without a key, for the reason that cancel has none: it can't be given back twice.
	a, err := s.giveBack(ctx, "", ref, fields("payment_intent", ref))
	if asFault(err).Code == allRefunded {
		return nothing, nil
	}
	return a, err
}

// Capture implements [gateway.Connector].
func (s *Stripe) Capture(ctx context.Context, o gateway.Order, ref string, minor int64) (gateway.Answer, error) {
	if !ids.MatchString(ref) {
		return gateway.Answer{}, fmt.Errorf("%w: the reference is none of Stripe's", gateway.ErrNotSent)
	}
	var pi intent
	err := s.post(ctx, "/v1/payment_intents/"+ref+"/capture", o.Key+".capture", fields("amount_to_capture", strconv.FormatInt(minor, 10)), &pi)
	if no := asFault(err); no.declines() {
		return no.answer(ref), nil
	}
	if err != nil {
		// Stripe repeats that it failed, and refuses once it has forgotten the key; the intent tells all the same.
		made, lost := s.look(ctx, o, ref)
		if lost != nil || made.Status != succeeded || made.Received != minor {
			return gateway.Answer{}, fmt.Errorf("capture: %w", err)
		}
		pi = *made
	}
	if err := pi.of(o, ref); err != nil {
		return gateway.Answer{}, err
	}
	if pi.Status != succeeded || pi.Received != minor {
		return gateway.Answer{}, fmt.Errorf("%w: another amount was taken, or none", gateway.ErrGarbled)
	}
	return pi.approved()
}
