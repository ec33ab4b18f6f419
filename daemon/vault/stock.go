package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// Stock is what the vault holds.
type Stock struct {
	Kinds map[Kind]int64 // how many cards of each kind; none of a kind is left out
	Held  int64          // how many are on hold
	Next  time.Time      // when the next is shredded; zero if none will be
}

// Stock counts. With millions of records that takes a second.
func (v *Vault) Stock(ctx context.Context) (s Stock, err error) {
	s.Kinds = map[Kind]int64{}
	err = v.store.Read(ctx, func(tx *store.Tx) error {
		err := tx.Each(func(scan func(...any) error) error {
			var kind Kind
			var n int64
			err := scan(&kind, &n)
			s.Kinds[kind] = n
			return err
		}, "SELECT kind, COUNT(*) FROM card GROUP BY kind")
		if err != nil {
			return err
		}
		var next int64
		if err := tx.One([]any{&s.Held, &next}, `SELECT (SELECT COUNT(*) FROM hold),
			COALESCE((SELECT MIN(expires) FROM card WHERE NOT EXISTS (SELECT 1 FROM hold WHERE hold.token = card.token)), 0)`); err != nil {
			return err
		}
		if next > 0 {
			s.Next = time.UnixMicro(next).UTC()
		}
		return nil
	})
	if err != nil {
		return s, fmt.Errorf("vault: count what it holds: %w", err)
	}
	return s, nil
}

// Find answers with what may be seen of one card, or when and why it was shredded; with [ErrUnknownToken] if there never was one.
func (v *Vault) Find(ctx context.Context, token string) (e Entry, err error) {
	err = v.store.Read(ctx, func(tx *store.Tx) error {
		var created, expires int64
		err := tx.One([]any{&e.Token, &e.Brand, &e.Last4, &e.ExpiryMonth, &e.ExpiryYear, &e.Kind, &e.Line, &e.Capture, &created, &expires, &e.Held},
			"SELECT "+entryColumns+" FROM card WHERE token = $1", token)
		if err == nil {
			e.Created, e.Expires = time.UnixMicro(created).UTC(), time.UnixMicro(expires).UTC()
			return nil
		}
		if !errors.Is(err, store.ErrNoRow) {
			return err
		}
		var shredded int64
		err = tx.One([]any{&e.Token, &e.Capture, &e.Kind, &e.Why, &shredded}, "SELECT token, capture, kind, why, shredded FROM shred WHERE token = $1", token)
		if errors.Is(err, store.ErrNoRow) {
			return ErrUnknownToken
		}
		e.Shredded = time.UnixMicro(shredded).UTC()
		return err
	})
	if err != nil {
		return Entry{}, fmt.Errorf("vault: look for a card: %w", err)
	}
	return e, nil
}
