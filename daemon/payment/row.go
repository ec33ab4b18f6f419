package payment

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

const columns = `id, capture, line, profile, gateway, minor, currency, reference, take, later, deferred, bill, total, consent, asker, key, network, address, postcode, token, state, reason, ref, names, answer, tries, created, changed`

// insert makes the row of a payment that is wanted.
func insert(tx *store.Tx, box string, p Payment, due time.Time) error {
	names, err := json.Marshal(p.names)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO payment (box, due, `+columns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, '', $25, '', 0, $26, $26)`,
		box, due.UnixMicro(), p.ID, p.Capture, p.Line, p.Profile, p.Gateway, p.Minor, p.Currency, p.Reference, asBit(p.Take), asBit(p.Later), asBit(p.deferred), p.Bill, p.Total, asBit(p.Consent),
		p.By, p.key, p.network, p.Address.Line, p.Address.Postcode, p.Token, string(p.State), p.Reason, string(names), p.Created.UnixMicro())
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
	args := []any{p.Token, string(p.State), p.Reason, p.ref, string(answer), p.tries, at, p.Changed.UnixMicro(), p.Address.Line, p.Address.Postcode, string(names), asBit(p.deferred), p.ID}
	were := make([]string, len(from))
	for i, s := range from {
		args = append(args, string(s))
		were[i] = "$" + strconv.Itoa(len(args))
	}
	n, err := tx.Exec(`UPDATE payment SET token = $1, state = $2, reason = $3, ref = $4, answer = $5, tries = $6, due = $7, changed = $8, address = $9, postcode = $10, names = $11, deferred = $12
		WHERE id = $13 AND state IN (`+strings.Join(were, ", ")+`)`, args...)
	return n > 0, err
}

// scanned reads a row of [columns].
func scanned(scan func(...any) error) (p Payment, err error) {
	var take, later, deferred, consent, created, changed int64
	var state, names, answer string
	err = scan(&p.ID, &p.Capture, &p.Line, &p.Profile, &p.Gateway, &p.Minor, &p.Currency, &p.Reference, &take, &later, &deferred, &p.Bill, &p.Total, &consent, &p.By, &p.key, &p.network, &p.Address.Line, &p.Address.Postcode, &p.Token,
		&state, &p.Reason, &p.ref, &names, &answer, &p.tries, &created, &changed)
	if err != nil {
		return p, err
	}
	p.Take, p.Later, p.deferred, p.Consent, p.State = take == 1, later == 1, deferred == 1, consent == 1, State(state)
	p.Created, p.Changed = time.UnixMicro(created).UTC(), time.UnixMicro(changed).UTC()
	if answer != "" {
		err = json.Unmarshal([]byte(answer), &p.Answer)
	}
	return p, errors.Join(err, json.Unmarshal([]byte(names), &p.names))
}

// one reads the payment that a condition holds for, or [ErrUnknown].
func one(tx *store.Tx, where string, values ...any) (Payment, error) {
	p, err := scanned(func(dest ...any) error {
		return tx.One(dest, "SELECT "+columns+" FROM payment WHERE "+where, values...)
	})
	if errors.Is(err, store.ErrNoRow) {
		return Payment{}, ErrUnknown
	}
	return p, err
}

// named reads a payment by its id, or [ErrUnknown]: what is given in an id's place may be a card.
func named(tx *store.Tx, name string) (Payment, error) {
	if !IsID(name) {
		return Payment{}, ErrUnknown
	}
	return one(tx, "id = $1", name)
}

var errGone = errors.New("somebody else saw to it")
