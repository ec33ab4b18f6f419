package vault

import (
	"errors"

	"github.com/flattone/flattone/daemon/store"
)

// Known finds a card by what a destination knows it by: the card's own token, or one that is that destination's alone. Whatever else is given, another's token or that of a
// card which is gone, is [ErrUnknownToken], so that nobody learns what others have.
func (v *Vault) Known(tx *store.Tx, destination, known string) (Entry, error) {
	if !IsToken(known) {
		return Entry{}, ErrUnknownToken
	}
	token := known
	err := tx.One([]any{&token}, "SELECT token FROM alias WHERE alias = $1 AND destination = $2", known, destination)
	if err != nil && !errors.Is(err, store.ErrNoRow) {
		return Entry{}, err
	}
	e, err := scanEntry(func(dest ...any) error { return tx.One(dest, entries+" WHERE card.token = $1", token) })
	if errors.Is(err, store.ErrNoRow) {
		return Entry{}, ErrUnknownToken
	}
	if err != nil {
		return Entry{}, err
	}
	// A card's own token is nothing to whoever was told another: that is what keeps two of them from finding out that they have the same card.
	if told, _, err := aliases(tx, token, destination); err != nil || told != known {
		return Entry{}, errors.Join(ErrUnknownToken, err)
	}
	return e, nil
}
