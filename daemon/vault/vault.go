// Package vault seals cards and gives tokens for them.
//
// It exists so that nothing behind the box needs a card number: the card goes in once, a token that means
// nothing comes out, and [Vault.Reveal] is the only way back. A token is returned only after card, outbox
// row and audit row are durable in one transaction; sealing the same capture again returns the same token
// and writes nothing, so a line may resend as often as it must.
//
// Each record is sealed with AES-256-GCM under a key of its own, and that key under the key-encryption key
// ([KEK]), with everything immutable in the row as additional data: a record that was changed, or swapped
// with another, can't be opened, so it never yields a wrong card. All records have one length.
//
// Plaintext and keys exist in locked memory only, and are wiped. The CVV never gets here: what is sealed is
// built from the PAN and the expiry alone, by type. The package must never log, nor put a digit beyond the
// last four into an error, a column, an event or an audit entry.
package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/store"
)

// Errors of sealing and revealing.
var (
	// ErrInvalid: the capture can't be sealed as it is; the line that sent it is at fault.
	ErrInvalid = errors.New("the capture is not fit to be sealed")
	// ErrReused: this capture id was sealed already, with another card's looks.
	ErrReused = errors.New("the capture id was used for another card")
	// ErrUnknownToken: there is no card by this token.
	ErrUnknownToken = errors.New("no card has this token")
	// ErrAltered: the record can't be opened: it was changed after it was sealed, or swapped.
	ErrAltered = errors.New("the card's record was altered")
	// ErrWrongKey: the key isn't the one this vault's cards were sealed under.
	ErrWrongKey = errors.New("wrong vault key: this vault was sealed under another one; give the daemon the key file it was first started with")
)

// Event is what the vault tells upstream about a sealed card. It has the shape of upstream's.
type Event struct {
	ID   string
	Type string
	Key  string
	Time time.Time
	Data []byte // JSON, without a digit beyond the last four
}

// Outbox takes an event in the transaction of what it tells about.
type Outbox interface {
	Enqueue(tx *store.Tx, e Event) error
}

// OutboxFunc is an [Outbox] made of a function.
type OutboxFunc func(tx *store.Tx, e Event) error

// Enqueue calls f.
func (f OutboxFunc) Enqueue(tx *store.Tx, e Event) error { return f(tx, e) }

// Deps are what the vault is built on.
type Deps struct {
	Store  *store.DB
	KEK    *KEK
	Audit  *audit.Log
	Outbox Outbox
}

// Vault seals and reveals cards. Safe for concurrent use.
type Vault struct {
	store  *store.DB
	kek    *KEK
	kekRef int64 // the key's version in this store
	audit  *audit.Log
	outbox Outbox
}

// New opens the vault under a key. At the first start it stores a check value of the key; from then on any
// other key is [ErrWrongKey], before anything is written.
func New(ctx context.Context, deps Deps) (*Vault, error) {
	if deps.Store == nil || deps.KEK == nil || deps.Audit == nil || deps.Outbox == nil {
		return nil, errors.New("vault: needs a store, a key, an audit log and an outbox")
	}
	v := &Vault{store: deps.Store, kek: deps.KEK, audit: deps.Audit, outbox: deps.Outbox}
	var err error
	if v.kekRef, err = enrol(ctx, deps.Store, deps.KEK); err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return v, nil
}

// Entry is what anybody may see of a card.
type Entry struct {
	Token       string
	Brand       string
	Last4       string
	ExpiryMonth int // 1 to 12; 0 if none was asked for
	ExpiryYear  int // four digits; 0 if none was asked for
	Line        string
	Capture     string // the capture it came from
	Created     time.Time
}

// List returns the newest cards, newest first.
func (v *Vault) List(ctx context.Context, limit int) ([]Entry, error) {
	var out []Entry
	err := v.store.Read(ctx, func(tx *store.Tx) error {
		return tx.Each(func(scan func(...any) error) error {
			var e Entry
			var created int64
			if err := scan(&e.Token, &e.Brand, &e.Last4, &e.ExpiryMonth, &e.ExpiryYear, &e.Line, &e.Capture, &created); err != nil {
				return err
			}
			e.Created = time.UnixMicro(created).UTC()
			out = append(out, e)
			return nil
		}, `SELECT token, brand, last4, expiry_month, expiry_year, line, capture, created FROM card
			ORDER BY created DESC, token LIMIT $1`, limit)
	})
	if err != nil {
		return nil, fmt.Errorf("vault: list cards: %w", err)
	}
	return out, nil
}
