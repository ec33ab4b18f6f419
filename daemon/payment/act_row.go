package payment

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

const actColumns = `id, payment, kind, minor, asker, key, state, reason, answer, tries, created, changed`

// insertAct makes the row of an act.
func insertAct(tx *store.Tx, box string, a Act, due time.Time) error {
	_, err := tx.Exec(`INSERT INTO payment_act (id, payment, box, kind, minor, asker, key, state, reason, answer, tries, due, created, changed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', '', 0, $9, $10, $10)`,
		a.ID, a.Payment, box, string(a.Kind), a.Minor, a.By, a.key, string(a.State), due.UnixMicro(), a.Created.UnixMicro())
	return err
}

// changeAct writes what may change of an act that is open; [errGone] if it isn't any more.
func changeAct(tx *store.Tx, a Act, due time.Time) error {
	answer, err := json.Marshal(a.Answer)
	if err != nil {
		return err
	}
	at := int64(0)
	if a.State == Open {
		at = due.UnixMicro()
	}
	n, err := tx.Exec("UPDATE payment_act SET state = $1, reason = $2, answer = $3, tries = $4, due = $5, changed = $6 WHERE id = $7 AND state = $8",
		string(a.State), a.Reason, string(answer), a.tries, at, a.Changed.UnixMicro(), a.ID, string(Open))
	if err == nil && n == 0 {
		err = errGone
	}
	return err
}

// scannedAct reads a row of [actColumns].
func scannedAct(scan func(...any) error) (a Act, err error) {
	var kind, state, answer string
	var created, changed int64
	if err := scan(&a.ID, &a.Payment, &kind, &a.Minor, &a.By, &a.key, &state, &a.Reason, &answer, &a.tries, &created, &changed); err != nil {
		return a, err
	}
	a.Kind, a.State = Kind(kind), State(state)
	a.Created, a.Changed = time.UnixMicro(created).UTC(), time.UnixMicro(changed).UTC()
	if answer != "" {
		err = json.Unmarshal([]byte(answer), &a.Answer)
	}
	return a, err
}

// eachAct reads the acts that a condition holds for, oldest first.
func eachAct(tx *store.Tx, where string, args ...any) (all []Act, err error) {
	err = tx.Each(func(scan func(...any) error) error {
		a, err := scannedAct(scan)
		all = append(all, a)
		return err
	}, "SELECT "+actColumns+" FROM payment_act WHERE "+where+" ORDER BY id", args...)
	return all, err
}

// oneAct reads the act that a condition holds for, or [ErrUnknown].
func oneAct(tx *store.Tx, where string, args ...any) (Act, error) {
	a, err := scannedAct(func(dest ...any) error {
		return tx.One(dest, "SELECT "+actColumns+" FROM payment_act WHERE "+where, args...)
	})
	if errors.Is(err, store.ErrNoRow) {
		return Act{}, ErrUnknown
	}
	return a, err
}

// actsOf are a payment's, oldest first.
func actsOf(tx *store.Tx, payment string) ([]Act, error) {
	return eachAct(tx, "payment = $1", payment)
}
