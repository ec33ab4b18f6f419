package daemon

import (
	"context"
	"errors"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/lockout"
	"github.com/flattone/flattone/daemon/pairing"
)

func (d *Daemon) newPairings() *pairing.Pairings {
	return pairing.New(pairing.Deps{Clock: d.tellTime, Note: func(ctx context.Context, by, action, object, result string) error {
		return d.note(ctx, by, action, object, result, "admin socket")
	}})
}

func (b *backend) Pair(ctx context.Context, by control.Actor, p control.Pairing) (control.PairingCode, error) {
	code, ends, err := b.d.pairings.Pair(ctx, by.String(), pairing.Agent{Name: p.Agent, Supervisor: p.Supervisor})
	return control.PairingCode{Code: code, Ends: ends}, pairingError(err)
}

func (b *backend) RedeemPairing(ctx context.Context, by control.Actor, code string) (control.Pairing, error) {
	a, err := b.d.pairings.Redeem(ctx, by.String(), code)
	return control.Pairing{Agent: a.Name, Supervisor: a.Supervisor}, pairingError(err)
}

// pairingError is a refusal as a person can act on it.
func pairingError(err error) error {
	locked, isLocked := errors.AsType[*lockout.Error](err)
	switch {
	case errors.Is(err, pairing.ErrWrong):
		return &control.Error{Code: control.CodePairing, Text: pairing.ErrWrong.Error(), Remedy: "have a technician make a new one: flattone desk pair NAME"}
	case isLocked:
		return &control.Error{Code: control.CodePairing, Text: "codes have had " + locked.Error(), Remedy: "wait, and have a technician make a new one then"}
	case errors.Is(err, pairing.ErrFull):
		return &control.Error{Code: control.CodeBusy, Text: pairing.ErrFull.Error(), Remedy: "wait until some were typed, or ended"}
	}
	return err
}
