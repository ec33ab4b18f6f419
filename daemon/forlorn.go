package daemon

import (
	"context"
	"time"

	"github.com/flattone/flattone/daemon/control"
)

const (
	// forlornAfter is how long the line of a payment may be away, or say of nothing that it is armed for it: one that outlives flattoned is back within seconds, and
	// hands its card over again.
	forlornAfter = 20 * time.Second
	forlornEvery = 5 * time.Second
)

// endForlorn ends payments whose capture is gone without a word, until ctx ends: the line's process was killed, with it or without flattoned, or the feed was too slow.
func (d *Daemon) endForlorn(ctx context.Context) error {
	missed := map[string]time.Time{} // by capture: since when no line has it
	tick := time.NewTicker(forlornEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			missed = d.lookForlorn(ctx, missed, now)
		}
	}
}

// lookForlorn looks once, and answers with what is missed by then.
func (d *Daemon) lookForlorn(ctx context.Context, missed map[string]time.Time, now time.Time) map[string]time.Time {
	captures, err := d.payments.Wanted(ctx)
	if err != nil { // the store's own condition says it
		return missed
	}
	armed := map[string]bool{}
	for _, l := range d.board.views() {
		if l.State == control.StateArmed || l.State == control.StateKeying {
			armed[l.Capture] = true
		}
	}
	still := map[string]time.Time{}
	for _, capture := range captures {
		since, before := missed[capture]
		switch {
		case armed[capture]:
			continue
		case !before:
			since = now
		case now.Sub(since) >= forlornAfter:
			if err := d.payments.Abandon(ctx, capture); err != nil && ctx.Err() == nil {
				d.log.Error("the payment of a capture that is gone could not be ended; it is tried again", "capture", capture, "error", err)
			}
		}
		still[capture] = since
	}
	return still
}
