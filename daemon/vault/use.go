package vault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
)

// Rule lets a caller use cards, for a purpose, by a connector, so many an hour. What no rule lets happen doesn't.
type Rule struct {
	Caller    string // whose identity it is
	Purpose   string // what for: charge, refund
	Connector string // through whom the card leaves
	PerHour   int    // no more than this
	Consented bool   // only a card whose holder has agreed to it
}

// Use is what somebody wants a card for.
type Use struct {
	Token     string
	Caller    string
	Purpose   string
	Connector string
}

// Use opens a card for a connector, and destroys it when with returns: nothing of it may be kept. But for [Vault.ExportCards] it is the only way out of the vault, and a test lists its
// callers. That it is used, by whom and what for, is durable before with begins; a card for one use is shredded in the same transaction, so it is used once at most.
//
// Errors are [ErrNotAllowed], [ErrQuota], [ErrNoConsent], [ErrUnknownToken], [ErrShredded], [ErrNotKept], [ErrAltered], [ErrLocked], each in the audit log too, those of the store, and with's own.
func (v *Vault) Use(ctx context.Context, u Use, with func(*secret.Card) error) error {
	card, err := v.take(ctx, u)
	if err != nil {
		return fmt.Errorf("vault: use: %w", err)
	}
	defer card.Destroy()
	return with(card)
}

func (v *Vault) take(ctx context.Context, u Use) (card *secret.Card, err error) {
	rule, allowed := v.rule(u)
	var r *record
	if allowed {
		r, card, err = v.open(ctx, u.Token)
	} else {
		err = ErrNotAllowed
	}
	now := v.calendar.now()
	if err == nil {
		err = v.store.Write(ctx, func(tx *store.Tx) error { return v.spend(tx, u, rule, r, now) })
	}
	if err == nil {
		return card, nil
	}
	if card != nil {
		card.Destroy()
	}
	return nil, v.refused(ctx, u, err, now)
}

func (v *Vault) rule(u Use) (Rule, bool) {
	for _, r := range v.cfg.Rules {
		if r.Caller == u.Caller && r.Purpose == u.Purpose && r.Connector == u.Connector {
			return r, true
		}
	}
	return Rule{}, false
}

// spend counts a use, writes it down, and ends a card that has only one.
func (v *Vault) spend(tx *store.Tx, u Use, rule Rule, r *record, now time.Time) error {
	var used int
	err := tx.One([]any{&used}, "SELECT COUNT(*) FROM card_use WHERE caller = $1 AND purpose = $2 AND connector = $3 AND used > $4",
		u.Caller, u.Purpose, u.Connector, now.Add(-time.Hour).UnixMicro())
	if err != nil {
		return err
	}
	if used >= rule.PerHour {
		return ErrQuota
	}
	if _, err := tx.Exec("INSERT INTO card_use (id, caller, purpose, connector, used) VALUES ($1, $2, $3, $4, $5)", id.New("use_", now), u.Caller, u.Purpose, u.Connector, now.UnixMicro()); err != nil {
		return err
	}
	// It was opened before, and may have been shredded since.
	var there int
	if err := tx.One([]any{&there}, "SELECT COUNT(*) FROM card_key WHERE token = $1", r.token); err != nil {
		return err
	}
	if there == 0 {
		return ErrShredded
	}
	if rule.Consented {
		if _, err := v.Agreed(tx, r.token); err != nil {
			return err
		}
	}
	if r.Kind == Once {
		if err := v.shredIn(tx, r.token, Used, now); err != nil {
			return err
		}
	}
	return v.audit.Append(tx, u.event("ok", now))
}

// event is how a use is in the audit log.
func (u Use) event(result string, now time.Time) audit.Event {
	return audit.Event{Actor: cmp.Or(u.Caller, "nobody"), Action: "card.used", Object: u.Token, Result: result, Origin: u.Purpose + " by " + u.Connector, Time: now}
}

// refused writes down who got no card. A vault that can't says so as well.
func (v *Vault) refused(ctx context.Context, u Use, err error, now time.Time) error {
	for _, known := range []error{ErrNotAllowed, ErrQuota, ErrNoConsent, ErrUnknownToken, ErrShredded, ErrNotKept, ErrAltered, ErrLocked} {
		if !errors.Is(err, known) {
			continue
		}
		e := u.event(known.Error(), now)
		if !IsToken(u.Token) {
			e.Object = "no token" // whatever was given in its place may be a card number
		}
		return errors.Join(err, v.store.Write(ctx, func(tx *store.Tx) error { return v.audit.Append(tx, e) }))
	}
	return err
}

// open opens a card. Between the look at its row and the one at the ring its key may have been sealed anew, here or by another box, and the version that it lay
// under destroyed. So a record that can't be opened is looked at once more: it was altered if its key still lies under the same version.
func (v *Vault) open(ctx context.Context, token string) (r *record, card *secret.Card, err error) {
	for under := int64(0); ; under = r.kek {
		if r, err = v.read(ctx, token); err != nil {
			return nil, nil, err
		}
		if r.kek == 0 {
			return nil, nil, ErrNotKept
		}
		kek, err := v.kekOf(ctx, r.kek)
		if err == nil {
			card, err = r.open(kek)
		}
		if !errors.Is(err, ErrAltered) || r.kek == under {
			return r, card, err
		}
	}
}

func (v *Vault) read(ctx context.Context, token string) (*record, error) {
	r := &record{token: token}
	err := v.store.One(ctx, []any{&r.version, &r.Tenant, &r.Kind, &r.ID, &r.Line, &r.Place, &r.Profile, &r.Brand, &r.Last4,
		&r.ExpiryMonth, &r.ExpiryYear, &r.created, &r.expires, &r.sealed, &r.kek, &r.dek},
		`SELECT version, tenant, kind, capture, line, place, profile, brand, last4, expiry_month, expiry_year, created, expires, sealed, COALESCE(kek, 0), box
			FROM card LEFT JOIN card_key ON card_key.token = card.token
			WHERE card.token = $1 AND NOT EXISTS (SELECT 1 FROM shred WHERE shred.token = card.token)`, token)
	if errors.Is(err, store.ErrNoRow) {
		return nil, v.missing(ctx, token)
	}
	return r, err
}

// missing says why there is no card. What was shredded once stays so, also where somebody has put its rows back.
func (v *Vault) missing(ctx context.Context, token string) error {
	var why string
	err := v.store.One(ctx, []any{&why}, "SELECT why FROM shred WHERE token = $1", token)
	switch {
	case err == nil:
		return ErrShredded
	case errors.Is(err, store.ErrNoRow):
		return ErrUnknownToken
	}
	return err
}
