package daemon

import (
	"context"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/host"
)

// act does what is to be done as things stand.
func (g *guard) act(ctx context.Context) {
	g.mu.Lock()
	stopping, busy := g.stopping, g.arming > 0
	g.mu.Unlock()
	for _, l := range g.lines() {
		if l.State != control.StateArmed && l.State != control.StateKeying {
			continue
		}
		busy = true
		if stopping != "" {
			g.end(ctx, l, stopping)
		}
	}
	switch {
	case !busy:
		g.release()
	case stopping == "":
		g.lock(ctx)
	case g.late == timeUp && g.locks != nil:
		g.log.Error("the machine goes down while a card is being taken: the time that logind waits is up", "for", stopping, "within", g.within)
		g.release()
	}
}

// end has a line's capture end, as far as that is due.
func (g *guard) end(ctx context.Context, l control.Line, stopping string) {
	var tell func(context.Context)
	switch told := g.told[l.Capture]; {
	case told < voided:
		g.told[l.Capture] = voided
		tell = func(ctx context.Context) { g.void(ctx, l.Name, stopping) }
	case told < dropped && g.late >= tooLate:
		g.told[l.Capture] = dropped
		tell = func(ctx context.Context) { g.drop(ctx, l.Name, l.Capture, stopping) }
	default:
		return
	}
	g.beside.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, endTime)
		defer cancel()
		tell(ctx)
	})
}

// lock has the machine wait with both, which logind grants one by one.
func (g *guard) lock(ctx context.Context) {
	both := []string{host.Shutdown, host.Sleep}
	for _, what := range both[len(g.locks):] {
		l, err := g.login.Inhibit(ctx, what, "a card is being taken")
		g.denied = err
		if err != nil {
			break
		}
		g.locks = append(g.locks, l)
	}
	g.say()
}

// release lets the machine go.
func (g *guard) release() {
	for _, l := range g.locks {
		if err := l.Close(); err != nil {
			g.log.Error("a lock that makes the machine wait can't be given back", "error", err)
		}
	}
	g.locks = nil
}
