package board

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/flattone/flattone/daemon/control"
)

// Why a line isn't green, beside the codes that flattoned gives of a line that is held, down or barred.
const (
	Away         = "desk_away"     // flattoned can't be heard
	LineGone     = "line_gone"     // the configuration has it no more
	NoCall       = "no_call"       // nobody is on it
	NotProven    = "not_proven"    // nobody has shown that it is his call
	BoundToOther = "bound_another" // somebody else has
)

// View is what may be seen of one line.
type View struct {
	Line string
	// Place is trunk-side or desk-side, as in [control.Line].
	Place string
	// Away: flattoned can't be heard, and the rest is as it was told last.
	Away bool
	// Up: its process runs. State, Reason and Barred are as in [control.Line].
	Up     bool
	State  string
	Reason string
	Barred []string // sorted
	InCall bool
	// Ended is the edge that ended the last call's part of it, while no other has begun.
	Ended bool
	// Bound is the agent whose call was proven to be on the line, Last the one who was last in this call or the one before.
	Bound, Last string
	Covered     bool

	// Capture is the one under way, or the last of this call; Test says that it is a rehearsal. Fields are its fields, in order.
	Capture string
	Test    bool
	Fields  []Field
	// Stored: its card is in the vault. Void is the code of why there will be none.
	Stored bool
	Void   string
	// Warning is the code of what was warned of since the last key.
	Warning string
	// Payments are those of this call, oldest first.
	Payments []Payment
}

// Field is one that the caller keys.
type Field struct {
	Name string // pan, expiry, cvv
	// State is one of the field's states.
	State string
	// Stars are how many keys it shows; a cvv's are 0 until it was judged.
	Stars int
	// Code is why it was refused.
	Code         string
	Brand, Last4 string // of a good pan
}

// The states of a field.
//
//	waiting ──▶ open ──▶ good ──it is asked for again──▶ open
//	             ▲ └───▶ refused
//	             └──keys──┘
const (
	Waiting = "waiting" // its turn hasn't come
	Open    = "open"
	Good    = "good"
	Refused = "refused" // it is to be keyed again
)

// Payment is one of the call's.
type Payment struct {
	ID, Capture string
	// State and Reason are as in [control.Payment].
	State, Reason string
	// Later: the provider is away, and the card will be charged without its CVV.
	Later bool
	// Known: what follows was asked for.
	Known                       bool
	Amount, Currency, Reference string
	Taken, Refunded             string
	Voided                      bool
	Bill, Total, Paid, Left     string
	// Act is what was last done with it, if anything was.
	Act Act
}

// Act is something that is done with a payment: Kind, State and Reason are as in [control.Act].
type Act struct{ ID, Kind, State, Reason string }

// Over reports whether nothing more will come of the payment itself.
func (p Payment) Over() bool {
	switch p.State {
	case control.PaymentApproved, control.PaymentDeclined, control.PaymentFailed, control.PaymentAbandoned:
		return true
	}
	return false
}

// Taking reports whether a card is being taken.
func (v View) Taking() bool { return v.State == control.StateArmed || v.State == control.StateKeying }

// Paying is the payment that the capture's card is for.
func (v View) Paying() (Payment, bool) {
	i := slices.IndexFunc(v.Payments, func(p Payment) bool { return p.Capture == v.Capture && v.Capture != "" })
	if i < 0 {
		return Payment{}, false
	}
	return v.Payments[i], true
}

// Blocked is the code of what keeps everybody from taking a card on the line; empty: nothing does.
func (v View) Blocked() string {
	switch {
	case v.Away:
		return Away
	case !v.Up:
		return cmp.Or(v.Reason, control.CodeLineDown)
	case v.State == control.StateHeld:
		return cmp.Or(v.Reason, v.State)
	case v.State == control.StateTuning || v.State == control.StateTesting:
		return v.State
	case len(v.Barred) > 0:
		return v.Barred[0]
	case !v.InCall:
		return NoCall
	}
	return ""
}

// Red is the code of why the line isn't green for an agent; empty: it is.
func (v View) Red(agent string) string {
	blocked := v.Blocked()
	switch {
	case blocked != "":
		return blocked
	case v.Bound == "":
		return NotProven
	case v.Bound != agent:
		return BoundToOther
	}
	return ""
}

func (v View) clone() View {
	v.Barred, v.Fields, v.Payments = slices.Clone(v.Barred), slices.Clone(v.Fields), slices.Clone(v.Payments)
	return v
}

func (v View) equal(to View) bool { return reflect.DeepEqual(v, to) }
