package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/store"
)

// Why says why a card was shredded.
type Why string

// The reasons.
const (
	Used       Why = "used"       // it was for one use
	Resolved   Why = "resolved"   // what it was for has come out
	Expired    Why = "expired"    // its retention is over
	Unresolved Why = "unresolved" // what it was for never came out, and its day is over
	Asked      Why = "asked"      // somebody had it deleted
)

// ofCard are the tables that have rows of a card, in the order in which those go.
var ofCard = [...]string{"card_key", "alias", "hold", "consent", "card"}

// whys are all of them.
var whys = [...]Why{Used, Resolved, Expired, Unresolved, Asked}

// shredIn destroys the only key of a card, and with it every copy of the card wherever it lies: in the log of the database, in free pages, and in backups but for the
// keys in them. The row goes too; that there was one stays in shred. A card that is on hold stays, but for those that are used up or resolved.
func (v *Vault) shredIn(tx *store.Tx, token string, why Why, now time.Time) error {
	if why != Used && why != Resolved {
		var held int
		if err := tx.One([]any{&held}, "SELECT COUNT(*) FROM hold WHERE token = $1", token); err != nil {
			return err
		}
		if held > 0 {
			return ErrOnHold
		}
	}
	n, err := tx.Exec(`INSERT INTO shred (token, capture, kind, why, kek, shredded) SELECT card.token, capture, kind, $1, COALESCE(kek, 0), $2
		FROM card LEFT JOIN card_key ON card_key.token = card.token WHERE card.token = $3`, string(why), now.UnixMicro(), token)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrUnknownToken
	}
	if err := v.part(tx, token, why, now); err != nil {
		return err
	}
	for _, table := range ofCard {
		if _, err := tx.Exec("DELETE FROM "+table+" WHERE token = $1", token); err != nil {
			return err
		}
	}
	v.countShred(tx, why)
	return nil
}

// Shred has a card deleted. by is who asked.
func (v *Vault) Shred(ctx context.Context, by, token string) error {
	return v.end(ctx, by, "card.shredded", token, Asked)
}

// Resolve ends a card that was kept until what it is for has come out: charged, refused, or passed on.
func (v *Vault) Resolve(ctx context.Context, by, token string) error {
	return v.end(ctx, by, "card.resolved", token, Resolved)
}

// ResolveIn does that in a transaction of the caller's, for a card in flight; another one, or none, is left as it is. After it the caller has the
// store scrubbed.
func (v *Vault) ResolveIn(tx *store.Tx, by, token string) error {
	var flying int
	if err := tx.One([]any{&flying}, "SELECT COUNT(*) FROM card WHERE token = $1 AND kind = $2", token, string(Flight)); err != nil || flying == 0 {
		return err
	}
	return v.endIn(tx, by, "card.resolved", token, Resolved)
}

// ShredIn has a card deleted as [Vault.Shred] does, in a transaction of the caller's, who then has the store scrubbed. [ErrOnHold] and [ErrUnknownToken] have changed nothing.
func (v *Vault) ShredIn(tx *store.Tx, by, token string) error {
	return v.endIn(tx, by, "card.shredded", token, Asked)
}

func (v *Vault) endIn(tx *store.Tx, by, action, token string, why Why) error {
	now := v.calendar.now()
	if err := v.shredIn(tx, token, why, now); err != nil {
		return err
	}
	return v.audit.Append(tx, audit.Event{Actor: by, Action: action, Object: token, Result: "ok", Origin: "vault", Time: now})
}

func (v *Vault) end(ctx context.Context, by, action, token string, why Why) error {
	err := v.store.Write(ctx, func(tx *store.Tx) error { return v.endIn(tx, by, action, token, why) })
	if errors.Is(err, ErrUnknownToken) {
		if _, known := v.read(ctx, token); errors.Is(known, ErrShredded) {
			err = ErrShredded
		}
	}
	if err == nil {
		err = v.store.Scrub(ctx)
	}
	if err != nil {
		return fmt.Errorf("vault: shred: %w", err)
	}
	return nil
}

// IsReason reports whether text can stand for why somebody did something: one line, and no card's number.
func IsReason(text string) bool {
	return text != "" && len(text) <= 200 && digits(text) <= mostDigits && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// Hold keeps a card from being shredded when its time is over, or when somebody asks: for a dispute, say. A card that is for one use, or resolved, ends all the same.
func (v *Vault) Hold(ctx context.Context, by, token, reason string) error {
	if !IsReason(reason) {
		return fmt.Errorf("vault: hold: %w: say why in one line of at most 200 characters, with at most %d digits in all", ErrInvalid, mostDigits)
	}
	return v.changeHold(ctx, by, "card.held", token, reason, func(tx *store.Tx, now time.Time) (int64, error) {
		return tx.Exec(`INSERT INTO hold (token, person, reason, since) SELECT token, $1, $2, $3 FROM card WHERE token = $4
			ON CONFLICT (token) DO NOTHING`, by, reason, now.UnixMicro(), token)
	})
}

// mostDigits is how many may be in what a person writes, however they are set apart: the shortest PAN has one more.
const mostDigits = 11

func digits(s string) (n int) {
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// Release ends a hold.
func (v *Vault) Release(ctx context.Context, by, token string) error {
	return v.changeHold(ctx, by, "card.released", token, "vault", func(tx *store.Tx, _ time.Time) (int64, error) {
		return tx.Exec("DELETE FROM hold WHERE token = $1", token)
	})
}

func (v *Vault) changeHold(ctx context.Context, by, action, token, origin string, change func(*store.Tx, time.Time) (int64, error)) error {
	now := v.calendar.now()
	err := v.store.Write(ctx, func(tx *store.Tx) error {
		n, err := change(tx, now)
		if err == nil && n == 0 {
			err = ErrHoldSame
		}
		if err != nil {
			return err
		}
		return v.audit.Append(tx, audit.Event{Actor: by, Action: action, Object: token, Result: "ok", Origin: origin, Time: now})
	})
	if err != nil {
		return fmt.Errorf("vault: hold: %w", err)
	}
	return nil
}
