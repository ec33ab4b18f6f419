package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/user"
	"strconv"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/host"
	"github.com/flattone/flattone/daemon/lines"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/wire"
)

// keeper keeps the lines' processes, and has one of them answer questions about devices.
type keeper interface {
	// Run keeps them until ctx ends. Whether they end then, too, is its own affair.
	Run(ctx context.Context) error
	// Keep has these lines kept from now on, and no others.
	Keep(names []string)
	Restart(name string)
	Ask(context.Context, wire.Question) (wire.Found, error)
}

// newKeeper has systemd keep the lines where it runs flattoned, and flattoned itself elsewhere.
func (d *Daemon) newKeeper(bin string) (keeper, error) {
	deps := lines.Deps{Log: d.log, OnExit: d.board.exited, OnStop: d.board.stopped, OnTrouble: d.systemdTrouble}
	if host.Supervised() {
		return lines.NewUnits(d.board.names(), d.cfg.ProbeSocket(), deps), nil
	}
	return lines.NewChildren(lines.Config{Bin: bin, Names: d.board.names(), Ask: []string{"--config", d.configPath, "--answer"},
		Args: func(name string) []string { return []string{"--config", d.configPath, "--line", name} }}, deps)
}

// systemdTrouble notes whether systemd can be had to keep a line, or any.
func (d *Daemon) systemdTrouble(line string, err error) {
	code := health.LinesUnkept
	if line != "" {
		code = health.UnitRefused
	}
	if err != nil {
		d.health.Set(code, line, err.Error())
	} else {
		d.health.Clear(code, line)
	}
}

// lineUser is whose processes lines are on a box that was installed.
const lineUser = "flattone-line"

// lineUsers are the users whose lines are let in besides flattoned's own.
func lineUsers() ([]uint32, error) {
	u, err := user.Lookup(lineUser)
	if unknown := user.UnknownUserError(""); errors.As(err, &unknown) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for the lines' user: %w", err)
	}
	id, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("look for the lines' user: %w", err)
	}
	return []uint32{uint32(id)}, nil
}

// adminSocket is the one that systemd hands over, nil where it hands over none.
func adminSocket(cfg *config.Config) (*net.UnixListener, error) {
	l, err := host.Listener("admin")
	if err != nil || l == nil {
		return nil, err
	}
	if err := agree(l, cfg); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// agree reports a socket at which no tool would look for the box.
func agree(l *net.UnixListener, cfg *config.Config) error {
	if at := l.Addr().String(); at != cfg.AdminSocket() {
		return fmt.Errorf("systemd listens at %s and tools look for the box at %s: have ListenStream= of flattoned.socket and runtime_dir in the config agree", at, cfg.AdminSocket())
	}
	return nil
}

// works is a round trip through what flattoned is for: the lines' switchboard, and the store's reader and its writer, who commits a transaction with nothing in
// it. A disk that is full hinders none of that; nor is another process a cure for a database that is away, or damaged: that would not even start, and nobody could ask what is
// wrong.
func (d *Daemon) works(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { // what hangs is left hanging
		d.board.views()
		nothing := func(*store.Tx) error { return nil }
		err := errors.Join(d.store.Read(ctx, nothing), d.store.Write(ctx, nothing))
		for _, incurable := range []error{store.ErrAway, store.ErrCorrupt, store.ErrDisk, store.ErrFull, store.ErrReadOnly} {
			if errors.Is(err, incurable) {
				err = nil
			}
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return errors.New("the store or the lines' switchboard has not answered in time")
	}
}
