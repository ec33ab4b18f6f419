package clients

import (
	"bytes"
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
	object string // the card's own token
	now    time.Time
}

// serve answers a request that may be made, if it isn't answered already.
//
//	         ┌─ its id is new, and the hour has room ─▶ row ─▶ done, answered, in the log: one transaction
//	request ─┤                              ▲
//	         │                              └───────────────────────────────┐
//	         └─ its id is known ─┬─ with something else ─▶ refused          │
//	                             ├─ answered ─▶ the same answer             │
//	                             └─ a look ─ and the hour has room ─────────┘
func (c *Clients) serve(ctx context.Context, who Client, id string, q Request) (a Answer, err error) {
	err = c.deps.Store.Write(ctx, func(tx *store.Tx) (err error) {
		r := &asked{Request: q, who: who, id: id, now: time.Now()}
		a, err = c.take(tx, r)
		return err
	})
	if err == nil && a.Deleted {
		err = c.deps.Store.Scrub(ctx)
	}
	return a, err
}

func (c *Clients) take(tx *store.Tx, r *asked) (a Answer, err error) {
	a, over, err := c.admit(tx, r)
	if over || err != nil {
		return a, err
	}
	if a, err = c.ofCard(tx, r); err != nil {
		return Answer{}, err
	}
	return a, c.settle(tx, r, a)
}

// admit notes a request, or finds that it is over: by its id, or because there were too many.
func (c *Clients) admit(tx *store.Tx, r *asked) (a Answer, over bool, err error) {
	if _, err := tx.Exec("DELETE FROM client_request WHERE forget < $1", r.now.UnixMicro()); err != nil {
		return a, false, err
	}
	var hash []byte
	var answer string
	var n int
	err = tx.One([]any{&hash, &answer}, "SELECT hash, answer FROM client_request WHERE client = $1 AND id = $2", r.who.Name, r.id)
	known := err == nil
	if errors.Is(err, store.ErrNoRow) {
		err = nil
	}
	switch {
	case err != nil:
		return a, false, err
	case known && !bytes.Equal(hash, r.hash()):
		return refusal(IDReused, "something else was asked under this id"), true, nil
	case answer != "":
		return a, true, json.Unmarshal([]byte(answer), &a)
	}
	if err := tx.One([]any{&n}, "SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM client_request WHERE client = $1 AND asked > $2", r.who.Name, r.now.Add(-time.Hour).UnixMicro()); err != nil {
		return a, false, err
	}
	if n >= r.who.PerHour {
		return refusal(Quota, fmt.Sprintf("%d requests were made within an hour, which is all that this client may", n)), true, nil
	}
	_, err = tx.Exec(`INSERT INTO client_request (client, id, hash, object, answer, times, asked, forget) VALUES ($1, $2, $3, '', '', 1, $4, $5)
		ON CONFLICT (client, id) DO UPDATE SET times = client_request.times + 1`,
		r.who.Name, r.id, r.hash(), r.now.UnixMicro(), r.now.Add(r.Verb.remembered()).UnixMicro())
	return a, false, err
}

// remembered is how long a request is: what only looks is answered anew each time, and counted for its hour.
func (v Verb) remembered() time.Duration {
	if v == Lookup {
		return time.Hour
	}
	return Remembered
}

// ofCard answers what is about a card as such.
func (c *Clients) ofCard(tx *store.Tx, r *asked) (Answer, error) {
	e, err := c.deps.Cards.Known(tx, r.who.Destination, r.Token)
	if r.object = e.Token; err == nil && r.Verb == Lookup {
		return Answer{Card: cardOf(e, r.Token, r.now)}, nil
	}
	if err == nil {
		err = c.deps.Cards.ShredIn(tx, actor(r.who.Name), e.Token)
	}
	switch {
	case errors.Is(err, vault.ErrUnknownToken):
		return refusal(UnknownToken, "this client has no card by this token"), nil
	case errors.Is(err, vault.ErrOnHold):
		return refusal(OnHold, "the card is on hold"), nil
	case err != nil:
		return Answer{}, err
	}
	return Answer{Deleted: true}, nil
}

// settle keeps an answer, and has it in the audit log.
func (c *Clients) settle(tx *store.Tx, r *asked, a Answer) error {
	if r.Verb != Lookup {
		if _, err := tx.Exec("UPDATE client_request SET answer = $1, object = $2 WHERE client = $3 AND id = $4", string(a.JSON()), r.object, r.who.Name, r.id); err != nil {
			return err
		}
	}
	object := r.object
	if object == "" {
		object = r.Token // of which is known that it has the form of one
	}
	return c.deps.Audit.Append(tx, audit.Event{Actor: actor(r.who.Name), Action: "client.answered", Object: object, Result: a.result(),
		Origin: fmt.Sprintf("%s for %s, request %s", r.Verb, r.Purpose, r.id), Time: r.now})
}
