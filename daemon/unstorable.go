package daemon

import (
	"context"
	"slices"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/wire"
)

// unstorable are the conditions in which no card can be kept.
var unstorable = []health.Code{health.StoreFailed, health.StoreAway, health.StoreDamaged}

// codeNotStored is the line's code for a capture that is void because its card can't be kept.
const codeNotStored = "not_stored"

// warnLines has every line on which a card is being taken know, until ctx ends, that it can't be kept as things are. What ends by itself, such as a full disk, may
// have ended by the time the card is complete. Damage doesn't: what is being keyed is void at once, lest the caller key all of it in vain.
func (d *Daemon) warnLines(ctx context.Context) error {
	for c := range d.health.Subscribe().All(ctx) {
		if !c.Raised || !slices.Contains(unstorable, c.Code) {
			continue
		}
		for _, l := range d.board.views() {
			if l.State != control.StateArmed && l.State != control.StateKeying {
				continue
			}
			d.feed.Publish(control.Event{Kind: control.KindWarning, Line: l.Name, Capture: l.Capture, Code: reasonStore})
			if c.Code == health.StoreDamaged {
				d.giveUp(ctx, l.Name)
			}
		}
	}
	return nil
}

// giveUp voids a line's capture. A card that is complete isn't given up so, but by the answer to it: see seal.
func (d *Daemon) giveUp(ctx context.Context, line string) {
	ctx, cancel := context.WithTimeout(ctx, endTime)
	defer cancel()
	err := d.board.command(ctx, line, func(id uint64) wire.Message { return wire.Cancel{ID: id, Reason: codeNotStored} })
	d.log.Warn("a capture was given up, because its card could not be kept", "line", line, "error", err) // the audit log can't be written either
}
