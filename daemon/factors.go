package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/factor"
	"github.com/flattone/flattone/daemon/host"
	"github.com/flattone/flattone/daemon/lockout"
)

func (b *backend) CheckFactor(ctx context.Context, by control.Actor, code string) error {
	err := b.d.factors.Check(ctx, by.String(), by.Person, code)
	if err == nil && code == "" {
		return &control.Error{Code: control.CodeFactor, Text: "from afar this takes a code of " + by.Person + "'s second factor",
			Remedy: "send what your authenticator shows, in the header " + control.CodeHeader}
	}
	return factorError(err, by.Person)
}

func (b *backend) EnrollFactor(ctx context.Context, by control.Actor) (string, error) {
	uri, err := b.d.factors.Enroll(ctx, by.String(), by.Person)
	return uri, factorError(err, by.Person)
}

func (b *backend) ForgetFactor(ctx context.Context, by control.Actor, person string) error {
	err := b.d.factors.Forget(ctx, by.String(), person)
	if errors.Is(err, factor.ErrNone) {
		return &control.Error{Code: control.CodeWrongState, Text: person + " has no second factor", Remedy: "the factor is that of the name that somebody logs in by"}
	}
	return factorError(err, person)
}

// Refused notes who was turned away.
func (b *backend) Refused(ctx context.Context, by control.Actor, call, result string) error {
	return b.d.note(ctx, by.String(), "control.refused", call, result, "admin socket")
}

// factorError is a refusal as a person can act on it.
func factorError(err error, person string) error {
	locked, isLocked := errors.AsType[*lockout.Error](err)
	switch {
	case errors.Is(err, factor.ErrWrong):
		return &control.Error{Code: control.CodeFactor, Text: factor.ErrWrong.Error(), Remedy: "is the telephone's clock right? five wrong ones in a row lock the factor for half an hour"}
	case errors.Is(err, factor.ErrUsed):
		return &control.Error{Code: control.CodeFactor, Text: factor.ErrUsed.Error(), Remedy: "wait for the next one: half a minute at most"}
	case isLocked:
		return &control.Error{Code: control.CodeDenied, Text: fmt.Sprintf("the second factor of %s has had %s", person, locked), Remedy: "wait, or do it at the box itself"}
	case errors.Is(err, factor.ErrNone):
		return &control.Error{Code: control.CodeDenied, Text: "from afar this takes a second factor, and " + person + " has none",
			Remedy: "log in at the box itself, and run flattone factor enroll there"}
	case errors.Is(err, factor.ErrEnrolled):
		return &control.Error{Code: control.CodeWrongState, Text: person + " has a second factor already",
			Remedy: "if it is lost, an installer has it forgotten: flattone factor forget " + person}
	}
	return err
}

// sessions is how it is found out who is at a process; nil where nobody keeps that.
func sessions() func(context.Context, int32) (control.Login, error) {
	if !host.KeepsSessions() {
		return nil
	}
	return func(ctx context.Context, pid int32) (control.Login, error) {
		s, err := host.SessionOf(ctx, pid)
		return control.Login{ID: s.ID, User: s.User, Here: s.Here()}, err
	}
}
