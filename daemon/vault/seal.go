package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
)

// EventCaptured is the type of the event that tells of a sealed card.
const EventCaptured = "card.captured"

// announcement is the data of EventCaptured.
type announcement struct {
	Capture     string `json:"capture"`
	Token       string `json:"token"`
	Brand       string `json:"brand"`
	Last4       string `json:"last4"`
	ExpiryMonth int    `json:"exp_month,omitzero"`
	ExpiryYear  int    `json:"exp_year,omitzero"`
	Line        string `json:"line"`
	Place       string `json:"place"`
}

// Seal keeps a card and returns its token, once card, outbox row and audit row are durable together. The
// card stays the caller's, to destroy. A capture that was sealed before returns the token it got then and
// writes nothing.
//
// Errors are [ErrInvalid] and [ErrReused], which resending won't cure, and those of the store, which it may.
func (v *Vault) Seal(ctx context.Context, c Capture, card *secret.Card) (token string, err error) {
	token, err = v.seal(ctx, c, card.PAN, card.Expiry)
	if err != nil {
		return "", fmt.Errorf("vault: seal: %w", err)
	}
	return token, nil
}

func (v *Vault) seal(ctx context.Context, c Capture, pan, expiry *secret.Text) (token string, err error) {
	if err := c.check(pan, expiry); err != nil {
		return "", err
	}
	// Sealed before the transaction: the writer's time is the disk's, not the cipher's.
	now := time.Now()
	r, err := newRecord(c, pan, expiry, v.kek, v.kekRef, now)
	if err != nil {
		return "", err
	}
	event, err := announce(r, now)
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
		if err := v.outbox.Enqueue(tx, event); err != nil {
			return err
		}
		return v.audit.Append(tx, audit.Event{Actor: "line " + c.Line, Action: "card.sealed", Object: r.token,
			Result: "ok", Origin: "capture " + c.ID, Time: now})
	})
	return token, err
}

func announce(r *record, now time.Time) (Event, error) {
	id, err := randomID("evt_")
	if err != nil {
		return Event{}, err
	}
	data, err := json.Marshal(announcement{Capture: r.ID, Token: r.token, Brand: r.Brand, Last4: r.Last4,
		ExpiryMonth: r.ExpiryMonth, ExpiryYear: r.ExpiryYear, Line: r.Line, Place: r.Place})
	if err != nil {
		return Event{}, err
	}
	return Event{ID: id, Type: EventCaptured, Key: r.ID, Time: now, Data: data}, nil
}

// insert adds the row unless its capture has one.
func insert(tx *store.Tx, r *record) (added bool, err error) {
	n, err := tx.Exec(`INSERT INTO card (token, version, kind, capture, line, place, profile, brand, last4,
			expiry_month, expiry_year, created, kek, dek, sealed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		ON CONFLICT (capture) DO NOTHING`,
		r.token, r.version, r.kind, r.ID, r.Line, r.Place, r.Profile, r.Brand, r.Last4,
		r.ExpiryMonth, r.ExpiryYear, r.created, r.kek, r.dek, r.sealed)
	return n == 1, err
}

// sealedBefore returns the token of a capture that is in the store. The card itself isn't opened for the
// comparison: a reveal leaves a trace, and this is a line that missed an answer.
func sealedBefore(tx *store.Tx, c Capture) (token string, err error) {
	have := Capture{ID: c.ID}
	err = tx.One([]any{&token, &have.Line, &have.Place, &have.Profile, &have.Brand, &have.Last4, &have.ExpiryMonth, &have.ExpiryYear},
		"SELECT token, line, place, profile, brand, last4, expiry_month, expiry_year FROM card WHERE capture = $1", c.ID)
	if err == nil && have != c {
		return "", ErrReused
	}
	return token, err
}

// Reveal opens a card for use, and destroys it when use returns: nothing of it may be kept. It is the only
// way out of the vault, and a test lists its callers. Each reveal is in the audit log before use begins,
// and each that failed because the record was altered.
func (v *Vault) Reveal(ctx context.Context, token string, use func(*secret.Card) error) error {
	card, err := v.open(ctx, token)
	if err != nil && !errors.Is(err, ErrAltered) {
		return fmt.Errorf("vault: reveal: %w", err)
	}
	result := "ok"
	if err != nil {
		result = ErrAltered.Error()
	} else {
		defer card.Destroy()
	}
	e := audit.Event{Actor: "flattoned", Action: "card.revealed", Object: token, Result: result, Origin: "vault", Time: time.Now()}
	if logErr := v.store.Write(ctx, func(tx *store.Tx) error { return v.audit.Append(tx, e) }); logErr != nil {
		err = errors.Join(err, logErr)
	}
	if err != nil {
		return fmt.Errorf("vault: reveal: %w", err)
	}
	return use(card)
}

func (v *Vault) open(ctx context.Context, token string) (*secret.Card, error) {
	r := &record{}
	err := v.store.Read(ctx, func(tx *store.Tx) error {
		return tx.One([]any{&r.token, &r.version, &r.kind, &r.ID, &r.Line, &r.Place, &r.Profile, &r.Brand, &r.Last4,
			&r.ExpiryMonth, &r.ExpiryYear, &r.created, &r.kek, &r.dek, &r.sealed},
			`SELECT token, version, kind, capture, line, place, profile, brand, last4, expiry_month, expiry_year,
				created, kek, dek, sealed FROM card WHERE token = $1`, token)
	})
	if errors.Is(err, store.ErrNoRow) {
		return nil, ErrUnknownToken
	}
	if err != nil {
		return nil, err
	}
	return r.reveal(v.kek)
}
