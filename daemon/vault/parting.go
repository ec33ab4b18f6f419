package vault

import (
	"encoding/json"
	"time"

	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/store"
)

// The types of the events that tell of a card that there is no more. None tells of one that was used up or resolved: whoever is told had it so.
const (
	EventShredded   = "card.shredded"   // its time was over, or somebody had it deleted: the token means nothing any more
	EventUnresolved = "card.unresolved" // nothing was ever heard of what became of it, and it is gone all the same
)

// parting is their data.
type parting struct {
	Capture string `json:"capture"`
	Token   string `json:"token"`
	Number  string `json:"number,omitempty"`
	Kind    Kind   `json:"kind"`
	Why     Why    `json:"why"`
}

// part has each destination told, by what it knows the card by, that there is none any more. It is done before the rows go.
func (v *Vault) part(tx *store.Tx, token string, why Why, now time.Time) error {
	kind := EventShredded
	switch why {
	case Used, Resolved:
		return nil
	case Unresolved:
		kind = EventUnresolved
	}
	said := parting{Why: why}
	if err := tx.One([]any{&said.Capture, &said.Kind}, "SELECT capture, kind FROM card WHERE token = $1", token); err != nil {
		return err
	}
	for _, d := range v.cfg.Destinations {
		var err error
		if said.Token, said.Number, err = aliases(tx, token, d.Name); err != nil {
			return err
		}
		data, err := json.Marshal(said)
		if err != nil {
			return err
		}
		if err := v.outbox.Enqueue(tx, Event{ID: id.New("evt_", now), To: d.Name, Type: kind, Key: said.Capture, Time: now, Data: data}); err != nil {
			return err
		}
	}
	return nil
}

// aliases are what a destination knows a card by: its token, which is the card's own unless it has one of its own, and the second form of it in digits, if there is one.
func aliases(tx *store.Tx, token, destination string) (known, number string, err error) {
	known = token
	err = tx.Each(func(scan func(...any) error) error {
		var alias string
		err := scan(&alias)
		if IsToken(alias) {
			known = alias
		} else {
			number = alias
		}
		return err
	}, "SELECT alias FROM alias WHERE token = $1 AND destination = $2", token, destination)
	return known, number, err
}

// Captured is the token of a capture's card, "" where there is none, or none any more.
func (v *Vault) Captured(tx *store.Tx, capture string) (token string, err error) {
	err = tx.One([]any{&token}, "SELECT COALESCE(MIN(token), '') FROM card WHERE capture = $1", capture)
	return token, err
}

// Names are the tokens by which the destinations know a card, by their names. They go with the card.
func (v *Vault) Names(tx *store.Tx, token string) (map[string]string, error) {
	names := map[string]string{}
	for _, d := range v.cfg.Destinations {
		known, _, err := aliases(tx, token, d.Name)
		if err != nil {
			return nil, err
		}
		names[d.Name] = known
	}
	return names, nil
}
