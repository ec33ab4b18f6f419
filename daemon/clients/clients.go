// Package clients answers what the owner's systems ask about the tokens that they were told: what card one stands for, to charge it, to pay money back, to delete it.
//
// It exists so that a token is of use to whoever was told it without a card ever leaving for him. It says who may ask what ([Client]), and what is answered; how a
// request gets here, and how it is known whose it is, is a transport's business, in packages below. It promises:
//
//   - Nobody is answered who isn't in the configuration, nor what isn't in his rules there: verbs, purposes, gateway, amount, requests an hour.
//   - A client knows the cards of its own destination, by the tokens that this was told. One that doesn't exist, is another's or is deleted is answered alike.
//   - What is asked twice under one id is done once, and answered as it was, for [Remembered]; the same id with something else is refused.
//   - Each request is in the audit log: what was answered, a deletion in the transaction that did it, and who was turned away; a flood of those is entered by its number.
//     Payments have entries of their own besides.
//   - An answer has brand, last four and expiry of a card, and never another digit. Of a request nothing is kept or told but ids, amounts and a hash; what isn't in its
//     place, which may be a card's number, is neither quoted nor logged.
package clients

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/payment"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// Client is a system of the owner's, and what it may do.
type Client struct {
	Name string
	// Destination is the one upstream whose tokens it knows.
	Destination string
	May         []Verb
	Purposes    []string
	PerHour     int // requests
	// Gateway and Currency are of the payments that it may make and do something with, MostMinor how much at a time; empty where it may not.
	Gateway, Currency string
	MostMinor         int64
}

// Cards is what clients need of the vault.
type Cards interface {
	// Known is [vault.Vault.Known].
	Known(tx *store.Tx, destination, token string) (vault.Entry, error)
	// ShredIn is [vault.Vault.ShredIn].
	ShredIn(tx *store.Tx, by, token string) error
}

// Payments is what clients need of payments.
type Payments interface {
	// ChargeStored is [payment.Payments.ChargeStored].
	ChargeStored(ctx context.Context, by, key string, o payment.StoredOrder) (payment.Payment, error)
	// Act is [payment.Payments.Act].
	Act(ctx context.Context, by, key, payment string, kind payment.Kind, minor int64) (payment.Act, error)
	// Books is [payment.Payments.Books].
	Books(ctx context.Context, name string) (payment.Books, error)
}

// Remembered is how long an act's answer is kept.
const Remembered = 30 * 24 * time.Hour

// Deps are what answers are made of.
type Deps struct {
	Store    *store.DB
	Audit    *audit.Log
	Cards    Cards
	Payments Payments
	Log      *slog.Logger
}

// Clients answers. Safe for concurrent use.
type Clients struct {
	deps Deps
	all  map[string]Client
	door *door
}

// New checks what it is given.
func New(all []Client, deps Deps) (*Clients, error) {
	if deps.Store == nil || deps.Audit == nil || deps.Cards == nil || deps.Payments == nil || deps.Log == nil {
		return nil, errors.New("clients: a dependency is missing")
	}
	c := &Clients{deps: deps, all: map[string]Client{}, door: newDoor()}
	for _, one := range all {
		if one.Name == "" || one.Destination == "" || len(one.May) == 0 || len(one.Purposes) == 0 || one.PerHour <= 0 || one.MostMinor < 0 {
			return nil, fmt.Errorf("clients: %q: it needs a name, a destination, something that it may, what for, and how often", one.Name)
		}
		c.all[one.Name] = one
	}
	return c, nil
}

// Serve answers a request of a client's. Its id is the client's own, by which it is done once however often it is sent.
func (c *Clients) Serve(ctx context.Context, client, id string, body []byte) Answer {
	who, known := c.all[client]
	if !known {
		return c.Refuse(ctx, "nobody", id, NotAllowed, "no such client is configured")
	}
	if !IsID(id) {
		return c.Refuse(ctx, client, id, BadRequest, "the id is not 1 to 64 letters, digits, hyphens and underscores with at most 11 digits in a row")
	}
	q, err := Parse(body)
	if err != nil {
		return c.Refuse(ctx, client, id, BadRequest, err.Error())
	}
	if why := who.forbids(q); why != "" {
		return c.Refuse(ctx, client, id, NotAllowed, why)
	}
	a, err := c.serve(ctx, who, id, q)
	if away, is := errors.AsType[turnedAway](err); is {
		return c.Refuse(ctx, client, id, away.answer.Code, away.answer.Text)
	}
	if err != nil {
		c.deps.Log.Error("what a client asked could not be answered", "client", client, "request", id, "verb", string(q.Verb), "error", err)
		return refusal(Unavailable, "the box can't do it now")
	}
	return a
}

// Refuse answers somebody who is turned away, and has it in the audit log. A transport says so of who can't prove himself; client is one of
// the configuration's, whom he says he is.
func (c *Clients) Refuse(ctx context.Context, client, id string, code Code, why string) Answer {
	if !IsID(id) {
		id = "without a good id" // what is in its place may be a card number
	}
	if more, enter := c.door.enter(client, time.Now()); enter {
		e := audit.Event{Actor: actor(client), Action: "client.refused", Object: "request " + id, Result: string(code) + ": " + why, Origin: "clients", Time: time.Now()}
		if more > 0 {
			e.Result += fmt.Sprintf("; and %d more since the last entry", more)
		}
		if err := c.deps.Store.Write(ctx, func(tx *store.Tx) error { return c.deps.Audit.Append(tx, e) }); err != nil {
			c.deps.Log.Error("that a client was turned away is not in the audit log", "client", client, "error", err)
		}
	}
	return refusal(code, why)
}

// forbids says why a request isn't this client's to make; "" if it is.
func (w Client) forbids(q Request) string {
	switch {
	case !slices.Contains(w.May, q.Verb):
		return "may of this client has no " + string(q.Verb)
	case !slices.Contains(w.Purposes, q.Purpose):
		return "purposes of this client doesn't have that one"
	case q.Minor > w.MostMinor:
		return "that is more than most_minor of this client"
	case q.Currency != "" && q.Currency != w.Currency:
		return "the currency of this client's gateway is another"
	}
	return ""
}

// actor is what a client is called in the audit log, and by whoever acts for it.
func actor(client string) string { return "client " + client }
