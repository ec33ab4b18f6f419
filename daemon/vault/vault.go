// Package vault seals cards and gives tokens for them.
//
// It exists so that nothing behind the box needs a card number: the card goes in once, a token that means nothing comes out, and [Vault.Use] is the only way
// back, for connectors that a rule names, but for what custodians let go as a whole: [Vault.ExportCards]. A token is returned only after card, outbox rows and audit row are durable in one transaction; sealing the same
// capture again returns the same token and writes nothing, so a line may resend as often as it must.
//
// Each record is sealed with AES-256-GCM under a key of its own, and that under a version of the key-encryption key, with everything in the row as additional
// data: a record that was changed, or swapped with another, can't be opened, so it never yields a wrong card. All records have one length. The versions
// are sealed for each root ([keys.Root]) that may open the vault; rotation seals 60 bytes a record anew, and destroys what it replaced. A card is deleted by destroying its
// key. What a whole row's deletion or return from an old copy would change is for the audit log to tell, against a checkpoint that has left the box.
//
// Plaintext and keys exist in locked memory only, and are wiped. The CVV never gets here: what is sealed is built from the PAN and the expiry alone, by type. A
// card that is kept for later needs a root that a copied disk doesn't hold. The package must never log, nor put a digit beyond the last four into an error, a
// column, an event or an audit entry.
package vault

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/lockout"
	"github.com/flattone/flattone/daemon/store"
)

// Errors of sealing and revealing.
var (
	// ErrInvalid: the capture can't be sealed as it is; the line that sent it is at fault.
	ErrInvalid = errors.New("the capture is not fit to be sealed")
	// ErrReused: this capture id was sealed already, with another card's looks.
	ErrReused = errors.New("the capture id was used for another card")
	// ErrMayNotKeep: a card may not be kept for later under this root, or on this side of the line.
	ErrMayNotKeep = errors.New("this vault may not keep cards: a root of its lies on the disk, or the line is desk-side")
	// ErrUnknownToken: there is no card by this token, and never was.
	ErrUnknownToken = errors.New("no card has this token")
	// ErrShredded: there was a card by this token, and there is none any more.
	ErrShredded = errors.New("the card of this token was shredded")
	// ErrNotKept: the token stands for a card that was never kept.
	ErrNotKept = errors.New("the card of this token was not kept")
	// ErrAltered: the record can't be opened: it was changed after it was sealed, or swapped.
	ErrAltered = errors.New("the card's record was altered")
	// ErrWrongKey: the root isn't one that opens this vault.
	ErrWrongKey = errors.New("wrong vault key: this vault was sealed under another one; give the daemon the key it was first started with, or have custodians unlock it")
	// ErrKnownRoot: the root opens this vault already.
	ErrKnownRoot = errors.New("that root opens this vault already")
	// ErrRootOnDisk: cards are kept, and whoever copied the disk would have them.
	ErrRootOnDisk = errors.New("the vault keeps cards, and that root lies on the disk with them")
	// ErrLocked: nobody has opened the vault yet.
	ErrLocked = errors.New("the vault is locked: custodians must unlock it")
	// ErrNotAllowed: no rule lets this caller use cards for this, by this connector.
	ErrNotAllowed = errors.New("no rule allows this use of a card")
	// ErrQuota: the rule's uses of this hour are used up.
	ErrQuota = errors.New("the quota of this hour is used up")
	// ErrOnHold: the card is on hold.
	ErrOnHold = errors.New("the card is on hold")
	// ErrHoldSame: there is no card by this token, or it is on hold already, or isn't.
	ErrHoldSame = errors.New("no card has this token, or its hold is as asked already")
	// ErrFingerprintLost: a destination's fingerprint key was made once, and is in the store no more.
	ErrFingerprintLost = errors.New("a fingerprint key is gone, and a new one would give every card another fingerprint")
	// ErrNothingKept: the safe has nothing of this owner.
	ErrNothingKept = errors.New("nothing is kept")
	// ErrUnknownRoot: no root has this id.
	ErrUnknownRoot = errors.New("no root has this id")
	// ErrOwnRoot: the root is the one that has opened this vault.
	ErrOwnRoot = errors.New("this vault was opened by that root: open it by another one first")
)

// EventCaptured is the type of the event that tells of a sealed card.
const EventCaptured = "card.captured"

