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
	Kinds  map[Kind]int64 // how many cards of each kind; none of a kind is left out
	Held   int64          // how many are on hold
	Next   time.Time      // when the next is shredded; zero if none will be
	Flight time.Time      // since when the oldest in flight waits for what becomes of it; zero if none is
	At     time.Time      // when they were counted
}

// Kept is how many cards have a key.
func (s Stock) Kept() (n int64) {
	for kind, of := range s.Kinds {
		if kind != OneWay {
			n += of
		}
	}
	return n
}

// To count 100 000 cards takes some tenths of a second. So few are counted whenever somebody asks, and many once in a while, by [Vault.Run].
const (
	fewCards   = 100_000
	countEvery = 10 * time.Minute
)

// Stock says what the vault holds: of many cards, as they were counted last.
func (v *Vault) Stock(ctx context.Context) (Stock, error) {
	if last := v.counted.Load(); last != nil && last.many() {
		return *last, nil
	}
	return v.count(ctx)
}

func (s *Stock) many() bool {
	n := int64(0)
	for _, of := range s.Kinds {
		n += of
	}
	return n > fewCards
}

// recount counts what nobody counts who asks, once that is due.
func (v *Vault) recount(ctx context.Context, now time.Time) error {
	if last := v.counted.Load(); last != nil && (!last.many() || now.Sub(last.At) < countEvery) {
		return nil
	}
	_, err := v.count(ctx)
	return err
}

// count reads one index from end to end, and no table.
func (v *Vault) count(ctx context.Context) (s Stock, err error) {
	s = Stock{Kinds: map[Kind]int64{}, At: v.calendar.now().UTC()}
	err = v.store.Read(ctx, func(tx *store.Tx) error {
		var reusable, once, oneway, flight, soonest, next int64
		err := tx.One([]any{&reusable, &once, &oneway, &flight, &soonest}, `SELECT COALESCE(SUM(CASE WHEN kind = $1 THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN kind = $2 THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN kind = $3 THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN kind = $4 THEN 1 ELSE 0 END), 0), COALESCE(MIN(CASE WHEN kind = $4 THEN expires END), 0) FROM card`,
			string(Reusable), string(Once), string(OneWay), string(Flight))
		if err != nil {
			return err
		}
		for kind, n := range map[Kind]int64{Reusable: reusable, Once: once, OneWay: oneway, Flight: flight} {
			if n > 0 {
				s.Kinds[kind] = n
			}
		}
		if soonest > 0 {
			s.Flight = time.UnixMicro(soonest).UTC().Add(-FlightTTL)
		}
		if err := tx.One([]any{&s.Held}, "SELECT COUNT(*) FROM hold"); err != nil {
			return err
		}
		err = tx.One([]any{&next}, "SELECT expires FROM card WHERE NOT EXISTS (SELECT 1 FROM hold WHERE hold.token = card.token) ORDER BY expires LIMIT 1")
		if errors.Is(err, store.ErrNoRow) {
			return nil
		}
		s.Next = time.UnixMicro(next).UTC()
		return err
	})
	if err != nil {
		return s, fmt.Errorf("vault: count what it holds: %w", err)
	}
	v.counted.Store(&s)
	return s, nil
}

// Find answers with what may be seen of one card, or when and why it was shredded; with [ErrUnknownToken] if there never was one.
func (v *Vault) Find(ctx context.Context, token string) (e Entry, err error) {
	err = v.store.Read(ctx, func(tx *store.Tx) error {
		e, err = scanEntry(func(dest ...any) error { return tx.One(dest, entries+" WHERE card.token = $1", token) })
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
