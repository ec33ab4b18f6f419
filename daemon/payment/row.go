package payment

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

const columns = `id, capture, line, profile, gateway, minor, currency, reference, take, later, address, postcode, token, state, reason, ref, names, answer, tries, created, changed`

// insert makes the row of a payment that is wanted.
func insert(tx *store.Tx, box string, p Payment, due time.Time) error {
	_, err := tx.Exec(`INSERT INTO payment (id, capture, box, line, profile, gateway, minor, currency, reference, take, later, address, postcode, token, state, reason, ref, names, answer, tries, due, created, changed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '', $14, $17, '', '', '', 0, $16, $15, $15)`,
		p.ID, p.Capture, box, p.Line, p.Profile, p.Gateway, p.Minor, p.Currency, p.Reference, asBit(p.Take), asBit(p.Later), p.Address.Line, p.Address.Postcode,
		string(p.State), p.Created.UnixMicro(), due.UnixMicro(), p.Reason)
	return err
}

func asBit(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

// change writes what may change of a payment that was in one of those states, and reports whether it still was.
func change(tx *store.Tx, p Payment, due time.Time, from ...State) (bool, error) {
	answer, err := json.Marshal(p.Answer)
	if err != nil {
		return false, err
	}
	names, err := json.Marshal(p.names)
	if err != nil {
		return false, err
	}
	at := int64(0)
	if !p.State.Over() && !due.IsZero() {
		at = due.UnixMicro()
	}
	for _, s := range from {
		n, err := tx.Exec(`UPDATE payment SET token = $1, state = $2, reason = $3, ref = $4, answer = $5, tries = $6, due = $7, changed = $8, address = $9, postcode = $10, names = $11
			WHERE id = $12 AND state = $13`,
			p.Token, string(p.State), p.Reason, p.ref, string(answer), p.tries, at, p.Changed.UnixMicro(), p.Address.Line, p.Address.Postcode, string(names), p.ID, string(s))
		if err != nil || n > 0 {
			return n > 0, err
		}
	}
	return false, nil
}

// scanned reads a row of [columns].
func scanned(scan func(...any) error) (p Payment, err error) {
	var take, later, created, changed int64
	var state, names, answer string
	err = scan(&p.ID, &p.Capture, &p.Line, &p.Profile, &p.Gateway, &p.Minor, &p.Currency, &p.Reference, &take, &later, &p.Address.Line, &p.Address.Postcode, &p.Token,
		&state, &p.Reason, &p.ref, &names, &answer, &p.tries, &created, &changed)
	if err != nil {
		return p, err
	}
	p.Take, p.Later, p.State = take == 1, later == 1, State(state)
	p.Created, p.Changed = time.UnixMicro(created).UTC(), time.UnixMicro(changed).UTC()
	if answer != "" {
		err = errors.Join(json.Unmarshal([]byte(answer), &p.Answer), json.Unmarshal([]byte(names), &p.names))
	}
	return p, err
}

// one reads a payment by what is unique of it.
func one(tx *store.Tx, where, value string) (p Payment, err error) {
	found := false
	err = tx.Each(func(scan func(...any) error) error {
		p, err = scanned(scan)
		found = true
		return err
	}, "SELECT "+columns+" FROM payment WHERE "+where+" = $1", value)
	if err == nil && !found {
		err = ErrUnknown
	}
	return p, err
}

var errGone = errors.New("somebody else saw to it")
