package stripe

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/flattone/flattone/daemon/gateway"
)

// refund is what is read of one.
type refund struct {
	Object   string            `json:"object"`
	Status   string            `json:"status"`
	Amount   int64             `json:"amount"`
	Intent   string            `json:"payment_intent"`
	Metadata map[string]string `json:"metadata"`
}

// Refund implements [gateway.Connector]. It looks first whether there is a refund of this key: Stripe forgets idempotency keys after a day, and until then repeats
// that it failed, even where it gave the money back.
func (s *Stripe) Refund(ctx context.Context, o gateway.Order, ref, key string, minor int64) (gateway.Answer, error) {
	if !ids.MatchString(ref) {
		return gateway.Answer{}, fmt.Errorf("%w: the reference is none of Stripe's", gateway.ErrNotSent)
	}
	var made struct {
		Object string   `json:"object"`
		Data   []refund `json:"data"`
		More   bool     `json:"has_more"`
	}
	if err := s.ask(ctx, "GET", "/v1/refunds?limit=100&payment_intent="+ref, "", nil, &made); err != nil {
		return gateway.Answer{}, fmt.Errorf("ask for refunds: %w", err)
	}
	if made.Object != "list" || made.More {
		return gateway.Answer{}, fmt.Errorf("%w: it is no list of refunds, or of more than 100", gateway.ErrGarbled)
	}
	for _, r := range made.Data {
		if r.Metadata["flattone"] != key {
			continue
		}
		if r.Amount != minor {
			return gateway.Answer{}, fmt.Errorf("%w: another amount was given back under this key", gateway.ErrRefused)
		}
		return r.answer(ref)
	}
	return s.giveBack(ctx, key, ref, fields("payment_intent", ref, "amount", strconv.FormatInt(minor, 10), "metadata[flattone]", key))
}

func (s *Stripe) giveBack(ctx context.Context, key, ref string, f *form) (gateway.Answer, error) {
	var r refund
	if err := s.post(ctx, "/v1/refunds", key, f, &r); err != nil {
		return gateway.Answer{}, fmt.Errorf("refund: %w", err)
	}
	return r.answer(ref)
}

func (r refund) answer(ref string) (gateway.Answer, error) {
	switch {
	case r.Object != "refund" || r.Intent != ref:
		return gateway.Answer{}, fmt.Errorf("%w: it is of another payment", gateway.ErrGarbled)
	case r.Status == succeeded || r.Status == "pending": // on its way to the bank
		return gateway.Answer{Outcome: gateway.Approved, Ref: ref}, nil
	case r.Status == "failed" || r.Status == canceled:
		return gateway.Answer{Outcome: gateway.Declined, Ref: ref, Class: gateway.Refusal}, nil
	}
	return gateway.Answer{}, errors.New("the refund is not decided yet")
}
