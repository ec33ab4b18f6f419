package daemon

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
	"github.com/flattone/flattone/daemon/wire"
)

// Reasons of wire.NotStored. They are codes for the agent's screen; the log has the whole story.
const (
	reasonInvalid  = "card_refused" // the vault will never take it
	reasonStore    = "vault_failed" // it may, later: the line sends the card again
	reasonStopping = "stopping"
)

// seal puts a card into the vault and answers the line. The token is told to the line and the feed only here,
// after Seal has returned: durable.
func (d *Daemon) seal(ctx context.Context, line string, say wire.Card, card *secret.Card) wire.Message {
	if cfg := d.lined.Load(); cfg.Profiles[say.Profile].Gateway == "" {
		card.CVV.Clear() // nobody here has a use for it, and how long the store takes is not for it to wait
	}
	if isRehearsal(say.Capture) {
		return d.rehearsed(ctx, line, say.Capture)
	}
	if !vault.IsCaptureID(say.Capture) {
		d.log.Error("a card was not sealed: its capture's id is none, and not repeated here", "line", line)
		return wire.NotStored{Capture: say.Capture, Reason: reasonInvalid, Final: true}
	}
	d.deliveries.sealing(say.Capture, line)
	cfg, place := d.lined.Load(), ""
	if l, ok := cfg.Line(line); ok {
		place = string(l.Place)
	}
	profile := cfg.Profiles[say.Profile]
	began := time.Now()
	token, err := d.vault.Seal(ctx, vault.Capture{
		ID: say.Capture, Line: line, Place: place, Profile: say.Profile, Tenant: cmp.Or(profile.Tenant, "main"), Kind: cmp.Or(kinds[profile.Keep], vault.Flight),
		Brand: say.Brand, Last4: say.Last4, ExpiryMonth: say.ExpiryMonth, ExpiryYear: say.ExpiryYear,
	}, card)
	if err != nil {
		d.deliveries.failed(say.Capture)
		d.log.Error("a card was not sealed", "line", line, "capture", say.Capture, "error", err)
		switch {
		case errors.Is(err, vault.ErrInvalid), errors.Is(err, vault.ErrReused), errors.Is(err, vault.ErrMayNotKeep):
			return wire.NotStored{Capture: say.Capture, Reason: reasonInvalid, Final: true}
		case errors.Is(err, store.ErrCorrupt):
			return wire.NotStored{Capture: say.Capture, Reason: reasonStore, Final: true}
		case ctx.Err() != nil:
			return wire.NotStored{Capture: say.Capture, Reason: reasonStopping}
		}
		// The agent must see that the card waits: the caller may otherwise hang up in good faith.
		d.feed.Publish(control.Event{Kind: control.KindWarning, Line: line, Capture: say.Capture, Code: reasonStore})
		return wire.NotStored{Capture: say.Capture, Reason: reasonStore}
	}
	d.metrics.Sealed(time.Since(began))
	if err := d.payments.Sealed(ctx, say.Capture, token, card); err != nil {
		d.log.Error("a card is sealed, and its payment could not be begun; the line sends it again", "line", line, "capture", say.Capture, "error", err)
		return wire.NotStored{Capture: say.Capture, Reason: reasonStore}
	}
	d.log.Info("a card is sealed", "line", line, "capture", say.Capture)
	d.deliveries.sealed(control.Event{Line: line, Capture: say.Capture, Token: token, Brand: say.Brand, Last4: say.Last4})
	return wire.Stored{Capture: say.Capture, Token: token}
}

// rehearsed answers a line whose rehearsal is complete: its test card goes nowhere, and that there was one is in the log.
func (d *Daemon) rehearsed(ctx context.Context, line, capture string) wire.Message {
	if err := d.note(ctx, "line "+line, "card.rehearsed", "line "+line, "ok", "capture "+capture); err != nil {
		d.log.Error("a rehearsal could not be noted in the audit log", "line", line, "capture", capture, "error", err)
		return wire.NotStored{Capture: capture, Reason: reasonStore}
	}
	d.log.Info("a rehearsal is complete, and nothing of it was stored", "line", line, "capture", capture)
	return wire.Stored{Capture: capture}
}
