package factor

import (
	"errors"

	"github.com/flattone/flattone/daemon/lockout"
	"github.com/flattone/flattone/daemon/store"
)

// row is what is kept of a person.
type row struct {
	person  string
	used    int64
	account lockout.Account
}

// read refuses who has no factor: that changes nothing, and so is not noted.
func read(tx *store.Tx, person string) (row, error) {
	r := row{person: person}
	var wall, up int64
	err := tx.One([]any{&r.used, &r.account.Tries, &wall, &up}, "SELECT used, wrong, locked, locked_up FROM factor WHERE person = $1", person)
	if errors.Is(err, store.ErrNoRow) {
		return r, ErrNone
	}
	r.account.Locked = lockout.MomentOf(wall, up)
	return r, err
}

func (r *row) write(tx *store.Tx) error {
	wall, up := r.account.Locked.Micro()
	_, err := tx.Exec("UPDATE factor SET used = $1, wrong = $2, locked = $3, locked_up = $4 WHERE person = $5", r.used, r.account.Tries, wall, up, r.person)
	return err
}

// locked is an error while no code is looked at.
func (r *row) locked(now lockout.Moment) error {
	if left := r.account.Left(now); left > 0 {
		return &lockout.Error{Left: left}
	}
	return nil
}
