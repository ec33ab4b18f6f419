package payment

import (
	"context"
	"fmt"

	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/store"
)

// List is the newest payments, newest first.
func (p *Payments) List(ctx context.Context, limit int) (all []Books, err error) {
	err = p.deps.Store.Read(ctx, func(tx *store.Tx) (err error) {
		all, err = eachBooks(tx, "ORDER BY id DESC LIMIT $1", limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("payment: list: %w", err)
	}
	return all, nil
}

// eachBooks reads the payments that the end of a query says.
func eachBooks(tx *store.Tx, which string, args ...any) (all []Books, err error) {
	if err := tx.Each(func(scan func(...any) error) error {
		pay, err := scanned(scan)
		all = append(all, Books{Payment: pay})
		return err
	}, "SELECT "+columns+" FROM payment "+which, args...); err != nil {
		return nil, err
	}
	acts, err := eachAct(tx, "payment IN (SELECT id FROM payment "+which+")", args...)
	of := map[string][]Act{}
	for _, a := range acts {
		of[a.Payment] = append(of[a.Payment], a)
	}
	for i := range all {
		all[i].Acts = of[all[i].ID]
	}
	return all, err
}

// Books are a payment with all that was done with it, or [ErrUnknown].
func (p *Payments) Books(ctx context.Context, name string) (b Books, err error) {
	err = p.deps.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if b.Payment, err = named(tx, name); err == nil {
			b.Acts, err = actsOf(tx, name)
		}
		return err
	})
	if err != nil {
		return Books{}, fmt.Errorf("payment: %w", err)
	}
	return b, nil
}

// Wanted are the captures that this box's payments wait for.
func (p *Payments) Wanted(ctx context.Context) (captures []string, err error) {
	err = p.deps.Store.Read(ctx, func(tx *store.Tx) error {
		captures = nil
		return tx.Each(func(scan func(...any) error) error {
			var capture string
			err := scan(&capture)
			captures = append(captures, capture)
			return err
		}, "SELECT capture FROM payment WHERE due > 0 AND state = $1 AND box = $2", string(Wanted), p.cfg.Box)
	})
	if err != nil {
		return nil, fmt.Errorf("payment: %w", err)
	}
	return captures, nil
}

// Open is how many payments haven't ended, by gateway and state.
func (p *Payments) Open(ctx context.Context) (open map[string]map[State]int, err error) {
	err = p.deps.Store.Read(ctx, func(tx *store.Tx) error {
		open = map[string]map[State]int{}
		return tx.Each(func(scan func(...any) error) error {
			var gateway, state string
			var n int
			err := scan(&gateway, &state, &n)
			if open[gateway] == nil {
				open[gateway] = map[State]int{}
			}
			open[gateway][State(state)] = n
			return err
		}, "SELECT gateway, state, COUNT(*) FROM payment WHERE due > 0 GROUP BY gateway, state")
	})
	if err != nil {
		return nil, fmt.Errorf("payment: %w", err)
	}
	return open, nil
}

// Doubts is of how many nobody knows what became of them, or of what was asked for them more than once.
func (p *Payments) Doubts(ctx context.Context) (n int, err error) {
	err = p.deps.Store.One(ctx, []any{&n}, `SELECT (SELECT COUNT(*) FROM payment WHERE due > 0 AND state = $1)
		+ (SELECT COUNT(DISTINCT payment) FROM payment_act WHERE due > 0 AND tries > 0)`, string(Unknown))
	return n, err
}

// IsID reports whether a text has the form of a payment's id.
func IsID(text string) bool { return id.Is(text, payments) }

// payments is the prefix of their ids.
const payments = "pay_"
