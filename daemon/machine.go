package daemon

import (
	"context"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/host"
	"github.com/flattone/flattone/daemon/wire"
)

// guardian makes what guards the lines' captures.
func (d *Daemon) guardian() *guard {
	return newGuard(nil, guardDeps{log: d.log, health: d.health, feed: d.feed, lines: d.board.views,
		void: func(ctx context.Context, line, stopping string) {
			// That it is refused, because the card is complete, is in the audit log too.
			_ = d.backend.command(ctx, machine(stopping), "line.voided", line, func(id uint64) wire.Message { return wire.Cancel{ID: id, Reason: codeShutdown} })
		},
		drop: func(ctx context.Context, line, capture, stopping string) {
			err := d.board.tell(line, wire.NotStored{Capture: capture, Reason: reasonStopping, Final: true})
			d.backend.noteDone(ctx, machine(stopping), "line.dropped", line, err)
		},
		note: func(ctx context.Context, action, stopping string) {
			by := machine(stopping)
			if err := d.note(ctx, by.name, action, "box", "ok", by.origin); err != nil {
				d.log.Error("what the machine is about to do could not be noted in the audit log", "action", action, "error", err)
			}
		}})
}

// machine is who asks because the machine is about to stop or to sleep.
func machine(stopping string) asker { return asker{"flattoned", "logind: " + stopping} }

// onBus has the box go by what is told on the system bus, and show itself there, once it runs.
func (d *Daemon) onBus(bus *host.Bus) {
	d.bus = bus
	d.guard.login = host.NewLogin(bus)
}

// watchClock and showAppliance are what else there is on the bus; without one they end at once.
func (d *Daemon) watchClock(ctx context.Context) error {
	if d.bus == nil {
		return nil
	}
	return (&clock{keeper: host.NewClock(d.bus), health: d.health, is: d.audit.ClockIs, note: func(ctx context.Context, result string) {
		if err := d.note(ctx, "flattoned", "clock.checked", "clock", result, "timedated"); err != nil && ctx.Err() == nil {
			d.log.Error("how the clock is could not be noted in the audit log", "error", err)
		}
	}}).Run(ctx)
}

func (d *Daemon) showAppliance(ctx context.Context) error {
	if d.bus == nil {
		return nil
	}
	return show(ctx, host.NewAppliance(d.bus), d.health, func(ctx context.Context) (control.Status, []control.Line, error) {
		s, err := d.backend.Status(ctx)
		return s, d.board.views(), err
	})
}
