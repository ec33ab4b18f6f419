package vault

import (
	"context"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/store"
)

// purgeBatch is how many cards are shredded in one transaction.
const purgeBatch = 256

// Purged is what a purge did.
type Purged struct {
	Cards      int // shredded because their time was over
	Unresolved int // of those: cards of whose use nothing was ever heard, which is a fault
	Held       int // over time, and kept by a hold
}

// Purge shreds the cards whose time is over at now (PCI DSS 3.2.1).
func (v *Vault) Purge(ctx context.Context, now time.Time) (p Purged, err error) {
	for {
		n, err := v.purgeSome(ctx, now, &p)
		if err != nil {
			return p, fmt.Errorf("vault: purge: %w", err)
		}
		if n == 0 {
			break
		}
	}
	err = v.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.One([]any{&p.Held}, "SELECT COUNT(*) FROM hold JOIN card ON card.token = hold.token WHERE expires <= $1", now.UnixMicro()); err != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM card_use WHERE used < $1", now.Add(-24*time.Hour).UnixMicro()); err != nil {
			return err
		}
		if p.Cards == 0 {
			return nil
		}
		result := fmt.Sprintf("%d shredded, %d of them unresolved, %d on hold", p.Cards, p.Unresolved, p.Held)
		return v.audit.Append(tx, audit.Event{Actor: "flattoned", Action: "vault.purged", Object: "cards", Result: result, Origin: "vault", Time: now})
	})
	if err == nil && p.Cards > 0 {
		err = v.store.Scrub(ctx)
	}
	if err != nil {
		return p, fmt.Errorf("vault: purge: %w", err)
	}
	return p, nil
}

func (v *Vault) purgeSome(ctx context.Context, now time.Time, p *Purged) (n int, err error) {
	type due struct {
		token string
		kind  Kind
	}
	var all []due
	err = v.store.Write(ctx, func(tx *store.Tx) error {
		all = nil
		err := tx.Each(func(scan func(...any) error) error {
			var d due
			err := scan(&d.token, &d.kind)
			all = append(all, d)
			return err
		}, `SELECT token, kind FROM card WHERE expires <= $1 AND NOT EXISTS (SELECT 1 FROM hold WHERE hold.token = card.token)
			ORDER BY expires LIMIT $2`, now.UnixMicro(), purgeBatch)
		if err != nil {
			return err
		}
		for _, d := range all {
			why := Expired
			if d.kind == Flight {
				why = Unresolved
			}
			if err := v.shredIn(tx, d.token, why, now); err != nil {
				return err
			}
			e := audit.Event{Actor: "flattoned", Action: "card.shredded", Object: d.token, Result: "ok", Origin: string(why), Time: now}
			if err := v.audit.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, d := range all {
		if p.Cards++; d.kind == Flight {
			p.Unresolved++
		}
	}
	return len(all), nil
}

// Replay shreds once more what was shredded, where a backup from before is restored: in the transaction of that, before anything serves. It answers with how many
// cards that was.
func Replay(tx *store.Tx) (n int64, err error) {
	for _, table := range ofCard {
		if n, err = tx.Exec("DELETE FROM " + table + " WHERE token IN (SELECT token FROM shred)"); err != nil {
			return 0, err
		}
	}
	return n, nil
}
