// Package desk is flattone-desk: the TLS server that agents' browsers and the owner's systems reach, and what it serves them.
//
// It exists so that nothing on the office's network ever connects to the process that holds keys. It is a client of flattoned, with a role that may little; it
// has no key of cards, no store and no digit, and so none to lose. What must last is flattoned's.
//
// It promises that whoever isn't signed in gets no further than signing in, that a page of another site can neither command nor frame it (unless the
// configuration names that site), that a slow or a large request costs it little, and that flattoned's absence is told as such. It logs nothing that people type.
package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/desk/api"
	"github.com/flattone/flattone/daemon/desk/board"
	"github.com/flattone/flattone/daemon/desk/panel"
	"github.com/flattone/flattone/daemon/desk/signin"
	"github.com/flattone/flattone/daemon/host"
)

// grace is how long requests may still take once the desk is told to stop.
const grace = 5 * time.Second

// Desk is one flattone-desk. New builds it whole or not at all; Run runs it once.
//
//	browser ──TLS──▶ limits ─▶ guard ─▶ signin ─▶ panel ─┐
//	CRM     ──TLS──▶                 └───────────▶ api ──┴─▶ box ──admin.sock──▶ flattoned
type Desk struct {
	cfg    *config.Desk
	log    *slog.Logger
	box    *control.Client
	signin *signin.SignIn
	board  *board.Board
	panel  *panel.Panel
	api    *api.API
	pair   *certificate
	listen net.Listener
	server *http.Server
}

// Deps are what a Desk works with.
type Deps struct {
	Log *slog.Logger
}

// New opens everything that can fail to open: certificate and port. flattoned need not answer yet.
func New(cfg *config.Desk, deps Deps) (*Desk, error) {
	d := &Desk{cfg: cfg, log: deps.Log, box: control.At(cfg.AdminSocket)}
	var err error
	if d.pair, err = newCertificate(cfg, deps.Log); err != nil {
		return nil, err
	}
	d.board = board.New(board.Deps{Box: d.box, Log: deps.Log, Payment: func(ctx context.Context, agent, id string) (control.Payment, error) {
		return d.box.For(agent).Payment(ctx, id)
	}})
	if d.panel, err = panel.New(cfg, panel.Deps{Board: d.board, Log: deps.Log, As: func(agent string) panel.Box { return d.box.For(agent) }}); err != nil {
		return nil, err
	}
	if d.signin, err = signin.New(cfg, signin.Deps{Log: deps.Log, Box: d.box, Stylesheet: d.panel.Stylesheet()}); err != nil {
		return nil, err
	}
	if d.api, err = d.newAPI(); err != nil {
		return nil, err
	}
	handler, err := d.handler()
	if err != nil {
		return nil, err
	}
	if d.server, err = d.newServer(handler); err != nil {
		return nil, err
	}
	if d.listen, err = listen(cfg.Listen); err != nil {
		return nil, err
	}
	return d, nil
}

// Addr is where the desk listens.
func (d *Desk) Addr() net.Addr { return d.listen.Addr() }

// Run serves until ctx ends.
func (d *Desk) Run(ctx context.Context) error {
	defer d.box.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	d.server.BaseContext = func(net.Listener) context.Context { return ctx } // streams end when the desk does
	served := make(chan error, 1)
	go func() { served <- d.server.ServeTLS(d.listen, "", "") }()
	var beside sync.WaitGroup
	beside.Go(func() { d.board.Run(ctx) })
	beside.Go(func() { d.panel.Run(ctx) })
	beside.Go(func() { d.api.Run(ctx) })
	defer beside.Wait()
	alive := make(chan error, 1)
	go func() { alive <- host.KeepAlive(ctx, d.log, "agents may sign in", d.works) }()
	d.log.Info("the desk is open", "address", d.listen.Addr().String(), "origin", d.cfg.Origin)

	var failed error
	select {
	case <-ctx.Done():
	case failed = <-served:
		failed = fmt.Errorf("serve agents: %w", failed)
	}
	stop()
	failed = errors.Join(failed, host.Stopping(), <-alive)
	d.signin.Close()
	last, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := d.server.Shutdown(last); err != nil {
		d.log.Warn("requests were cut off, because the desk was told to stop", "error", err)
		d.server.Close()
	}
	return failed
}
