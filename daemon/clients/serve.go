package clients

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// asked is one request on its way to an answer.
type asked struct {
	Request
	who    Client
	id     string
	object string // the card's own token, or the payment; "" for one that isn't this client's
	now    time.Time
}

// turnedAway is who is answered without anything being noted.
type turnedAway struct{ answer *Error }

func (t turnedAway) Error() string { return string(t.answer.Code) }

// serve answers a request that may be made, if it isn't answered already.
//
//	         ┌─ its id is new, and the hour has room ─▶ row ─▶ done, answered, in the log
//	request ─┤                              ▲
//	         │                              └───────────────────────────────┐
//	         └─ its id is known ─┬─ with something else ─▶ refused          │
//	                             ├─ answered ─▶ the same answer             │
//	                             └─ a look, or what came to no answer ──────┘
//
// What is about a card is one transaction. What is about a payment is three: the row, the payment's own, which is the same one for the same client and id however often
// it is asked for, and the answer.
func (c *Clients) serve(ctx context.Context, who Client, id string, q Request) (a Answer, err error) {
	var r *asked
	var over *Answer
	err = c.deps.Store.Write(ctx, func(tx *store.Tx) (err error) {
		r = &asked{Request: q, who: who, id: id, now: time.Now()}
		over, err = c.take(tx, r)
		return err
	})
	if err != nil {
		return Answer{}, err
	}
	if over == nil {
		if a, err = c.ofPayment(ctx, r); err == nil {
			err = c.deps.Store.Write(ctx, func(tx *store.Tx) error { return c.settle(tx, r, a) })
		}
		return a, err
	}
	if over.Deleted {
		err = c.deps.Store.Scrub(ctx)
	}
	return *over, err
}

// take notes a request, and answers it, unless it is about a payment.
func (c *Clients) take(tx *store.Tx, r *asked) (*Answer, error) {
	if a, err := c.admit(tx, r); a != nil || err != nil {
		return a, err
	}
	var a Answer
	var card vault.Entry
	var err error
	if r.object == "" {
		card, err = c.deps.Cards.Known(tx, r.who.Destination, r.Token)
		r.object = card.Token
	}
	if err == nil && r.Verb == Delete {
		err = c.deps.Cards.ShredIn(tx, actor(r.who.Name), r.object)
	}
	switch {
	case errors.Is(err, vault.ErrUnknownToken):
		a = refusal(UnknownToken, "this client has no card by this token")
	case errors.Is(err, vault.ErrOnHold):
		a = refusal(OnHold, "the card is on hold")
	case err != nil:
		return nil, err
	case r.Verb == Lookup:
		a.Card = cardOf(card, r.Token, r.now)
	case r.Verb == Delete:
		a.Deleted = true
	default: // from now on it is about that card, which may be gone once it is charged
		_, err = tx.Exec("UPDATE client_request SET object = $1 WHERE client = $2 AND id = $3", r.object, r.who.Name, r.id)
		return nil, err
	}
	return &a, c.settle(tx, r, a)
}

// admit notes a request, or finds what it was answered, or that it is to be turned away.
func (c *Clients) admit(tx *store.Tx, r *asked) (*Answer, error) {
	if _, err := tx.Exec("DELETE FROM client_request WHERE forget < $1", r.now.UnixMicro()); err != nil {
		return nil, err
	}
	var hash []byte
	var answer string
	err := tx.One([]any{&hash, &r.object, &answer}, "SELECT hash, object, answer FROM client_request WHERE client = $1 AND id = $2", r.who.Name, r.id)
	switch {
	case errors.Is(err, store.ErrNoRow):
		r.object = r.Payment
	case err != nil:
		return nil, err
	case !bytes.Equal(hash, r.hash()):
		return nil, turnedAway{refusal(IDReused, "something else was asked under this id").Error}
	case answer != "":
		a := &Answer{}
		return a, json.Unmarshal([]byte(answer), a)
	}
	var n int
	if err := tx.One([]any{&n}, "SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM client_request WHERE client = $1 AND asked > $2", r.who.Name, r.now.Add(-time.Hour).UnixMicro()); err != nil {
		return nil, err
	}
	if n >= r.who.PerHour {
		return nil, turnedAway{refusal(Quota, fmt.Sprintf("%d requests were made within an hour, which is all that this client may", n)).Error}
	}
	_, err = tx.Exec(`INSERT INTO client_request (client, id, hash, object, answer, times, asked, forget) VALUES ($1, $2, $3, $4, '', 1, $5, $6)
		ON CONFLICT (client, id) DO UPDATE SET times = client_request.times + 1`,
		r.who.Name, r.id, r.hash(), r.object, r.now.UnixMicro(), r.now.Add(r.Verb.remembered()).UnixMicro())
	return nil, err
}

// remembered is how long a request is: one that only looks is answered anew each time, and counted for its hour.
func (v Verb) remembered() time.Duration {
	if v.looks() {
		return time.Hour
	}
	return Remembered
}

// settle keeps an act's answer, and has it in the audit log.
func (c *Clients) settle(tx *store.Tx, r *asked, a Answer) error {
	if !r.Verb.looks() {
		if _, err := tx.Exec("UPDATE client_request SET answer = $1 WHERE client = $2 AND id = $3", string(a.JSON()), r.who.Name, r.id); err != nil {
			return err
		}
	}
	return c.deps.Audit.Append(tx, audit.Event{Actor: actor(r.who.Name), Action: "client.answered", Object: cmp.Or(r.object, r.Token), Result: a.result(),
		Origin: fmt.Sprintf("%v, request %s", r.Request, r.id), Time: r.now})
}
