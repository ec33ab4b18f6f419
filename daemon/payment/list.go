package payment

import (
	"context"
	"fmt"

	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/store"
)

// List is the newest payments, newest first.
func (p *Payments) List(ctx context.Context, limit int) (all []Payment, err error) {
	err = p.deps.Store.Read(ctx, func(tx *store.Tx) error {
		all = nil
		return tx.Each(func(scan func(...any) error) error {
			pay, err := scanned(scan)
			all = append(all, pay)
			return err
		}, "SELECT "+columns+" FROM payment ORDER BY id DESC LIMIT $1", limit)
	})
	if err != nil {
		return nil, fmt.Errorf("payment: list: %w", err)
	}
	return all, nil
}

// Find is one, or [ErrUnknown].
func (p *Payments) Find(ctx context.Context, name string) (Payment, error) {
	if !id.Is(name, payments) {
		return Payment{}, ErrUnknown // what is given in its place may be a card
	}
	pay, err := p.of(ctx, "id", name)
	if err != nil {
		return Payment{}, fmt.Errorf("payment: %w", err)
	}
	return pay, nil
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

// Doubts is of how many nobody knows what became of them.
func (p *Payments) Doubts(ctx context.Context) (n int, err error) {
	err = p.deps.Store.One(ctx, []any{&n}, "SELECT COUNT(*) FROM payment WHERE due > 0 AND state = $1", string(Unknown))
	return n, err
}

// payments is the prefix of their ids.
const payments = "pay_"
