package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// moment is the longest that an answer waits for others to be written down with it: each turn is a flush of the disk.
const moment = 10 * time.Millisecond

// dispatcher delivers to one destination.
type dispatcher struct {
	o        *Outbox
	to       Destination
	state    atomic.Int32
	attempts atomic.Int64
	failures atomic.Int64
	wake     chan struct{} // a committed event, or a technician; holds one

	// What follows is run's own.
	away    map[int64]bool // on their way, by seq
	failing []string       // the keys that failed since something was delivered, up to doubtful
	pause   int            // how often in a row the destination failed as a whole
	until   time.Time      // when it is tried next, after that
}

// Run delivers, and takes out of the outbox what has been over for [Kept], until ctx is done; then it returns nil. Attempts under way are broken off and made again at
// the next start. It returns an error if the store is closed under it; one that fails is tried again for ever.
func (o *Outbox) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(o.to))
	var all sync.WaitGroup
	for i, d := range o.to {
		all.Go(func() {
			if errs[i] = d.run(ctx); errs[i] != nil {
				cancel()
			}
		})
	}
	all.Go(func() { o.sweep(ctx) })
	<-ctx.Done()
	all.Wait()
	return errors.Join(errs...)
}

// Close closes the senders, once Run has ended.
func (o *Outbox) Close() error {
	var errs []error
	for _, d := range o.to {
		errs = append(errs, d.to.Sender.Close())
	}
	return errors.Join(errs...)
}

// bears waits a while after the store has failed; false if it is closed, and there is nothing to wait for.
func (d *dispatcher) bears(ctx context.Context, err error) bool {
	if errors.Is(err, store.ErrClosed) {
		return false
	}
	if ctx.Err() == nil {
		d.o.log.Error("outbox can't be written; nothing is lost, events wait", "destination", d.to.Name, "error", err)
		wait(ctx, time.Now().Add(max(d.to.BackOff, time.Second)), nil, nil) // however eager: each turn is a line in the log
	}
	return true
}

// run is [Outbox.Run] for one destination.
//
//	           +-- nothing to do: wait for an event, the clock, or an answer and its like ----+
//	           v                                                                              |
//	reclaim -> turn: settle what came back, claim what there is room for -> send, each by itself
//	                                                             |
//	                                                             +--> gone: disabled until it is resumed
func (d *dispatcher) run(ctx context.Context) error {
	d.away = map[int64]bool{}
	for err := d.reclaim(ctx, time.Now()); err != nil && ctx.Err() == nil; err = d.reclaim(ctx, time.Now()) {
		if !d.bears(ctx, err) {
			return err
		}
	}
	var sending sync.WaitGroup
	answers := make(chan attempt, d.to.AtOnce) // so that nobody who sends ever waits
	var back []attempt
	for ctx.Err() == nil {
		now := time.Now()
		told, taken, next, err := d.turn(ctx, back, d.room(now), now)
		switch {
		case err == nil:
			back = nil
		case !d.bears(ctx, err):
			return err
		default:
			continue
		}
		d.note(ctx, told)
		for _, c := range taken {
			d.away[c.seq] = true
			sending.Go(func() { d.send(ctx, c, answers) })
		}
		if len(d.away) == 0 && now.Before(d.until) && d.doubts() {
			next = d.until
		}
		if next.IsZero() { // what a box on the same store left as it died, nobody rings for
			next = now.Add(d.to.MaxWait)
		}
		if a, came := wait(ctx, next, d.wake, answers); came {
			back = d.gather(ctx, append(back, a), answers)
		}
		back = append(back, drain(answers)...)
		for _, a := range back {
			d.learn(a)
		}
	}
	sending.Wait()
	return d.last(append(back, drain(answers)...))
}

// last writes down the answers that came before the end, so that nobody is told again who knows.
func (d *dispatcher) last(back []attempt) error {
	if len(back) == 0 {
		return nil
	}
	told, _, _, err := d.turn(context.Background(), back, 0, time.Now())
	d.note(context.Background(), told)
	return err
}

// wait returns at a time (never, if zero), when woken, with an answer, or when ctx is done.
func wait(ctx context.Context, until time.Time, wake <-chan struct{}, answers <-chan attempt) (a attempt, came bool) {
	var alarm <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		alarm = t.C
	}
	select {
	case a = <-answers:
		return a, true
	case <-alarm:
	case <-wake:
	case <-ctx.Done():
	}
	return a, false
}

// gather waits a moment for half of what is on its way. Where that is one event or two, nothing waits.
func (d *dispatcher) gather(ctx context.Context, back []attempt, answers <-chan attempt) []attempt {
	up := time.NewTimer(moment)
	defer up.Stop()
	for len(back) < len(d.away)/2 {
		select {
		case a := <-answers:
			back = append(back, a)
			continue
		case <-up.C:
		case <-ctx.Done():
		}
		return back
	}
	return back
}

// drain takes the answers that are there.
func drain(answers <-chan attempt) (all []attempt) {
	for range len(answers) {
		all = append(all, <-answers)
	}
	return all
}

// send makes one attempt. One that ctx broke off stays leased.
func (d *dispatcher) send(ctx context.Context, c claimed, answers chan<- attempt) {
	bounded, cancel := context.WithTimeout(ctx, d.to.Timeout)
	defer cancel()
	r := d.to.Sender.Send(bounded, c.Envelope)
	if r.Outcome != Delivered && bounded.Err() != nil {
		r = Result{Outcome: Later, Reason: fmt.Sprintf("no answer within %g s", d.to.Timeout.Seconds())}
	}
	if ctx.Err() == nil || r.Outcome == Delivered {
		answers <- attempt{c, r, time.Now()}
	}
}

// note has the log and whoever listens know what became of attempts.
func (d *dispatcher) note(ctx context.Context, all []Delivery) {
	for _, t := range all {
		level := slog.LevelInfo
		d.attempts.Add(1)
		if !t.Delivered {
			d.failures.Add(1)
			level = slog.LevelWarn
		}
		d.o.log.Log(ctx, level, "delivery attempt", "destination", t.To, "event", t.EventID, "type", t.Type, "delivered", t.Delivered, "dead", t.Dead,
			"status", t.Status, "tries", t.Tries, "reason", t.Reason, "next", t.Next)
		d.o.tell(t)
	}
}
