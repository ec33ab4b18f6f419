// Package template charges cards at a provider whose requests and answers its owner has written into the configuration (package dialect), so that a new provider
// needs no Go.
//
// Each verb is one request. A payment's reference is its own key, which is noted before the card leaves; where the provider gives it another name, that is in the
// first answer, or an inquiry learns it:
//
//	fill in ─▶ note the key ─▶ send ─▶ read
//	└────── ErrNotSent ───────┘└─ nobody knows until an inquiry, or a void
//
// It promises what daemon/gateway does as far as the provider keeps to two things, of which docs/gateways.md tells its owner: what is asked twice under one key is
// done once, and what an inquiry doesn't find, twice and some time apart (Config.Settle), isn't on its way any more. A provider that needs two steps for a payment
// can't be written down so.
//
// It must never write a card into anything but a [courier.Page], nor go where its configuration doesn't allow.
package template

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/courier"
	"github.com/flattone/flattone/daemon/gateway/template/dialect"
	"github.com/flattone/flattone/daemon/secret"
)

// Config is a provider, and what it knows the box by.
type Config struct {
	Provider dialect.Provider
	Secret   string // what {{secret}} stands for
	// Settle is how long a payment must be unknown to the provider before it is NotThere.
	Settle time.Duration
	// Courier is how each address that the provider allows is gone to; its Base is that address.
	Courier courier.Config
}

// Template implements [gateway.Connector].
type Template struct {
	provider *dialect.Parsed
	secret   string
	settle   time.Duration
	couriers map[string]*courier.Courier // by the address that is allowed
}

// New refuses a provider that [dialect.Parse] finds a fault with.
func New(cfg Config) (*Template, error) {
	parsed, faults := dialect.Parse(cfg.Provider)
	var errs []error
	for _, f := range faults {
		errs = append(errs, f)
	}
	t := &Template{parsed, cfg.Secret, cfg.Settle, map[string]*courier.Courier{}}
	for _, base := range cfg.Provider.Allow {
		cfg.Courier.Base = base
		c, err := courier.New(cfg.Courier)
		t.couriers[base], errs = c, append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	return t, nil
}

// Reach implements [gateway.Connector]: it goes where cards are sent.
func (t *Template) Reach(ctx context.Context) error {
	return t.couriers[t.provider.Base(dialect.Authorise)].Reach(ctx)
}

// Authorise implements [gateway.Connector].
func (t *Template) Authorise(ctx context.Context, o gateway.Order, card *secret.Card, note func(ref string) error) (gateway.Answer, error) {
	r, via, err := t.fill(dialect.Authorise, t.values(o, o.Key, "", o.Minor), card)
	if err == nil {
		defer r.Body.Wipe()
		err = note(o.Key)
	}
	if err != nil {
		return gateway.Answer{}, fmt.Errorf("%w: %w", gateway.ErrNotSent, err)
	}
	return t.send(ctx, dialect.Authorise, r, via, o.Key)
}

// Inquire implements [gateway.Connector]. What the provider doesn't know may still be on its way to it: so it is asked again after a while.
func (t *Template) Inquire(ctx context.Context, o gateway.Order, _ string) (gateway.Answer, error) {
	if !t.provider.Has(dialect.Inquire) {
		return gateway.Answer{}, gateway.ErrCannotInquire
	}
	a, err := t.ask(ctx, dialect.Inquire, o, o.Key, "", o.Minor)
	if err != nil || a.Outcome != gateway.NotThere {
		return a, err
	}
	select {
	case <-ctx.Done():
		return gateway.Answer{}, fmt.Errorf("the provider doesn't know of it yet: %w", ctx.Err())
	case <-time.After(t.settle):
	}
	return t.ask(ctx, dialect.Inquire, o, o.Key, "", o.Minor)
}

// Void implements [gateway.Connector]. Where an inquiry says that there is nothing to undo, nothing is; but what the provider doesn't know may be void by its key
// all the same, so that it is when it comes.
func (t *Template) Void(ctx context.Context, o gateway.Order, ref string) (gateway.Answer, error) {
	if ref == o.Key && t.provider.Has(dialect.Inquire) {
		a, err := t.Inquire(ctx, o, ref)
		switch {
		case err != nil:
			return gateway.Answer{}, err
		case a.Outcome == gateway.Declined, a.Outcome == gateway.NotThere && t.provider.NeedsRef(dialect.Void):
			return gateway.Answer{Outcome: gateway.Approved}, nil
		}
		if a.Ref != "" {
			ref = a.Ref
		}
	}
	a, err := t.ask(ctx, dialect.Void, o, o.Key, ref, o.Minor)
	if errors.Is(err, gateway.ErrRefused) && t.provider.Has(dialect.Inquire) {
		if now, asked := t.Inquire(ctx, o, ref); asked == nil && now.Outcome != gateway.Approved {
			return gateway.Answer{Outcome: gateway.Approved}, nil // it was undone before
		}
	}
	return a, err
}

// Capture implements [gateway.Connector].
func (t *Template) Capture(ctx context.Context, o gateway.Order, ref string, minor int64) (gateway.Answer, error) {
	ref, err := t.name(ctx, dialect.Capture, o, ref)
	if err != nil {
		return gateway.Answer{}, err
	}
	return t.ask(ctx, dialect.Capture, o, o.Key, ref, minor)
}

// Refund implements [gateway.Connector].
func (t *Template) Refund(ctx context.Context, o gateway.Order, ref, key string, minor int64) (gateway.Answer, error) {
	ref, err := t.name(ctx, dialect.Refund, o, ref)
	if err != nil {
		return gateway.Answer{}, err
	}
	return t.ask(ctx, dialect.Refund, o, key, ref, minor)
}

// name is the provider's name for an approved payment: ref, unless that is still our own and there is another.
func (t *Template) name(ctx context.Context, verb dialect.Verb, o gateway.Order, ref string) (string, error) {
	if ref != o.Key || !t.provider.NeedsRef(verb) || !t.provider.Has(dialect.Inquire) {
		return ref, nil
	}
	a, err := t.ask(ctx, dialect.Inquire, o, o.Key, "", o.Minor)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: what the provider calls the payment: %w", gateway.ErrNotSent, err)
	case a.Outcome != gateway.Approved || a.Ref == "":
		return "", fmt.Errorf("%w: the provider has no approved payment of this key, or doesn't say what it calls it", gateway.ErrNotSent)
	}
	return a.Ref, nil
}
