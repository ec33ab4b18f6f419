package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/upstream"
	"github.com/flattone/flattone/daemon/upstream/jetstream"
	"github.com/flattone/flattone/daemon/upstream/webhook"
	"github.com/flattone/flattone/daemon/vault"
)

// newOutbox makes the outbox, with a sender for each destination.
func (d *Daemon) newOutbox(box string) (_ *upstream.Outbox, err error) {
	cfg := upstream.Config{Box: box}
	d.buses = map[string]*jetstream.Sender{}
	defer func() {
		if err != nil {
			for _, to := range cfg.Destinations {
				err = errors.Join(err, to.Sender.Close())
			}
		}
	}()
	for _, to := range d.cfg.Upstream {
		by, err := d.newSender(to, box)
		if err != nil {
			return nil, fmt.Errorf("upstream.%s: %w", to.Name, err)
		}
		one := upstream.Destination{Name: to.Name, Sender: by, Format: formats[to.Envelope],
			Timeout: to.Timeout, BackOff: to.FirstRetry, MaxWait: to.MaxRetry, GiveUp: to.GiveUpAfter}
		if to.Kind == config.KindJetStream {
			one.AtOnce = jetstream.AtOnce
		}
		cfg.Destinations = append(cfg.Destinations, one)
	}
	return upstream.New(cfg, upstream.Deps{Store: d.store, Log: d.log, OnDelivery: d.delivered})
}

// formats are what the config's words are in the outbox.
var formats = map[config.EnvelopeFormat]upstream.Format{config.EnvelopeStandard: upstream.Standard, config.EnvelopeCloudEvents: upstream.CloudEvents}

func (d *Daemon) newSender(to config.Destination, box string) (upstream.Sender, error) {
	if to.Kind == config.KindJetStream {
		n := to.JetStream
		// Sooner than the dispatcher, who knows nothing but that the time is up: a server says that something isn't allowed, and then doesn't answer.
		timeout := to.Timeout * 9 / 10
		bus, err := jetstream.New(jetstream.Config{Box: box, Servers: n.URLs, Stream: n.Stream, Subject: n.Subject, MakeStream: n.MakeStream, CredsFile: n.CredsFile, NkeyFile: n.NKeyFile,
			User: n.User, PasswordFile: n.PasswordFile, TLS: to.TLS, Timeout: timeout}, jetstream.Deps{Log: d.log})
		if err != nil {
			return nil, err // and not a nil sender that looks like one
		}
		d.buses[to.Name] = bus
		return bus, nil
	}
	return newWebhook(to)
}

func newWebhook(to config.Destination) (*webhook.Sender, error) {
	return webhook.New(webhook.Config{URL: to.Webhook.URL, Files: to.Files(), Read: func() (webhook.Credentials, error) {
		secrets, err := to.Webhook.Secrets()
		if err != nil {
			return webhook.Credentials{}, err
		}
		roots, err := to.TLS.Roots()
		if err != nil {
			return webhook.Credentials{}, fmt.Errorf("ca_file: %w", err)
		}
		_, err = to.TLS.Certificate(nil) // is read anew at each connection, and should be good now
		return webhook.Credentials{Secrets: secrets, TLS: &tls.Config{RootCAs: roots, GetClientCertificate: to.TLS.Certificate}}, err
	}})
}

// destinations are whom the vault has told.
func destinations(all config.Upstream) (told []vault.Destination) {
	for _, to := range all {
		told = append(told, vault.Destination{Name: to.Name, Own: to.OwnTokens, Number: to.NumberTokens, Fingerprint: to.Fingerprint})
	}
	return told
}

func (d *Daemon) enqueue(tx *store.Tx, e vault.Event) error {
	d.deliveries.queued(e.Key, e.To)
	return d.outbox.Enqueue(tx, upstream.Event{ID: e.ID, To: e.To, Type: e.Type, Key: e.Key, Time: e.Time, Data: e.Data})
}

// delivered notes what became of an attempt to tell upstream.
func (d *Daemon) delivered(a upstream.Delivery) {
	d.ways.tried(a)
	if !strings.HasPrefix(a.Type, statePrefix) { // of which people are told by the feed itself
		d.deliveries.tried(a)
	}
}

// ways has which destinations fail, and why. The conditions are the box's, and say which: whoever has to see to it needs all of them at once.
type ways struct {
	health *health.Board

	mu      sync.Mutex
	failing map[string]string // why, by name
	gone    map[string]string
}

func newWays(board *health.Board) *ways {
	return &ways{health: board, failing: map[string]string{}, gone: map[string]string{}}
}

// tried notes what became of an attempt.
func (w *ways) tried(a upstream.Delivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch a.State {
	case upstream.Failing:
		w.failing[a.To] = a.Reason
		w.tell()
		return
	case upstream.Disabled:
		w.gone[a.To] = ""
	}
	if _, failed := w.failing[a.To]; failed || a.State == upstream.Disabled {
		delete(w.failing, a.To)
		w.tell()
	}
}

// resumed notes that a destination is tried again.
func (w *ways) resumed(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.gone, name)
	w.tell()
}

// tell sets the conditions, or clears them. The caller holds mu.
func (w *ways) tell() {
	stand(w.health, health.UpstreamFailing, w.failing)
	stand(w.health, health.UpstreamGone, w.gone)
}

// stand says that a condition stands because of some destinations, and what is known of each; or, with none, that it doesn't.
func stand(board *health.Board, code health.Code, of map[string]string) {
	var details []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		detail := name
		if of[name] != "" {
			detail += ": " + of[name]
		}
		details = append(details, detail)
	}
	if details == nil {
		board.Clear(code, "")
		return
	}
	board.Set(code, "", strings.Join(details, "; "))
}

// waitVitals looks how long events have waited to be delivered, and which wait for a technician.
func (d *Daemon) waitVitals(ctx context.Context, now time.Time) {
	all, err := d.outbox.Figures(ctx)
	if err != nil { // the store's trouble, which is told as such
		return
	}
	behind, dead := map[string]string{}, map[string]string{}
	for _, f := range all {
		if !f.Oldest.IsZero() && now.Sub(f.Oldest) > behindAfter {
			behind[f.Name] = "the oldest is of " + f.Oldest.UTC().Format(time.DateTime) + " UTC"
			if f.Unknown {
				behind[f.Name] += ", and no such destination is configured"
			}
		}
		if f.Dead > 0 {
			dead[f.Name] = fmt.Sprint(f.Dead)
		}
	}
	stand(d.health, health.UpstreamBehind, behind)
	stand(d.health, health.UpstreamDead, dead)
}