// Event is what the vault tells upstream about a sealed card. It has the shape of upstream's.
type Event struct {
	ID   string
	To   string // the destination
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

// Config says what the vault may and must do.
type Config struct {
	// Retention is how long a reusable card is kept, and what may be seen of one that wasn't; OnceTTL how long one for a single use.
	Retention, OnceTTL time.Duration
	// DeskSide lets cards of desk-side lines be kept. Phone, PBX and recorder are in scope there.
	DeskSide bool
	// RotateAfter and RotateRecords end the use of a key version; 0 is never.
	RotateAfter   time.Duration
	RotateRecords int64
	// Destinations are told of cards.
	Destinations []Destination
	// Rules let cards out.
	Rules []Rule
}

// FlightTTL is how long a card that isn't retained is kept at most, until what it is for has come out.
const FlightTTL = 24 * time.Hour

// Deps are what the vault is built on.
type Deps struct {
	Store *store.DB
	// Root opens the vault, which closes it at the end. Without one it stays locked until [Vault.Unlock].
	Root   keys.Root
	Audit  *audit.Log
	Outbox Outbox
	// Clock tells the date, and how much time has passed whatever is done to that; nil for the time since the vault was opened.
	Clock lockout.Clock
}

// Vault seals cards, and lets them be used. Safe for concurrent use.
type Vault struct {
	cfg      Config
	store    *store.DB
	ring     keyring
	audit    *audit.Log
	outbox   Outbox
	calendar *calendar
	wake     chan struct{} // there is something to rewrap
	sealed   atomic.Int64  // how many cards were, since the store was told

	counted  atomic.Pointer[Stock] // what it held; nil until somebody has counted
	left     leftover
	shreds   [len(whys)]atomic.Int64
	purgedAt atomic.Int64 // microseconds since 1970; 0: not yet
}

// New opens the vault under a root. A store without any key takes it as its first; otherwise it must be one that the vault was sealed under, else it is
// [ErrWrongKey], before anything is written. Close it at the end; if it is an error, the root stays the caller's.
func New(ctx context.Context, cfg Config, deps Deps) (*Vault, error) {
	if deps.Store == nil || deps.Audit == nil || deps.Outbox == nil {
		return nil, errors.New("vault: needs a store, an audit log and an outbox")
	}
	v := &Vault{cfg: cfg, store: deps.Store, audit: deps.Audit, outbox: deps.Outbox, wake: make(chan struct{}, 1)}
	var err error
	if v.calendar, err = openCalendar(ctx, deps.Clock, v.audit); err != nil || deps.Root == nil {
		return v, err
	}
	return v, v.Unlock(ctx, deps.Root)
}

// RootKind says what has opened the vault, "" while it is locked.
func (v *Vault) RootKind() keys.Kind {
	v.ring.mu.RLock()
	defer v.ring.mu.RUnlock()
	if v.ring.root == nil {
		return ""
	}
	return v.ring.root.Kind()
}

// MayKeep reports that cards of lines at a place may be kept for later: no root lies on the disk, and the place is behind the box. A locked vault may.
func (v *Vault) MayKeep(place string) bool {
	return v.OnDisk() == "" && (place == "trunk-side" || v.cfg.DeskSide)
}

// OnDisk names a root that lies on the disk with the cards: one that opens the vault is enough for a thief, whichever opened it here. It is "" where
// there is none, and while the vault is locked.
func (v *Vault) OnDisk() string {
	v.ring.mu.RLock()
	defer v.ring.mu.RUnlock()
	return v.ring.onDisk
}

// Entry is what anybody may see of a card.
type Entry struct {
	Token       string
	Brand       string
	Last4       string
	ExpiryMonth int // 1 to 12; 0 if none was asked for
	ExpiryYear  int // four digits; 0 if none was asked for
	Kind        Kind
	Line        string
	Capture     string // the capture it came from
	Created     time.Time
	Expires     time.Time // when it is shredded
	Hold        *Hold     // it isn't, until somebody releases it; nil: nobody holds it
	// Shredded is when it was, and Why. Of such a card no more is known than Token, Capture and Kind; only [Vault.Find] finds one.
	Shredded time.Time
	Why      Why
}

// Hold is who keeps a card from being shredded, why, and since when.
type Hold struct {
	By, Reason string
	Since      time.Time
}

// entries is what an [Entry] is read from, by [scanEntry].
const entries = `SELECT card.token, brand, last4, expiry_month, expiry_year, kind, line, capture, created, expires,
	COALESCE(person, ''), COALESCE(reason, ''), COALESCE(since, 0) FROM card LEFT JOIN hold ON hold.token = card.token`

func scanEntry(scan func(...any) error) (e Entry, err error) {
	var created, expires, since int64
	var hold Hold
	err = scan(&e.Token, &e.Brand, &e.Last4, &e.ExpiryMonth, &e.ExpiryYear, &e.Kind, &e.Line, &e.Capture, &created, &expires, &hold.By, &hold.Reason, &since)
	e.Created, e.Expires = time.UnixMicro(created).UTC(), time.UnixMicro(expires).UTC()
	if hold.Since = time.UnixMicro(since).UTC(); since > 0 {
		e.Hold = &hold
	}
	return e, err
}

// List returns the newest cards, newest first.
func (v *Vault) List(ctx context.Context, limit int) ([]Entry, error) {
	return v.list(ctx, " ORDER BY card.token DESC LIMIT $1", limit)
}

// Held returns the cards that are on hold, those held last first.
func (v *Vault) Held(ctx context.Context, limit int) ([]Entry, error) {
	return v.list(ctx, " WHERE card.token IN (SELECT token FROM hold) ORDER BY since DESC, card.token LIMIT $1", limit)
}

func (v *Vault) list(ctx context.Context, which string, limit int) (out []Entry, err error) {
	err = v.store.Read(ctx, func(tx *store.Tx) error {
		return tx.Each(func(scan func(...any) error) error {
			e, err := scanEntry(scan)
			out = append(out, e)
			return err
		}, entries+which, limit)
	})
	if err != nil {
		return nil, fmt.Errorf("vault: list cards: %w", err)
	}
	return out, nil
}
