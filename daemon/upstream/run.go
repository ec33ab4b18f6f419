package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// Run delivers until ctx is done, then returns nil. An attempt under way is broken off and made again at
// the next start. It returns an error if the store fails as it begins, or is closed under it; a store that fails
// later is tried again for ever.
//
//	            +---------------------- none due: wait for one, or the clock ------+
//	            v                                                                  |
//	reclaim -> claim (lease, tries+1) -> post -> settle: delivered | due later ----+
//	                                       |
//	                                       +--> 410 Gone: disabled, wait for the end
func (o *Outbox) Run(ctx context.Context) error {
	defer o.client.CloseIdleConnections()
	if err := o.reclaim(ctx, time.Now()); err != nil && ctx.Err() == nil {
		return fmt.Errorf("upstream: take over from the last run: %w", err)
	}
	for ctx.Err() == nil && o.State() != Disabled {
		c, next, err := o.claim(ctx, time.Now())
		if c != nil {
			err = o.deliver(ctx, c)
			next = time.Now()
		}
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, store.ErrClosed):
			return err
		case err != nil:
			o.log.Error("outbox can't be written; nothing is lost, events wait", "error", err)
			o.sleep(ctx, time.Now().Add(max(o.cfg.BackOff, time.Second)), nil) // however eager: each turn is a line in the log
		default:
			o.sleep(ctx, next, o.wake)
		}
	}
	<-ctx.Done()
	return nil
}

// sleep returns at a time (never, if zero), when woken, or when ctx is done.
func (o *Outbox) sleep(ctx context.Context, until time.Time, wake <-chan struct{}) {
	var alarm <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		alarm = t.C
	}
	select {
	case <-alarm:
	case <-wake:
	case <-ctx.Done():
	}
}

// deliver makes one attempt and settles it. An attempt that ctx broke off stays leased.
func (o *Outbox) deliver(ctx context.Context, c *claimed) error {
	status, after, err := o.post(ctx, c)
	if ctx.Err() != nil {
		return nil
	}
	now := time.Now()
	d := Delivery{EventID: c.id, Type: c.kind, Key: c.key, Tries: c.tries, Status: status}
	state := Failing
	switch {
	case err != nil:
		d.Reason = o.reason(err)
	case status >= 200 && status <= 299:
		d.Delivered, state = true, Ready
	case status == http.StatusGone:
		d.Reason, state = "the receiver says it is gone (410): nothing more is sent until the daemon starts again", Disabled
	case status >= 300 && status <= 399:
		d.Reason = fmt.Sprintf("the receiver answered %d: redirects are never followed, put the final address into the config", status)
	default:
		d.Reason = fmt.Sprintf("the receiver answered %d", status)
	}
	if state == Failing {
		d.Next = now.Add(max(o.wait(c.tries), after))
	}
	if err := o.settle(context.WithoutCancel(ctx), c, d, now); err != nil {
		return fmt.Errorf("upstream: write down a delivery: %w", err)
	}
	o.state.Store(int32(state))
	level := slog.LevelInfo
	if !d.Delivered {
		level = slog.LevelWarn
	}
	o.log.Log(ctx, level, "webhook attempt", "event", d.EventID, "type", d.Type, "delivered", d.Delivered,
		"status", d.Status, "tries", d.Tries, "reason", d.Reason, "next", d.Next)
	o.tell(d)
	return nil
}

// wait is the time before the attempt that follows the n-th: full jitter under a doubling bound.
func (o *Outbox) wait(n int) time.Duration {
	bound := o.cfg.BackOff
	for range n - 1 {
		if bound >= o.cfg.MaxWait/2 {
			bound = o.cfg.MaxWait
			break
		}
		bound *= 2
	}
	return o.jitter(bound)
}
