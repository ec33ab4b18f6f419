package payment

import (
	"context"
	"fmt"

	"github.com/flattone/flattone/daemon/store"
)

// Bill is a total that several payments pay a part of, each with a card of its own. It is known by its first payment. A part that is declined or fails pays nothing and
// ends nothing: another one may take its place.
type Bill struct {
	ID       string // the first payment's
	Currency string
	Total    int64 // in the currency's minor unit
	Paid     int64 // by parts that are approved, without what was undone or given back
	Open     int64 // of parts that aren't over
}

// Left is what no part pays, or may be paying.
func (b Bill) Left() int64 { return b.Total - b.Paid - b.Open }

// ErrNoBill is what there is to say of a payment that is no part of one.
var ErrNoBill = fmt.Errorf("%w: that payment is no part of a bill, for it was begun without a total", ErrBadOrder)

// Bill is what a payment is a part of; [ErrNoBill], or [ErrUnknown].
func (p *Payments) Bill(ctx context.Context, name string) (b Bill, err error) {
	err = p.deps.Store.Read(ctx, func(tx *store.Tx) (err error) {
		b, err = billOf(tx, name)
		return err
	})
	if err != nil {
		return Bill{}, fmt.Errorf("payment: %w", err)
	}
	return b, nil
}

func billOf(tx *store.Tx, name string) (Bill, error) {
	pay, err := named(tx, name)
	if err != nil {
		return Bill{}, err
	}
	if pay.Bill == "" {
		return Bill{}, ErrNoBill
	}
	b := Bill{ID: pay.Bill, Currency: pay.Currency, Total: pay.Total}
	parts, err := eachBooks(tx, "WHERE bill = $1 AND bill <> ''", pay.Bill) // as the index has it
	for _, part := range parts {
		switch {
		case part.State == Approved:
			b.Paid += part.pays()
		case !part.State.Over():
			b.Open += part.Minor
		}
	}
	return b, err
}

// join has a payment that is to be made be part of the bill that it begins, or that it names. Writes come one after the other, so no two parts take the same rest.
func (pay Payment) join(tx *store.Tx) (Payment, error) {
	switch {
	case pay.Total > 0:
		pay.Bill = pay.ID
		return pay, nil
	case pay.Bill == "":
		return pay, nil
	}
	b, err := billOf(tx, pay.Bill)
	switch {
	case err != nil:
		return pay, err
	case b.Currency != pay.Currency:
		return pay, fmt.Errorf("%w: the bill is in %s", ErrBadOrder, b.Currency)
	case b.Left() == 0 || pay.Minor > b.Left():
		return pay, fmt.Errorf("%w: of the bill's %s %s %s are left, with %s paid and %s under way", ErrBadOrder, Amount(b.Total, b.Currency), b.Currency,
			Amount(b.Left(), b.Currency), Amount(b.Paid, b.Currency), Amount(b.Open, b.Currency))
	case pay.Minor == 0:
		pay.Minor = b.Left()
	}
	pay.Bill, pay.Total = b.ID, b.Total
	return pay, nil
}

// toldOf is what upstream is told of a payment's bill, if it has one.
func toldOf(tx *store.Tx, pay Payment) (*toldBill, error) {
	if pay.Bill == "" {
		return nil, nil
	}
	b, err := billOf(tx, pay.Bill)
	if err != nil {
		return nil, err
	}
	return &toldBill{b.ID, b.Total, b.Left()}, nil
}
