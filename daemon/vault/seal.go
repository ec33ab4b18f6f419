package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
)

// Seal keeps what its kind allows of a card and returns its token, once card, outbox rows and audit row are durable together. The card stays the caller's, to
// destroy. A capture that was sealed before returns the token it got then and writes nothing, even if its card is shredded by now.
//
// Errors are [ErrInvalid], [ErrReused] and [ErrMayNotKeep], which resending won't cure, and [ErrLocked] and those of the store, which it may.
func (v *Vault) Seal(ctx context.Context, c Capture, card *secret.Card) (token string, err error) {
	token, err = v.seal(ctx, c, card.PAN, card.Expiry)
	for errors.Is(err, errMoved) || errors.Is(err, keys.ErrDestroyed) { // a version of the key was made since, here or by another box
		if err = v.refresh(ctx); err == nil {
			token, err = v.seal(ctx, c, card.PAN, card.Expiry)
		}
	}
	if err != nil {
		return "", fmt.Errorf("vault: seal: %w", err)
	}
	return token, nil
}

func (v *Vault) seal(ctx context.Context, c Capture, pan, expiry *secret.Text) (token string, err error) {
	if err := c.check(pan, expiry); err != nil {
		return "", err
	}
	now := v.calendar.now()
	expires, err := v.expiry(c, now)
	if err != nil {
		return "", err
	}
	version, kek, err := v.ring.newest()
	if err != nil {
		return "", err
	}
	// Sealed before the transaction: the writer's time is the disk's, not the cipher's.
	r, err := newRecord(c, pan, expiry, version, kek, now, expires)
	if err != nil {
		return "", err
	}
	shown, err := v.show(r, pan)
	if err != nil {
		return "", err
	}
	err = v.store.Write(ctx, func(tx *store.Tx) error {
		added, err := insert(tx, r)
		if err != nil {
			return err
		}
		if !added {
			token, err = sealedBefore(tx, c)
			return err
		}
		token = r.token
		tx.OnCommit(func() { v.sealed.Add(1) })
		for _, s := range shown {
			if err := v.announce(tx, r, s, now); err != nil {
				return err
			}
		}
		return v.audit.Append(tx, audit.Event{Actor: "line " + c.Line, Action: "card.sealed", Object: r.token,
			Result: "ok", Origin: "capture " + c.ID, Time: now})
	})
	return token, err
}

// expiry is when a card is shredded at the latest.
func (v *Vault) expiry(c Capture, now time.Time) (time.Time, error) {
	switch c.Kind {
	case Reusable, OneWay:
		now = now.Add(v.cfg.Retention)
	case Once:
		now = now.Add(v.cfg.OnceTTL)
	case Flight:
		now = now.Add(FlightTTL)
	default:
		return now, fmt.Errorf("%w: unknown kind", ErrInvalid)
	}
	if c.Kind.Kept() && !v.MayKeep(c.Place) {
		return now, ErrMayNotKeep
	}
	return now, nil
}

// insert adds the rows, unless the capture has some, or had.
func insert(tx *store.Tx, r *record) (added bool, err error) {
	n, err := tx.Exec(`INSERT INTO card (token, version, tenant, kind, capture, line, place, profile, brand, last4, expiry_month, expiry_year, created, expires, sealed)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15 WHERE NOT EXISTS (SELECT 1 FROM shred WHERE capture = $5)
		ON CONFLICT (capture) DO NOTHING`,
		r.token, r.version, r.Tenant, string(r.Kind), r.ID, r.Line, r.Place, r.Profile, r.Brand, r.Last4,
		r.ExpiryMonth, r.ExpiryYear, r.created, r.expires, r.sealed)
	if err != nil || n == 0 || r.dek == nil {
		return n == 1, err
	}
	// Nothing comes under a version once it is retired: whoever seals anew what lies there passes by once.
	n, err = tx.Exec("INSERT INTO card_key (token, kek, box) SELECT $1, version, $2 FROM kek WHERE version = $3 AND retired = 0", r.token, r.dek, r.kek)
	if err == nil && n == 0 {
		err = errMoved
	}
	return true, err
}

// sealedBefore returns the token of a capture that is in the store. The card itself isn't opened for the comparison: a use leaves a trace, and this is a line
// that missed an answer.
func sealedBefore(tx *store.Tx, c Capture) (token string, err error) {
	have := Capture{ID: c.ID}
	err = tx.One([]any{&token, &have.Line, &have.Place, &have.Profile, &have.Tenant, &have.Kind, &have.Brand, &have.Last4, &have.ExpiryMonth, &have.ExpiryYear},
		"SELECT token, line, place, profile, tenant, kind, brand, last4, expiry_month, expiry_year FROM card WHERE capture = $1", c.ID)
	switch {
	case errors.Is(err, store.ErrNoRow):
		return token, tx.One([]any{&token}, "SELECT token FROM shred WHERE capture = $1", c.ID)
	case err == nil && have != c:
		return "", ErrReused
	}
	return token, err
}
