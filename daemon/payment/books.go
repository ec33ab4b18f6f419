package payment

import (
	"fmt"
	"slices"
)

// Books are a payment with all that was done with it.
type Books struct {
	Payment
	Acts []Act // oldest first
}

// sum is how much of a kind is in one of those states.
func (b Books) sum(kind Kind, states ...State) (minor int64) {
	for _, a := range b.Acts {
		if a.Kind == kind && slices.Contains(states, a.State) {
			minor += a.Minor
		}
	}
	return minor
}

// any reports whether there is an act of a kind in one of those states.
func (b Books) any(kind Kind, states ...State) bool {
	return slices.ContainsFunc(b.Acts, func(a Act) bool { return a.Kind == kind && slices.Contains(states, a.State) })
}

// Taken is how much money was taken, and Refunded how much of it was given back, as far as it is known.
func (b Books) Taken() int64 {
	switch {
	case b.State != Approved || b.Voided():
		return 0
	case b.Take:
		return b.Minor
	}
	return b.sum(Capture, Done)
}

// Refunded is what was given back.
func (b Books) Refunded() int64 { return b.sum(Refund, Done) }

// Voided reports that it was undone.
func (b Books) Voided() bool { return b.any(Void, Done) }

// pays is how much of a bill it pays, or is to pay.
func (b Books) pays() int64 {
	switch {
	case b.Voided():
		return 0
	case b.any(Capture, Done):
		return b.sum(Capture, Done) - b.Refunded()
	}
	return b.Minor - b.Refunded()
}

// may is how much an act would be about, if it may be.
func (b Books) may(kind Kind, minor int64) (int64, error) {
	most, no := int64(0), ""
	switch {
	case b.State != Approved:
		no = "it is not approved"
	case b.any(Void, Open, Done):
		no = "it is undone, or about to be"
	case kind == Capture && b.Take:
		no = "it was a sale: its money is taken"
	case kind == Capture && b.any(Capture, Open, Done):
		no = "its money is taken, or about to be"
	case kind == Capture:
		most = b.Minor
	case kind == Void && (b.any(Capture, Open, Done) || b.any(Refund, Open, Done)):
		no = "its money has moved, or is about to: refund it"
	case kind == Void && minor != 0:
		no = "a void is of all of it"
	case kind == Void:
		return 0, nil
	case kind == Refund:
		if most = b.Taken() - b.sum(Refund, Open, Done); most == 0 {
			no = "no money of it is taken, or all is given back"
		}
	default:
		no = "there is no such act"
	}
	if minor == 0 {
		minor = most
	}
	switch {
	case no == "" && (minor < 0 || minor > most):
		no = fmt.Sprintf("%s %s of it are left", Amount(most, b.Currency), b.Currency)
	case no == "":
		return minor, nil
	}
	return 0, fmt.Errorf("%w: %s", ErrCannot, no)
}
