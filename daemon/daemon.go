// Package daemon is flattoned: it builds the store, the vault, the audit log, the outbox, the admin socket and
// the lines' switchboard, runs them, and stops them in reverse order.
//
// It exists so that everything that keeps a card or speaks to the outside lives in one process that has no
// device, and everything that hears a caller in others that have no store. It promises that a token is told
// to a line, a technician or upstream only after it is durable, and that no line is armed or released without an
// entry in the audit log that says who asked. It never looks at a card: one goes from a line's connection into the vault, and
// is destroyed.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/daemon/acceptance"
	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/backup"
	"github.com/flattone/flattone/daemon/clients/natsrpc"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/custody"
	"github.com/flattone/flattone/daemon/export"
	"github.com/flattone/flattone/daemon/factor"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/health/metrics"
	"github.com/flattone/flattone/daemon/health/syslog"
	"github.com/flattone/flattone/daemon/host"
	"github.com/flattone/flattone/daemon/lockout"
	"github.com/flattone/flattone/daemon/pairing"
	"github.com/flattone/flattone/daemon/pause"
	"github.com/flattone/flattone/daemon/payment"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/swap"
	"github.com/flattone/flattone/daemon/upstream"
	"github.com/flattone/flattone/daemon/upstream/jetstream"
	"github.com/flattone/flattone/daemon/vault"
	"github.com/flattone/flattone/daemon/wire"
)

// Version is what status says.
var Version = control.Version()

// Daemon is one flattoned. New builds it whole or not at all; Run runs it once.
//
//	lines ──line.sock──▶ switchboard ──card──▶ vault ─┐
//	  ▲                    │    ▲                     ├─ one transaction ─▶ store
//	  └─ started, watched  │    └── control           │
//	     by its keeper     └─events─▶ feed ◀─delivery─ upstream ─▶ webhooks, streams
type Daemon struct {
	// cfg is what flattoned was started with, but for the lines and their profiles, which may be others by now: see lined.
	cfg        *config.Config
	lined      atomic.Pointer[config.Config]
	configPath string
	log        *slog.Logger
	feed       *control.Feed
	health     *health.Board
	metrics    *metrics.Metrics

	clock    lockout.Clock // tests: another is the machine's
	store    *store.DB
	audit    *audit.Log
	outbox   *upstream.Outbox
	vault    *vault.Vault
	factors  *factor.Factors
	pairings *pairing.Pairings
	custody  *custody.Custody
	backups  *backup.Maker
	exports  *export.Exporter
	payments *payment.Payments
	gateways []keptUp // connections to providers
	tills    *tills
	buses    map[string]*jetstream.Sender // by the name of their destination
	clients  []*natsrpc.Server            // one for each bus by which anybody may ask
	board    *switchboard
	lineSock *wire.Listener
	admin    *control.Server
	syslog   *syslog.Sender // nil: nobody is told
	scrapes  net.Listener   // nil: nobody may ask for metrics
	lines    keeper
	backend  *backend
	guard    *guard
	bonds    *bonds
	pauser   *pause.Pauser // nil: there is no recorder in front of the box
	bus      *host.Bus     // nil where systemd doesn't run the box

	deliveries *deliveries
	ways       *ways
	swaps      func(context.Context) ([]swap.Area, error) // swapAreas
	keyOver    time.Time                                  // since when the vault's key ought to be another; watchVitals' own
	vouched    atomic.Pointer[time.Time]                  // when every place last had the audit log's newest checkpoint; nil: not yet
}

