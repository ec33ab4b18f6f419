package iso8583

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
	"github.com/flattone/flattone/daemon/secret"
)

var errAway = errors.New("the acquirer is away")

// Reach implements [gateway.Connector]: an echo (0800) over the connection that is kept. It doesn't connect; Run does.
func (c *Connector) Reach(ctx context.Context) error {
	l := c.link.Load()
	if l != nil {
		return c.manage(ctx, l, echo)
	}
	if why := c.why.Load(); why != nil {
		return fmt.Errorf("%w: %w", errAway, *why)
	}
	return errAway
}

// Authorise implements [gateway.Connector]: one 0100 or 0200, and never a second.
func (c *Connector) Authorise(ctx context.Context, o gateway.Order, card *secret.Card, note func(ref string) error) (gateway.Answer, error) {
	l := c.link.Load()
	if l == nil {
		return gateway.Answer{}, notSent(errAway)
	}
	t, err := c.traces.next(time.Now())
	if err != nil {
		return gateway.Answer{}, err
	}
	r := ref{"0100", t, numberOf(o.Key), ""}
	if o.Take {
		r.mti = "0200"
	}
	q, err := c.payment(r, o, card)
	if err != nil {
		return gateway.Answer{}, err
	}
	defer q.wipe()
	if err := note(r.String()); err != nil {
		return gateway.Answer{}, notSent(err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	a, err := l.ask(ctx, q)
	if err != nil {
		return gateway.Answer{}, err
	}
	g, err := a.says(o.Minor, currencies[o.Currency])
	if err == nil && g.Outcome == gateway.Approved {
		if r.auth = a.auth; a.number != "" {
			r.number = a.number
		}
		g.Ref = r.String()
	}
	return g, err
}

// payment writes a card's question: what is secret goes from the card to the question's page, by way of a locked page where it has to change.
func (c *Connector) payment(r ref, o gateway.Order, card *secret.Card) (*question, error) {
	if card.PAN.Len() == 0 {
		return nil, notSent(errors.New("the card has no number"))
	}
	aside, err := locked.Bytes(message.MostBytes)
	if err != nil {
		return nil, notSent(err)
	}
	defer locked.Free(aside)
	fields, err := c.common(r.trace, goods, o.Minor, o, r.number)
	if err != nil {
		return nil, err
	}
	yymm, err := expiry(aside[:4], card.Expiry)
	if err != nil {
		return nil, err
	}
	more, err := private(aside[4:], o, card.CVV.Text)
	if err != nil {
		return nil, err
	}
	return c.question(r.trace, r.mti, append(fields, message.Field{Number: 2, Secret: card.PAN.Reveal()}, message.Field{Number: 14, Secret: yymm},
		message.Field{Number: 48, Secret: more}, message.Field{Number: 120, Text: address(o.Address)})...)
}

// Inquire implements [gateway.Connector]: nobody can ask.
func (c *Connector) Inquire(context.Context, gateway.Order, string) (gateway.Answer, error) {
	return gateway.Answer{}, gateway.ErrCannotInquire
}

// Void implements [gateway.Connector]. An acquirer who knows of no such payment is believed once it can no longer be on its way to him; until then he is told again.
func (c *Connector) Void(ctx context.Context, o gateway.Order, noted string) (gateway.Answer, error) {
	r, err := parseRef(noted)
	if err != nil {
		return gateway.Answer{}, err
	}
	a, err := c.advise(ctx, "0420", "0421", o, o.Minor, r, func(code string) bool {
		return !again(code) && (!notFound[code] || r.age(time.Now()) >= c.cfg.Lifetime)
	})
	if err != nil {
		return gateway.Answer{}, err
	}
	if notFound[a.code] {
		return gateway.Answer{Outcome: gateway.Approved, Code: a.code}, nil
	}
	return a.advised(o.Minor, currencies[o.Currency])
}

// Capture implements [gateway.Connector]. An advice and no second 0200, for a completion of what was approved can't be declined for want of money, and can be
// repeated until it is taken.
func (c *Connector) Capture(ctx context.Context, o gateway.Order, noted string, minor int64) (gateway.Answer, error) {
	r, err := parseRef(noted)
	if err != nil {
		return gateway.Answer{}, err
	}
	if r.mti != "0100" {
		return gateway.Answer{}, notSent(errors.New("it was a sale: its money is taken"))
	}
	a, err := c.advise(ctx, "0220", "0221", o, minor, r, func(code string) bool { return !again(code) })
	if err != nil {
		return gateway.Answer{}, err
	}
	return a.advised(minor, currencies[o.Currency])
}

// Refund implements [gateway.Connector].
func (c *Connector) Refund(ctx context.Context, o gateway.Order, noted, key string, minor int64) (gateway.Answer, error) {
	r, err := parseRef(noted)
	if err != nil {
		return gateway.Answer{}, err
	}
	t, err := c.traces.next(time.Now())
	if err != nil {
		return gateway.Answer{}, err
	}
	fields, err := c.common(t, giveBack, minor, o, numberOf(key))
	if err != nil {
		return gateway.Answer{}, err
	}
	a, err := c.try(ctx, t, "0200", append(fields, message.Field{Number: 90, Text: r.original(c.cfg.Institution)}))
	if err != nil {
		return gateway.Answer{}, err
	}
	return a.advised(minor, currencies[o.Currency])
}

// advised is what an answer says to an advice or a refund: that it was given before says that it is done.
func (a answer) advised(amount int64, currency string) (gateway.Answer, error) {
	if a.code == given {
		return gateway.Answer{Outcome: gateway.Approved, Code: a.code}, nil
	}
	return a.says(amount, currency)
}

// advise tells the acquirer of something about a payment, again and again until an answer is final, or ctx ends.
func (c *Connector) advise(ctx context.Context, mti, repeat string, o gateway.Order, minor int64, r ref, final func(code string) bool) (answer, error) {
	t, err := c.traces.next(time.Now())
	if err != nil {
		return answer{}, err
	}
	fields, err := c.common(t, goods, minor, o, r.number)
	if err != nil {
		return answer{}, err
	}
	fields = append(fields, message.Field{Number: 38, Text: r.auth}, message.Field{Number: 90, Text: r.original(c.cfg.Institution)})
	for first := true; ; first = false {
		a, err := c.try(ctx, t, mti, fields)
		if err == nil && final(a.code) {
			return a, nil
		}
		if first && errors.Is(err, gateway.ErrNotSent) {
			return answer{}, err
		}
		mti = repeat
		select {
		case <-time.After(c.cfg.BackOff):
		case <-ctx.Done():
			return answer{}, fmt.Errorf("%w, or not for good: %w", errNoAnswer, ctx.Err())
		}
	}
}

// try asks once what has no card in it.
func (c *Connector) try(ctx context.Context, t trace, mti string, fields []message.Field) (answer, error) {
	l := c.link.Load()
	if l == nil {
		return answer{}, notSent(errAway)
	}
	q, err := c.question(t, mti, fields...)
	if err != nil {
		return answer{}, err
	}
	defer q.wipe()
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	return l.ask(ctx, q)
}
