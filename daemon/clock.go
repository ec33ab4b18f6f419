package daemon

import (
	"context"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/health"
)

// timekeeper knows how the machine's clock is: [host.Clock].
type timekeeper interface {
	Synchronised(context.Context) (bool, error)
	Changed(context.Context) (<-chan struct{}, error)
}

// How often it is asked: each time a service is started for it, and the journal says so. A clock that is synchronised stays right for a while; one that
// isn't is, mostly, within a minute of the machine's start.
const (
	clockRight = 10 * time.Minute
	clockWrong = time.Minute
)

// clock looks whether the machine's clock is synchronised, by which the audit log's times are right (PCI DSS 10.6). A clock of which nobody knows counts
// as one that isn't.
//
//	──first answer, noted──▶ synchronised ◀──asked, or something was set──▶ not: the condition stands, and is in the audit log
type clock struct {
	keeper timekeeper
	health *health.Board
	// is tells the audit log each answer, for its entries to say.
	is func(audit.Clock)
	// note is told the first answer, for the audit log; health's entries there tell the others.
	note func(ctx context.Context, result string)
}

// Run looks until ctx ends.
func (c *clock) Run(ctx context.Context) error {
	var changed <-chan struct{}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for first := true; ; first = false {
		select {
		case <-ctx.Done():
			return nil
		case _, more := <-changed:
			if !more { // the bus was lost, and may be lost again at once
				changed = nil
				timer.Reset(clockWrong)
				continue
			}
		case <-timer.C:
			if changed == nil {
				changed, _ = c.keeper.Changed(ctx) // the question that follows fails for the same reason
			}
		}
		result, next := c.look(ctx)
		if first {
			c.note(ctx, result)
		}
		timer.Reset(next)
	}
}

// look asks once, and answers with what is to be said, and when to ask again.
func (c *clock) look(ctx context.Context) (result string, next time.Duration) {
	switch synchronised, err := c.keeper.Synchronised(ctx); {
	case ctx.Err() != nil:
		return "not asked", 0
	case err != nil:
		c.is(audit.UnknownClock)
		c.health.Set(health.ClockUnsynced, "", "nobody knows whether it is: "+err.Error())
		return "unknown", clockWrong
	case !synchronised:
		c.is(audit.Unsynchronised)
		c.health.Set(health.ClockUnsynced, "", "")
		return "not synchronised", clockWrong
	}
	c.is(audit.Synchronised)
	c.health.Clear(health.ClockUnsynced, "")
	return "ok", clockRight
}
