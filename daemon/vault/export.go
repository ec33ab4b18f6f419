package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
)

// exportBatch is how many cards are noted in one transaction: for longer no capture waits for it.
const exportBatch = 64

// Export is which cards leave for another provider, and whose word that is.
type Export struct {
	Name   string    // of the export, to the audit log
	By     string    // who asked for it
	Tenant string    // whose cards; empty: everybody's
	Until  time.Time // those sealed up to then, which are all that it was agreed to
}

// Exported is what leaves with a card's number.
type Exported struct {
	Token       string
	Aliases     []Alias
	Tenant      string
	Brand       string
	ExpiryMonth int // 1 to 12; 0 if none was asked for
	ExpiryYear  int // four digits; 0 if none was asked for
	Created     time.Time
	Kind        Kind
	Held        bool
}

// Alias is what a destination knows a card by, if that isn't the card's token.
type Alias struct {
	Alias       string `json:"alias"`
	Destination string `json:"destination"`
}

// exportable are the cards of an export: kept for later, and their time is not over. What is in flight is somebody's already, and of what is one-way there is no number.
const exportable = ` FROM card WHERE kind IN ('vault', 'once') AND expires > $1 AND created <= $2 AND ($3 = '' OR tenant = $3)`

// Exportable counts the cards that an export would take as things are.
func (v *Vault) Exportable(ctx context.Context, e Export) (n int64, err error) {
	if _, _, err = v.ring.newest(); err == nil {
		err = v.store.One(ctx, []any{&n}, "SELECT COUNT(*)"+exportable, v.calendar.now().UnixMicro(), e.Until.UnixMicro(), e.Tenant)
	}
	if err != nil {
		return 0, fmt.Errorf("vault: count what an export would take: %w", err)
	}
	return n, nil
}

// ExportCards opens one card after the other for with, and destroys each when that returns: nothing of it may be kept. Whoever calls it has had several people agree, and a test lists who
// may. That a card leaves is durable in the audit log, an entry a card, before with has it (PCI DSS 10.2.1.1). It answers with how many there were.
//
// It goes by tokens, some at a time, so that the box takes cards, rotates and shreds meanwhile: what is sealed later than e says is left out, and so is what was shredded
// before its turn came. A card that can't be opened ends it, with its token in the error.
func (v *Vault) ExportCards(ctx context.Context, e Export, with func(Exported, *secret.Card) error) (n int64, err error) {
	if v.Locked() {
		return 0, fmt.Errorf("vault: export: %w", ErrLocked)
	}
	last := ""
	for {
		batch, err := v.leaving(ctx, e, last)
		if err == nil {
			err = v.noteLeaving(ctx, e, batch)
		}
		if err != nil {
			return n, fmt.Errorf("vault: export: %w", err)
		}
		if len(batch) == 0 {
			return n, nil
		}
		for _, x := range batch {
			switch err := v.handOut(ctx, x, with); {
			case errors.Is(err, ErrShredded): // since it was noted
			case err != nil:
				return n, fmt.Errorf("vault: export: card %s: %w", x.Token, err)
			default:
				n++
			}
		}
		last = batch[len(batch)-1].Token
	}
}

// leaving are the next cards after a token.
func (v *Vault) leaving(ctx context.Context, e Export, after string) (batch []Exported, err error) {
	err = v.store.Read(ctx, func(tx *store.Tx) error {
		batch = nil
		err := tx.Each(func(scan func(...any) error) error {
			var x Exported
			err := scan(&x.Token, &x.Held)
			batch = append(batch, x)
			return err
		}, "SELECT token, EXISTS (SELECT 1 FROM hold WHERE hold.token = card.token)"+exportable+" AND token > $4 ORDER BY token LIMIT $5",
			v.calendar.now().UnixMicro(), e.Until.UnixMicro(), e.Tenant, after, exportBatch)
		for i := range batch {
			if err == nil {
				err = batch[i].readAliases(tx)
			}
		}
		return err
	})
	return batch, err
}

func (x *Exported) readAliases(tx *store.Tx) error {
	x.Aliases = []Alias{}
	return tx.Each(func(scan func(...any) error) error {
		var a Alias
		err := scan(&a.Alias, &a.Destination)
		x.Aliases = append(x.Aliases, a)
		return err
	}, "SELECT alias, destination FROM alias WHERE token = $1 ORDER BY destination, alias", x.Token)
}

// noteLeaving writes down that cards leave.
func (v *Vault) noteLeaving(ctx context.Context, e Export, batch []Exported) error {
	if len(batch) == 0 {
		return nil
	}
	now := v.calendar.now()
	return v.store.Write(ctx, func(tx *store.Tx) error {
		for _, x := range batch {
			if err := v.audit.Append(tx, audit.Event{Actor: e.By, Action: "card.exported", Object: x.Token, Result: "ok", Origin: e.Name, Time: now}); err != nil {
				return err
			}
		}
		return nil
	})
}

// handOut opens a card. What can't be opened is looked at once more: a rotation may have moved its key, and destroyed the version that it lay under, between the two reads of it.
func (v *Vault) handOut(ctx context.Context, x Exported, with func(Exported, *secret.Card) error) error {
	r, card, err := v.open(ctx, x.Token)
	if errors.Is(err, ErrAltered) {
		r, card, err = v.open(ctx, x.Token)
	}
	if err != nil {
		return err
	}
	defer card.Destroy()
	x.Tenant, x.Brand, x.ExpiryMonth, x.ExpiryYear, x.Kind, x.Created = r.Tenant, r.Brand, r.ExpiryMonth, r.ExpiryYear, r.Kind, time.UnixMicro(r.created).UTC()
	return with(x, card)
}
