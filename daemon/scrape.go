package daemon

import (
	"context"
	"fmt"
	"net"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health/metrics"
	"github.com/flattone/flattone/daemon/payment"
)

// metricsGroup is whose members may ask for metrics at a socket. Whoever watches many boxes need not command them.
const metricsGroup = "flattone-metrics"

// listenForScrapes opens what the config says that metrics are asked for at; nil if it says nothing.
func listenForScrapes(cfg config.Metrics) (net.Listener, error) {
	network, address := cfg.Address()
	if address == "" {
		return nil, nil
	}
	open, remedy := net.Listen, "is a port free there? In the package's unit it also takes SocketBindAllow=tcp: and the port"
	if network == "unix" {
		open = func(_, path string) (net.Listener, error) { return control.Listen(path, metricsGroup) }
		remedy = "may flattoned write there?"
	}
	l, err := open(network, address)
	if err != nil {
		return nil, fmt.Errorf("open [metrics] listen: %w; %s", err, remedy)
	}
	return l, nil
}

// countCaptures counts how captures end, until ctx ends. What a line says first on a connection is how it was left, and not counted.
func (d *Daemon) countCaptures(ctx context.Context) error {
	for ctx.Err() == nil { // a subscriber that was too slow begins anew
		heard := map[string]bool{}
		for e := range d.feed.Subscribe(ctx) {
			switch {
			case e.Kind == control.KindLineUp:
				heard[e.Line] = false
			case e.Kind != control.KindState:
			case !heard[e.Line], e.Replay:
				heard[e.Line] = true
			case e.State == control.StateDone:
				d.metrics.Captured(e.Line, e.State)
			case e.State == control.StateVoid:
				d.metrics.Captured(e.Line, e.Reason)
			}
		}
	}
	return nil
}

// scraped is how the box is, for metrics.
func (d *Daemon) scraped(ctx context.Context) metrics.Box {
	d.storeVitals()
	box := metrics.Box{Conditions: d.health.Snapshot()}
	for _, l := range d.board.views() {
		box.Lines = append(box.Lines, metrics.Line{Name: l.Name, Up: l.Up, InCall: l.InCall, State: l.State, Restarts: l.Restarts, MaskedPermille: l.MaskedPermille})
	}
	figures, err := d.outbox.Figures(ctx)
	for _, f := range figures {
		to := metrics.Destination{Name: f.Name, Pending: f.Waiting, Dead: f.Dead, Oldest: f.Oldest, Delivered: f.Attempts - f.Failures, Failed: f.Failures}
		if err != nil { // the store's trouble is a condition
			to.Pending = -1
		}
		box.Destinations = append(box.Destinations, to)
	}
	if open, err := d.payments.Open(ctx); err == nil {
		box.Open = d.scrapedPayments(open)
	}
	if box.Vault, err = d.scrapedVault(ctx); err != nil && ctx.Err() == nil {
		d.log.Warn("a scrape hears nothing of the vault", "error", err)
	}
	return box
}

// openStates are all that a payment can be in which has not ended: each is a series, also where there is none.
var openStates = []payment.State{payment.Wanted, payment.Ready, payment.Held, payment.Waiting, payment.Asked, payment.Unknown}

func (d *Daemon) scrapedPayments(open map[string]map[payment.State]int) (all []metrics.Open) {
	for name := range d.cfg.Gateways {
		for _, state := range openStates {
			all = append(all, metrics.Open{Gateway: name, State: string(state), Count: open[name][state]})
		}
	}
	return all
}

// scrapedVault is how the vault is; nil if the store doesn't say.
func (d *Daemon) scrapedVault(ctx context.Context) (*metrics.Vault, error) {
	p, err := d.vault.Progress(ctx)
	if err != nil {
		return nil, err
	}
	s, err := d.vault.Stock(ctx)
	if err != nil {
		return nil, err
	}
	c, err := d.custody.Status(ctx)
	if err != nil {
		return nil, err
	}
	f := d.vault.Figures()
	v := &metrics.Vault{Locked: d.vault.Locked(), Cards: map[string]int64{}, Held: s.Held, Flight: s.Flight, Counted: s.At, Shredded: map[string]int64{}, Rewrapped: f.Rewrapped,
		Purged: f.Purged, Key: p.Version, KeySince: p.Since, KeySealed: p.Sealed, KeyCards: p.Records, Remaining: p.Remaining, Custodians: len(c.Custodians)}
	for _, kind := range kinds {
		v.Cards[string(kind)] = s.Kinds[kind]
	}
	for why, n := range f.Shredded {
		v.Shredded[string(why)] = n
	}
	for _, person := range c.Custodians {
		if person.Locked > 0 {
			v.CustodiansLocked++
		}
	}
	if at := d.vouched.Load(); at != nil {
		v.Checkpoint = *at
	}
	return v, nil
}