// New opens everything that can fail to open: state folder, store, key, sockets. What it opened is closed
// again if it fails. configPath is handed to the line processes, which read the same file.
func New(ctx context.Context, cfg *config.Config, configPath string, log *slog.Logger) (_ *Daemon, err error) {
	if configPath, err = filepath.Abs(configPath); err != nil {
		return nil, fmt.Errorf("find the configuration file: %w", err)
	}
	box := *cfg
	box.Lines, box.Profiles = nil, nil
	d := &Daemon{cfg: &box, configPath: configPath, log: log, clock: lockout.Now, feed: control.NewFeed(), health: health.NewBoard()}
	d.lined.Store(cfg)
	d.swaps = swapAreas
	d.deliveries, d.ways, d.metrics = newDeliveries(d.feed), newWays(d.health), metrics.New(Version, d.scraped)
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if err := os.MkdirAll(cfg.RuntimeDir, 0o750); err != nil { // the state folder is the store's to make
		return nil, fmt.Errorf("make the folder of the sockets: %w", err)
	}
	if err := d.openVault(ctx); err != nil {
		return nil, err
	}
	d.bonds = newBonds(d.feed)
	d.board = newSwitchboard(cfg, d.feed, d.health, log, d.seal, func(ctx context.Context, line string, what wire.Asked) { d.backend.keyed(ctx, line, what) },
		tunings{d, acceptance.In(cfg.StateDir)}, d.bonds.Bonds)
	d.backend = &backend{d: d, started: time.Now(), reloading: make(chan struct{}, 1)}
	d.guard = d.guardian()
	if d.pauser, err = d.newPauser(); err != nil {
		return nil, err
	}
	if host.Supervised() {
		d.onBus(&host.Bus{})
	} else {
		log.Info("systemd didn't start this: the machine waits for no card, its clock isn't watched, and the box isn't on the system bus")
	}
	users, err := lineUsers()
	if err != nil {
		return nil, err
	}
	if d.lineSock, err = wire.Listen(cfg.LineSocket(), log, d.board.apart, users...); err != nil {
		return nil, err
	}
	handed, err := adminSocket(cfg)
	if err != nil {
		return nil, err
	}
	if d.admin, err = control.New(control.Config{Socket: cfg.AdminSocket(), Handed: handed, Roles: cfg.Roles}, control.Deps{Backend: d.backend, Log: log, Login: sessions()}); err != nil {
		return nil, err
	}
	if to := cfg.Syslog; to.Address != "" {
		roots, err := to.Roots()
		if err != nil {
			return nil, fmt.Errorf("[syslog] ca_file: %w", err)
		}
		d.syslog = syslog.New(syslog.Config{Address: to.Address, Roots: roots, Version: Version}, d.health)
	}
	if d.scrapes, err = listenForScrapes(cfg.Metrics); err != nil {
		return nil, err
	}
	if d.lines, err = d.newKeeper(cfg.Daemon.LineBinary); err != nil {
		return nil, err
	}
	return d, nil
}

// openVault opens what a card is kept in: store, log, outbox, key, vault.
func (d *Daemon) openVault(ctx context.Context) (err error) {
	box, err := boxName(d.cfg)
	if err != nil {
		return err
	}
	if d.store, err = openStore(ctx, d.cfg, box); err != nil {
		return err
	}
	if d.audit, err = audit.New(ctx, auditConfig(d.cfg, box), audit.Deps{Store: d.store}); err != nil {
		return err
	}
	if d.outbox, err = d.newOutbox(box); err != nil {
		return err
	}
	if d.vault, err = vault.New(ctx, vaultConfig(d.cfg), vault.Deps{Store: d.store, Audit: d.audit, Outbox: vault.OutboxFunc(d.enqueue), Clock: d.tellTime}); err != nil {
		return err
	}
	d.backups = backup.New(backup.Config{Box: box, AuditKey: auditKey(d.cfg)}, backup.Deps{Store: d.store, Vault: d.vault, Audit: d.audit})
	d.custody = custody.New(custody.Deps{Store: d.store, Audit: d.audit, Clock: d.tellTime,
		Safe: vaultSafe{d.vault, func() { d.health.Clear(health.VaultLocked, "") }}})
	if d.exports, err = d.newExporter(); err != nil {
		return err
	}
	if d.payments, err = d.newPayments(box); err != nil {
		return err
	}
	if d.clients, err = d.newClients(box); err != nil {
		return err
	}
	if err := d.unlock(ctx); err != nil {
		return err
	}
	if err := d.mayKeep(d.lined.Load()); err != nil {
		return err
	}
	d.pairings = d.newPairings()
	d.factors = factor.New(factor.Config{Box: box}, factor.Deps{Store: d.store, Audit: d.audit, Safe: d.vault, Clock: d.tellTime})
	return nil
}

// tellTime is the moment by which cards are kept and accounts are locked.
func (d *Daemon) tellTime() lockout.Moment { return d.clock() }

// boxName is what the box is called in its log, and where boxes share a database.
func boxName(cfg *config.Config) (string, error) {
	if cfg.Store.Box != "" {
		return cfg.Store.Box, nil
	}
	name, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("find the machine's name: %w", err)
	}
	return name, nil
}

func openStore(ctx context.Context, cfg *config.Config, box string) (*store.DB, error) {
	return store.Open(ctx, storeConfig(cfg, box))
}

func storeConfig(cfg *config.Config, box string) store.Config {
	in := cfg.Store
	return store.Config{Dir: cfg.StateDir, Postgres: store.Postgres{Where: in.Postgres, Box: box,
		PasswordFile: in.PasswordFile, CAFile: in.CAFile, CertFile: in.CertFile, KeyFile: in.KeyFile}}
}

