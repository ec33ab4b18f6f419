package custody

import (
	"context"
	"errors"
	"time"

	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/lockout"
	"github.com/flattone/flattone/daemon/store"
)

// inForce reads the set in force.
func (c *Custody) inForce(ctx context.Context) (s *set, err error) {
	err = c.deps.Store.Read(ctx, func(tx *store.Tx) error {
		s, err = readSet(tx)
		return err
	})
	return s, err
}

func readSet(tx *store.Tx) (*set, error) {
	s := &set{wraps: map[int][]byte{}}
	err := tx.One([]any{&s.id, &s.need, &s.root}, "SELECT id, need, root FROM custodian_set")
	if errors.Is(err, store.ErrNoRow) {
		return nil, ErrNoCustodians
	}
	if err != nil {
		return nil, err
	}
	err = tx.Each(func(scan func(...any) error) error {
		var name string
		var proof []byte
		err := scan(&name, &proof)
		s.names, s.proof = append(s.names, name), append(s.proof, proof)
		return err
	}, "SELECT person, proof FROM custodian ORDER BY position")
	if err != nil {
		return nil, err
	}
	err = tx.Each(func(scan func(...any) error) error {
		var subset int
		var box []byte
		err := scan(&subset, &box)
		s.wraps[subset] = box
		return err
	}, "SELECT subset, box FROM custodian_wrap")
	return s, err
}

// enforce has a set take the place of the one in force.
func (s *set) enforce(tx *store.Tx) error {
	for _, table := range []string{"custodian_wrap", "custodian", "custodian_set"} {
		if _, err := tx.Exec("DELETE FROM " + table); err != nil {
			return err
		}
	}
	_, err := tx.Exec("INSERT INTO custodian_set (id, need, root, enrolled) VALUES ($1, $2, $3, $4)", s.id, s.need, s.root, time.Now().UnixMicro())
	if err != nil {
		return err
	}
	for i, name := range s.names {
		_, err := tx.Exec("INSERT INTO custodian (person, position, proof, wrong, locked, locked_up) VALUES ($1, $2, $3, 0, 0, 0)", name, i, s.proof[i])
		if err != nil {
			return err
		}
	}
	for subset, box := range s.wraps {
		if _, err := tx.Exec("INSERT INTO custodian_wrap (subset, box) VALUES ($1, $2)", subset, box); err != nil {
			return err
		}
	}
	return nil
}

// called keeps what the safe calls the root of the set in force.
func (c *Custody) called(ctx context.Context, root string) error {
	return c.deps.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("UPDATE custodian_set SET root = $1", root)
		return err
	})
}

func readAccount(tx *store.Tx, person string) (a lockout.Account, err error) {
	var wall, up int64
	err = tx.One([]any{&a.Tries, &wall, &up}, "SELECT wrong, locked, locked_up FROM custodian WHERE person = $1", person)
	if errors.Is(err, store.ErrNoRow) { // the set was replaced meanwhile, by another box
		err = ErrNotCustodian
	}
	a.Locked = lockout.MomentOf(wall, up)
	return a, err
}

func writeAccount(tx *store.Tx, person string, a lockout.Account) error {
	wall, up := a.Locked.Micro()
	_, err := tx.Exec("UPDATE custodian SET wrong = $1, locked = $2, locked_up = $3 WHERE person = $4", a.Tries, wall, up, person)
	return err
}

// joinClose closes a root that nobody wants.
func joinClose(err error, root keys.Root) error { return errors.Join(err, root.Close()) }
