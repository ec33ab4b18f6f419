package daemon

import (
	"context"
	"errors"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/vault"
)

// tokenOf is what the admin socket says of a card.
func tokenOf(e vault.Entry) control.Token {
	t := control.Token{Token: e.Token, Capture: e.Capture, Line: e.Line, Brand: e.Brand, Last4: e.Last4, ExpiryMonth: e.ExpiryMonth, ExpiryYear: e.ExpiryYear,
		Created: e.Created, Kind: string(e.Kind), Expires: e.Expires, Shredded: e.Shredded, Why: string(e.Why)}
	if e.Hold != nil {
		t.Hold = &control.Hold{By: e.Hold.By, Reason: e.Hold.Reason, Since: e.Hold.Since}
	}
	return t
}

// tokensOf are several.
func tokensOf(entries []vault.Entry, err error) ([]control.Token, error) {
	out := make([]control.Token, 0, len(entries))
	for _, e := range entries {
		out = append(out, tokenOf(e))
	}
	return out, err
}

func (b *backend) Tokens(ctx context.Context, limit int) ([]control.Token, error) {
	return tokensOf(b.d.vault.List(ctx, limit))
}

func (b *backend) Holds(ctx context.Context, limit int) ([]control.Token, error) {
	return tokensOf(b.d.vault.Held(ctx, limit))
}

func (b *backend) Card(ctx context.Context, token string) (control.Token, error) {
	if !vault.IsToken(token) {
		return control.Token{}, noToken
	}
	e, err := b.d.vault.Find(ctx, token)
	return tokenOf(e), cardError(err)
}

func (b *backend) HoldCard(ctx context.Context, by control.Actor, token, reason string) error {
	return b.onCard(ctx, by, "card.held", token, func() error { return b.d.vault.Hold(ctx, by.String(), token, reason) })
}

func (b *backend) ReleaseCard(ctx context.Context, by control.Actor, token string) error {
	return b.onCard(ctx, by, "card.released", token, func() error { return b.d.vault.Release(ctx, by.String(), token) })
}

func (b *backend) ShredCard(ctx context.Context, by control.Actor, token string) error {
	return b.onCard(ctx, by, "card.shredded", token, func() error { return b.d.vault.Shred(ctx, by.String(), token) })
}

// onCard does something to a card. The vault notes what was done with it, in one transaction; what wasn't is noted here.
func (b *backend) onCard(ctx context.Context, by control.Actor, action, token string, do func() error) error {
	if !vault.IsToken(token) {
		return b.undone(ctx, by, action, "no token", noToken)
	}
	return b.undone(ctx, by, action, token, cardError(do()))
}

// undone notes what was asked of the vault and came to nothing.
func (b *backend) undone(ctx context.Context, by control.Actor, action, object string, err error) error {
	if err == nil {
		return nil
	}
	if noting := b.d.note(context.WithoutCancel(ctx), by.String(), action, object, err.Error(), "admin socket"); noting != nil {
		b.d.log.Error("a command could not be noted in the audit log", "action", action, "error", noting)
	}
	return err
}

// noToken doesn't repeat what was given in a token's place: it may be a card number.
var noToken = &control.Error{Code: control.CodeBadRequest, Text: "that is no token", Remedy: "a token is tok_ and 26 letters and digits: flattone tokens lists them"}

// cardError is the vault's as a person can act on it.
func cardError(err error) error {
	switch {
	case errors.Is(err, vault.ErrUnknownToken):
		return &control.Error{Code: control.CodeUnknownToken, Text: vault.ErrUnknownToken.Error(), Remedy: "flattone tokens lists them"}
	case errors.Is(err, vault.ErrShredded):
		return &control.Error{Code: control.CodeWrongState, Text: vault.ErrShredded.Error(), Remedy: "there is nothing left to do: flattone card show says when and why"}
	case errors.Is(err, vault.ErrOnHold):
		return &control.Error{Code: control.CodeWrongState, Text: vault.ErrOnHold.Error(), Remedy: "if the hold is over: flattone card release, and then again"}
	case errors.Is(err, vault.ErrHoldSame):
		return &control.Error{Code: control.CodeWrongState, Text: vault.ErrHoldSame.Error(), Remedy: "flattone card show says how it is"}
	case errors.Is(err, vault.ErrInvalid):
		return &control.Error{Code: control.CodeBadRequest, Text: "a hold needs a reason", Remedy: "say why in one line of at most 200 characters, with at most 11 digits in all: never a card's number"}
	}
	return err
}
