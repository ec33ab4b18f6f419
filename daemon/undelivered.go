package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/upstream"
	"github.com/flattone/flattone/daemon/vault"
)

// destinations are who is told, and how that goes, and how many events wait in all. Where the store doesn't say what waits, the rest is told all the same.
func (b *backend) destinations(ctx context.Context) (all []control.Destination, pending int, err error) {
	figures, err := b.d.outbox.Figures(ctx)
	all = make([]control.Destination, 0, len(figures))
	for _, f := range figures {
		to := control.Destination{Name: f.Name, State: f.State.String(), Waiting: f.Waiting, Dead: f.Dead, Oldest: f.Oldest, Attempts: f.Attempts, Failures: f.Failures}
		if i := slices.IndexFunc(b.d.cfg.Upstream, func(d config.Destination) bool { return d.Name == f.Name }); i >= 0 {
			to.Kind, to.To = string(b.d.cfg.Upstream[i].Kind), whereTo(b.d.cfg.Upstream[i])
		}
		all, pending = append(all, to), pending+f.Waiting
	}
	return all, pending, err
}

// whereTo is where a destination is, without anything in it that could be a secret.
func whereTo(d config.Destination) string {
	raw := d.Webhook.URL
	if d.Kind == config.KindJetStream {
		raw = d.JetStream.URLs[0]
	}
	u, err := url.Parse(raw)
	if err != nil { // the config would have refused it
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func (b *backend) Undelivered(ctx context.Context, p control.Pick, dead bool, limit int) ([]control.Undelivered, error) {
	all, err := b.d.outbox.Undelivered(ctx, upstream.Pick{To: p.Destination, Dead: dead}, limit)
	out := make([]control.Undelivered, 0, len(all))
	for _, u := range all {
		out = append(out, control.Undelivered{ID: u.ID, Destination: u.To, Type: u.Type, Capture: u.Key, Queued: u.Queued, Dead: u.Dead, Behind: u.Behind, Due: u.Due,
			Tries: u.Tries, Status: u.Status, Reason: u.Reason})
	}
	return out, err
}

func (b *backend) Replay(ctx context.Context, by control.Actor, p control.Pick) (int64, error) {
	return b.onUndelivered(ctx, by, "upstream.replayed", "ok", p, b.d.outbox.Replay)
}

func (b *backend) Drop(ctx context.Context, by control.Actor, p control.Pick, reason string) (int64, error) {
	if !vault.IsReason(reason) {
		return 0, &control.Error{Code: control.CodeBadRequest, Text: "nothing was dropped: it needs a reason", Remedy: "say why in one line of at most 200 characters, with at most 11 digits in all"}
	}
	return b.onUndelivered(ctx, by, "upstream.dropped", reason, p, b.d.outbox.Drop)
}

// onUndelivered does something to events, and notes each in the same transaction: what nobody can note isn't done. What fits no event is in no log, as it may be anything.
func (b *backend) onUndelivered(ctx context.Context, by control.Actor, action, result string, p control.Pick, do func(*store.Tx, upstream.Pick, time.Time) (int64, error)) (n int64, err error) {
	if p == (control.Pick{}) {
		return 0, &control.Error{Code: control.CodeBadRequest, Text: "it isn't said which events", Remedy: "name an event's id, or a destination"}
	}
	err = b.d.store.Write(ctx, func(tx *store.Tx) error {
		now := time.Now()
		if n, err = do(tx, upstream.Pick{ID: p.ID, To: p.Destination}, now); err != nil || n == 0 {
			return err
		}
		object := "upstream." + p.Destination
		switch {
		case p.Destination == "":
			object = "event " + p.ID
		case p.ID != "":
			object += " event " + p.ID
		}
		return b.d.audit.Append(tx, audit.Event{Actor: by.String(), Action: action, Object: fmt.Sprintf("%s (%d)", object, n), Result: result, Origin: "admin socket", Time: now})
	})
	if err == nil && n == 0 {
		err = &control.Error{Code: control.CodeWrongState, Text: "there is no such dead letter", Remedy: "flattone upstream list --dead says which there are"}
	}
	if err == nil {
		b.d.waitVitals(ctx, time.Now())
	}
	return n, err
}

func (b *backend) Resume(ctx context.Context, by control.Actor, destination string) error {
	err := b.d.outbox.Resume(destination)
	switch {
	case errors.Is(err, upstream.ErrNoDestination), errors.Is(err, upstream.ErrNotDisabled):
		return &control.Error{Code: control.CodeWrongState, Text: err.Error(), Remedy: "flattone status says which there are, and which are disabled"}
	case err != nil:
		return err
	}
	b.d.ways.resumed(destination)
	if err := b.d.note(context.WithoutCancel(ctx), by.String(), "upstream.resumed", "upstream."+destination, "ok", "admin socket"); err != nil {
		b.d.log.Error("a command could not be noted in the audit log", "action", "upstream.resumed", "error", err)
	}
	return nil
}