// Run runs the box until ctx ends, or until one of its services does, which is then the error. It stops in reverse
// order: first the lines that are its children, so that no card of theirs is on its way when the vault closes. Lines that systemd keeps go on, and keep a card
// until they find a box again, or its time is over.
func (d *Daemon) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.note(ctx, "flattoned", "daemon.started", "audit log", "ok", "daemon"); err != nil {
		return err
	}
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var services, processes sync.WaitGroup
	start := func(wg *sync.WaitGroup, ctx context.Context, name string, run func(context.Context) error) {
		wg.Go(func() {
			if err := run(ctx); err != nil {
				stop(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	start(&services, serving, "upstream", d.outbox.Run)
	start(&services, running, "vault", func(ctx context.Context) error { return d.vault.Run(ctx, d.purged) })
	start(&services, running, "exports", d.exports.Run)
	for _, g := range d.gateways {
		start(&services, serving, "gateway", g.Run)
	}
	start(&services, serving, "payments", d.payments.Run)
	start(&services, running, "payments", d.abandonPayments)
	for _, s := range d.clients {
		start(&services, running, "clients", s.Run)
	}
	start(&services, running, "payments", d.endForlorn)
	start(&services, running, "states", d.tellStates)
	// With running and not serving: what ends because the box stops is no trouble.
	if d.syslog != nil {
		start(&services, running, "syslog", d.syslog.Run)
	}
	if d.scrapes != nil {
		start(&services, serving, "metrics", func(ctx context.Context) error { return d.metrics.Run(ctx, d.scrapes, d.log) })
	}
	start(&services, serving, "metrics", d.countCaptures)
	witness := d.checkpoints()
	start(&services, running, "audit", witness.Run)
	start(&services, running, "health", d.watchVitals)
	start(&services, running, "health", d.logConditions)
	start(&services, running, "health", d.auditConditions)
	start(&services, running, "health", d.warnLines)
	start(&services, serving, "guard", d.guard.Run) // until the last line has ended
	if d.pauser != nil {
		start(&services, serving, "recorder", d.pauser.Run)
	}
	start(&services, serving, "bonds", d.noteBonds)
	start(&services, running, "review", d.review)
	start(&services, running, "clock", d.watchClock)
	start(&services, running, "swap", d.watchSwap)
	start(&services, running, "bus", d.showAppliance)
	start(&services, serving, "line socket", func(ctx context.Context) error { return d.accept(ctx, running) })
	start(&services, serving, "admin socket", d.admin.Run)
	start(&processes, running, "lines", d.lines.Run)
	start(&services, running, "watchdog", func(ctx context.Context) error { return host.KeepAlive(ctx, d.log, "keeps the lines", d.works) })
	d.log.Info("flattoned runs", "version", Version, "state", d.cfg.StateDir, "lines", len(d.board.names()))

	<-running.Done()
	if err := host.Stopping(); err != nil {
		d.log.Warn("systemd doesn't hear that the box stops", "error", err)
	}
	processes.Wait()
	stopServing()
	services.Wait()
	result := "ok"
	if ctx.Err() == nil {
		err = context.Cause(running)
		result = err.Error()
	}
	ended := context.WithoutCancel(ctx)
	err = errors.Join(err, d.note(ended, "flattoned", "daemon.stopped", "audit log", result, "daemon"))
	witness.Tell(ended) // the log's last word until the next start
	return err
}

// accept takes the lines' connections until ctx ends or the socket is lost, and ends them then. Once running has
// ended it is no news that they end.
func (d *Daemon) accept(ctx, running context.Context) error {
	var conns sync.WaitGroup
	defer conns.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { d.lineSock.Close() })()
	for {
		c, err := d.lineSock.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		conns.Go(func() {
			defer c.Close()
			if err := d.board.attach(ctx, c.Hello(), c); err != nil && running.Err() == nil {
				d.log.Warn("a line's connection ended", "error", err)
			}
		})
	}
}

// note writes one entry of the audit log by itself.
func (d *Daemon) note(ctx context.Context, actor, action, object, result, origin string) error {
	return d.append(ctx, audit.Event{Actor: actor, Action: action, Object: object, Result: result, Origin: origin, Time: time.Now()})
}

func (d *Daemon) append(ctx context.Context, e audit.Event) error {
	err := d.store.Write(ctx, func(tx *store.Tx) error { return d.audit.Append(tx, e) })
	switch {
	case err == nil:
		d.health.Clear(health.AuditFailed, "")
	case ctx.Err() == nil: // or whoever asked has gone away
		d.health.Set(health.AuditFailed, "", err.Error())
	}
	return err
}

// close gives back, last opened first, what New got.
func (d *Daemon) close() error {
	var errs []error
	if d.bus != nil {
		errs = append(errs, d.bus.Close())
	}
	if d.admin != nil {
		errs = append(errs, d.admin.Close())
	}
	if d.scrapes != nil {
		if err := d.scrapes.Close(); !errors.Is(err, net.ErrClosed) { // whoever answered there closed it
			errs = append(errs, err)
		}
	}
	if d.lineSock != nil {
		if err := d.lineSock.Close(); !errors.Is(err, net.ErrClosed) { // accept closes it too
			errs = append(errs, err)
		}
	}
	if d.custody != nil {
		d.custody.Close()
	}
	if d.vault != nil {
		errs = append(errs, d.vault.Close())
	}
	if d.outbox != nil {
		errs = append(errs, d.outbox.Close())
	}
	if d.store != nil {
		errs = append(errs, d.store.Close())
	}
	return errors.Join(errs...)
}
