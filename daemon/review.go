package daemon

import (
	"context"
	"log/slog"
	"time"
)

// reviewEvery is how often it is looked whether a day is over.
const reviewEvery = time.Hour

// review has the audit log rolled up each day (PCI DSS 10.4.1.1), and told: what somebody should look at as a warning.
func (d *Daemon) review(ctx context.Context) error {
	tick := time.NewTicker(reviewEvery)
	defer tick.Stop()
	for {
		r, due, err := d.audit.RollUp(ctx, time.Now())
		switch {
		case ctx.Err() != nil:
		case err != nil:
			d.log.Error("the audit log could not be rolled up, which is tried again in an hour", "error", err)
		case due:
			level := slog.LevelInfo
			if len(r.Look) > 0 {
				level = slog.LevelWarn
			}
			d.log.Log(ctx, level, "the audit log since the last roll-up: "+r.Text(), "first", r.From, "last", r.To-1)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
