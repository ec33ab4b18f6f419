package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/custody"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/lockout"
	"github.com/flattone/flattone/daemon/vault"
)

// vaultSafe is the vault as custodians open it.
type vaultSafe struct {
	*vault.Vault
	opened func()
}

func (s vaultSafe) Unlock(ctx context.Context, root keys.Root) (id string, err error) {
	if err := s.Vault.Unlock(ctx, root); err != nil {
		return "", err
	}
	s.opened()
	all, err := s.Roots(ctx)
	if i := slices.IndexFunc(all, func(r vault.RootEntry) bool { return r.Opened }); i >= 0 {
		id = all[i].ID
	}
	return id, err
}

// himself refuses who logged in as somebody else than he is now: that two different people agree is the point.
func himself(by control.Actor) error {
	if by.Person == by.Name {
		return nil
	}
	return &control.Error{Code: control.CodeDenied, Text: fmt.Sprintf("you logged in as %s, and ask as %s", by.Person, by.Name), Remedy: "a custodian logs in as himself, and asks without sudo or su"}
}

func (b *backend) Custody(ctx context.Context) (control.Custody, error) {
	s, err := b.d.custody.Status(ctx)
	c := control.Custody{Set: s.Set, Need: s.Need, Custodians: []control.CustodianState{}, Locked: b.d.vault.Locked()}
	for _, p := range s.Custodians {
		c.Custodians = append(c.Custodians, control.CustodianState{Person: p.Person, Wrong: p.Wrong, LockedS: int(p.Locked.Seconds())})
	}
	if n := s.Ceremony; n != nil {
		c.Ceremony = &control.Ceremony{ID: n.ID, Purpose: string(n.Purpose), About: n.About, Ends: n.Ends, Done: append([]string{}, n.Done...), Missing: n.Missing, Enrolment: n.Purpose == custody.Enrol}
	}
	return c, err
}

func (b *backend) EnrolCustodians(ctx context.Context, by control.Actor, p control.CustodyPlan) error {
	return custodyError(b.d.custody.Enrol(ctx, by.String(), custody.Plan{Need: p.Need, People: p.People}), by)
}

func (b *backend) TakeShare(ctx context.Context, by control.Actor, page []byte) (int, error) {
	if err := himself(by); err != nil {
		return 0, err
	}
	return custody.PaperSize, custodyError(b.d.custody.Take(ctx, by.String(), by.Name, page), by)
}

func (b *backend) ConfirmShare(ctx context.Context, by control.Actor, text []byte) (int, error) {
	if err := himself(by); err != nil {
		return 0, err
	}
	missing, err := b.d.custody.Confirm(ctx, by.String(), by.Name, text)
	return missing, custodyError(err, by)
}

func (b *backend) UnlockVault(ctx context.Context, by control.Actor) (string, error) {
	id, err := b.d.custody.Unlock(ctx, by.String())
	return id, custodyError(err, by)
}

func (b *backend) GiveShare(ctx context.Context, by control.Actor, ceremony string, text []byte) (int, error) {
	if err := himself(by); err != nil {
		return 0, err
	}
	missing, err := b.d.custody.Give(ctx, by.String(), by.Name, ceremony, text)
	return missing, custodyError(err, by)
}

func (b *backend) AbortCeremony(ctx context.Context, by control.Actor) error {
	return custodyError(b.d.custody.Abort(ctx, by.String()), by)
}

// refusedShares are errors of which a share is the reason, with what to do.
var refusedShares = []struct {
	err    error
	remedy string
}{
	{custody.ErrUnreadable, "type all four lines as they stand on your paper; ten wrong attempts in a row lock your account for half an hour"},
	{custody.ErrWrongShare, "is it the newest of your papers?"},
	{custody.ErrOtherSet, "a share's first eight characters are its set's name, which flattone custody status says"},
	{custody.ErrOthersShare, "give your own, logged in as yourself"},
	{custody.ErrGiven, "flattone custody status says who has yet to"},
	{custody.ErrNotCustodian, "flattone custody status says who is one"},
}

// unfitting are errors of how things stand, with what to do.
var unfitting = []struct {
	err    error
	remedy string
}{
	{custody.ErrNoCustodians, "enrol some: flattone custody enrol"},
	{custody.ErrNoCeremony, "flattone custody status says what is under way; one lasts 15 minutes"},
	{custody.ErrNotTaken, "flattone custody take shows yours"},
	{custody.ErrConfirmed, "it goes on once all others have, too"},
	{custody.ErrSafeOpen, "there is nothing to unlock"},
	{custody.ErrSafeLocked, "have them unlock it first: flattone custody unlock"},
}

// custodyError is a refusal as a person can act on it.
func custodyError(err error, by control.Actor) error {
	locked, isLocked := errors.AsType[*lockout.Error](err)
	busy, isBusy := errors.AsType[*custody.BusyError](err)
	switch {
	case err == nil:
		return nil
	case isLocked:
		return &control.Error{Code: control.CodeShare, Text: by.Name + "'s account as a custodian has had " + locked.Error(), Remedy: "wait, or have another custodian give his share"}
	case isBusy:
		return &control.Error{Code: control.CodeWrongState, Text: busy.Error(), Remedy: "wait for its end, 15 minutes at most, or end it: flattone custody abort"}
	case errors.Is(err, custody.ErrPlan):
		return &control.Error{Code: control.CodeBadRequest, Text: err.Error(), Remedy: "flattone custody enrol --need 2 --of NAME,NAME,NAME"}
	case errors.Is(err, vault.ErrFingerprintLost):
		return &control.Error{Code: control.CodeWrongState, Text: err.Error(), Remedy: "docs/vault.md, Certificates"}
	case errors.Is(err, vault.ErrWrongKey):
		return &control.Error{Code: control.CodeWrongState, Text: "the custodians agree, but their key isn't one of this vault: " + err.Error(), Remedy: "is the state folder the right one, and whole?"}
	}
	for _, r := range refusedShares {
		if errors.Is(err, r.err) {
			return &control.Error{Code: control.CodeShare, Text: said(r.err, by), Remedy: r.remedy}
		}
	}
	for _, u := range unfitting {
		if errors.Is(err, u.err) {
			return &control.Error{Code: control.CodeWrongState, Text: said(u.err, by), Remedy: u.remedy}
		}
	}
	return err
}

// said puts a name before what is said of somebody.
func said(err error, by control.Actor) string {
	for _, of := range []error{custody.ErrGiven, custody.ErrNotCustodian, custody.ErrNotTaken, custody.ErrConfirmed} {
		if errors.Is(err, of) {
			return by.Name + " " + err.Error()
		}
	}
	return err.Error()
}
