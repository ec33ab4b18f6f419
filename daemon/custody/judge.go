package custody

import (
	"context"
	"errors"
	"slices"

	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/lockout"
	"github.com/flattone/flattone/daemon/store"
)

// judge takes a custodian's share, or says why not. What is no share of his counts as a wrong attempt, be it a slip of the pen: whoever guesses makes the same.
// Attempt, count and lock are in one transaction with their entry in the audit log.
func (c *Custody) judge(ctx context.Context, by, person string, n *ceremony, text []byte) (position int, share *keys.Key, err error) {
	position = slices.Index(n.set.names, person)
	if position < 0 {
		return 0, nil, errors.Join(ErrNotCustodian, c.note(ctx, by, "custodian.refused", "person "+person, ErrNotCustodian.Error()))
	}
	verdict := error(nil)
	err = c.deps.Store.Write(ctx, func(tx *store.Tx) error {
		a, err := readAccount(tx, person)
		if err != nil {
			return err
		}
		verdict = c.look(&a, n, position, text, &share)
		if err := writeAccount(tx, person, a); err != nil {
			return err
		}
		action, result := "custodian.gave", n.about()
		if verdict != nil {
			action, result = "custodian.refused", verdict.Error()
		}
		return c.append(tx, by, action, "person "+person, result)
	})
	if err = errors.Join(err, verdict); err != nil && share != nil {
		share.Destroy()
		share = nil
	}
	return position, share, err
}

// look judges a share, and changes a by what it was.
func (c *Custody) look(a *lockout.Account, n *ceremony, position int, text []byte, share **keys.Key) error {
	now := c.deps.Clock()
	if left := a.Left(now); left > 0 {
		return &lockout.Error{Left: left}
	}
	given, err := compare(n.set, position, text)
	switch {
	case err == nil && n.shares[position] != nil:
		given.Destroy()
		return ErrGiven // and no guess
	case err == nil:
		*a, *share = lockout.Account{}, given
		return nil
	}
	if locked := a.Wrong(now, maxWrong); locked != nil {
		return locked
	}
	return err
}

// compare holds what was given against what is known of the share of a position.
func compare(s *set, position int, text []byte) (*keys.Key, error) {
	of, at, share, err := read(text)
	if err != nil {
		return nil, err
	}
	switch {
	case of != s.id:
		err = ErrOtherSet
	case at != position:
		err = ErrOthersShare
	case !s.is(share, position):
		err = ErrWrongShare
	default:
		return share, nil
	}
	share.Destroy()
	return nil, err
}
