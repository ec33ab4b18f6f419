package lines

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/host"
)

// The template of the lines' units.
const (
	unitBefore = "flattone-line@"
	unitAfter  = ".service"
)

func unitOf(line string) string { return unitBefore + line + unitAfter }

func lineOf(unit string) string {
	return strings.TrimSuffix(strings.TrimPrefix(unit, unitBefore), unitAfter)
}

const (
	// lookEvery is how often systemd is asked even if it tells of no change.
	lookEvery = 5 * time.Second
	// settle is what is waited for after a change: one rarely comes alone.
	settle = 50 * time.Millisecond
)

// systemd is what units are kept through.
type systemd interface {
	List(ctx context.Context, pattern string) ([]host.Unit, error)
	Start(ctx context.Context, unit string) error
	Stop(ctx context.Context, unit string) error
	Restart(ctx context.Context, unit string) error
	Changed() <-chan struct{}
	Close()
}

// Units keeps the lines as units of systemd, which starts a process again by itself. Run has those started that don't run, leaves those alone that do, and has
// those stopped that are no lines of the config any more. When it ends they go on. Each line is
//
//	unseen ──runs: adopted─────────▶ running ──NRestarts grows: OnExit──▶ running
//	   │ doesn't: Start ───────────────▲  │ failed for good: OnExit, Start, at most every 10 s
//	                                   │  ▼
//	 [Units.Restart], or systemctl ────┴─ stopped by somebody: OnStop, left alone
//
// Whatever systemd can't be had to do is told, and tried again.
type Units struct {
	asker
	deps Deps
	open func(context.Context) (systemd, error)

	mu    sync.Mutex
	names []string
	again []string      // lines to be restarted
	asked chan struct{} // something of these is new; room for one

	// What Run knows; nobody else touches it.
	lines    map[string]*watched
	troubled map[string]bool // lines of which trouble was told; "" for all
}

// watched is a line's unit as it was seen last.
type watched struct {
	seen     bool // running, or asked to
	stopped  bool // by somebody, which was told
	restarts int  // systemd's count
	times    int  // ours
	started  time.Time
}

// NewUnits makes Units of the lines named. Questions go to the socket.
func NewUnits(names []string, probeSocket string, deps Deps) *Units {
	return &Units{
		asker: newAsker(askSocket(probeSocket)), deps: deps, names: names, asked: make(chan struct{}, 1),
		open:  func(ctx context.Context) (systemd, error) { return host.OpenUnits(ctx) },
		lines: map[string]*watched{}, troubled: map[string]bool{},
	}
}

// Keep has these lines kept from now on, and no others: those that are kept already are left alone. It waits for nothing.
func (u *Units) Keep(names []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.names = names
	u.wake()
}

// Restart has a line's unit stopped and started, or started if somebody has stopped it. A line that isn't kept is none. It waits for nothing.
func (u *Units) Restart(name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !slices.Contains(u.again, name) {
		u.again = append(u.again, name)
	}
	u.wake()
}

func (u *Units) wake() {
	select {
	case u.asked <- struct{}{}:
	default: // it is about to look
	}
}

// Run keeps the lines until ctx ends, and leaves them as they are then. It is called once.
func (u *Units) Run(ctx context.Context) error {
	wait := firstWait
	for ctx.Err() == nil {
		looked, err := u.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		u.trouble("", err)
		if looked {
			wait = firstWait
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, longestWait)
	}
	return nil
}

// follow looks at the units whenever one changes, until ctx ends or systemd can't be asked; and says whether it could once.
func (u *Units) follow(ctx context.Context) (looked bool, err error) {
	bus, err := u.open(ctx)
	if err != nil {
		return false, err
	}
	defer bus.Close()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := u.look(ctx, bus); err != nil {
			return looked, err
		}
		looked = true
		u.trouble("", nil)
		select {
		case <-ctx.Done():
			return true, nil
		case <-bus.Changed():
			time.Sleep(settle)
		case <-u.asked:
		case <-tick.C:
		}
	}
}

// look has done what there is to do.
func (u *Units) look(ctx context.Context, bus systemd) error {
	units, err := bus.List(ctx, unitOf("*"))
	if err != nil {
		return err
	}
	u.mu.Lock()
	names, again := u.names, u.again
	u.again = nil
	u.mu.Unlock()
	for _, unit := range units {
		if name := lineOf(unit.Name); !slices.Contains(names, name) && runs(unit) && unit.Job == "" {
			u.deps.Log.Info("a line that is not in the config is stopped", "line", name)
			u.trouble(name, bus.Stop(ctx, unit.Name))
		}
	}
	maps.DeleteFunc(u.lines, func(name string, _ *watched) bool { return !slices.Contains(names, name) })
	for _, name := range names {
		if u.lines[name] == nil {
			u.lines[name] = &watched{}
		}
		if slices.Contains(again, name) {
			u.restart(ctx, bus, name)
			continue
		}
		unit := host.Unit{Name: unitOf(name), State: inactive}
		if at := slices.IndexFunc(units, func(h host.Unit) bool { return h.Name == unit.Name }); at >= 0 {
			unit = units[at]
		}
		u.line(ctx, bus, name, unit)
	}
	return nil
}

// States of a unit (systemd's ActiveState) that mean something here.
const (
	active       = "active"
	activating   = "activating" // or about to be started again
	reloading    = "reloading"
	deactivating = "deactivating"
	inactive     = "inactive"
	failed       = "failed" // and systemd won't try again
)

func runs(unit host.Unit) bool {
	return slices.Contains([]string{active, activating, reloading}, unit.State)
}

// line does for a line what there is to do.
func (u *Units) line(ctx context.Context, bus systemd, name string, unit host.Unit) {
	w := u.lines[name]
	log := u.deps.Log.With("line", name)
	switch {
	case runs(unit):
		if !w.seen {
			log.Info("the line's unit runs already", "unit", unit.Name, "restarts", unit.Restarts)
			w.restarts = unit.Restarts
		}
		if more := unit.Restarts - w.restarts; more > 0 {
			log.Error("the line's process ended, and systemd has started it again", "unit", unit.Name, "times", more)
			u.exited(name, more)
		}
		w.seen, w.stopped, w.restarts = true, false, unit.Restarts
		u.trouble(name, nil)
	case unit.Job != "" || unit.State == deactivating: // somebody sees to it
	case time.Since(w.started) < longestWait && (!w.seen || unit.State == failed): // it was tried just now
	case !w.seen:
		u.start(ctx, bus, name, unit.Name)
	case unit.State == failed:
		log.Error("systemd has given up on the line's unit; it is started again", "unit", unit.Name)
		u.exited(name, 1)
		u.start(ctx, bus, name, unit.Name)
	case !w.stopped:
		w.stopped = true
		log.Warn("somebody has stopped the line's unit: it stays so until somebody has it started", "unit", unit.Name)
		if u.deps.OnStop != nil {
			u.deps.OnStop(name)
		}
	}
}

func (u *Units) start(ctx context.Context, bus systemd, name, unit string) {
	w := u.lines[name]
	err := bus.Start(ctx, unit)
	u.trouble(name, err)
	w.seen, w.started = w.seen || err == nil, time.Now()
}

func (u *Units) restart(ctx context.Context, bus systemd, name string) {
	w := u.lines[name]
	err := bus.Restart(ctx, unitOf(name))
	u.trouble(name, err)
	if err == nil {
		u.deps.Log.Info("the line's unit is started anew, as somebody asked", "line", name)
		w.seen, w.stopped, w.started = true, false, time.Now()
	}
}

func (u *Units) exited(name string, more int) {
	w := u.lines[name]
	w.times += more
	if u.deps.OnExit != nil {
		u.deps.OnExit(name, w.times)
	}
}

// trouble tells of systemd, once: that it can't be had to keep a line, or any, or that it can again.
func (u *Units) trouble(name string, err error) {
	if (err != nil) == u.troubled[name] {
		return
	}
	u.troubled[name] = err != nil
	log := u.deps.Log
	if name != "" {
		log = log.With("line", name)
	}
	if err != nil {
		log.Error("systemd can't be had to keep lines; it is tried again", "error", err)
	} else {
		log.Info("systemd keeps lines again")
	}
	if u.deps.OnTrouble != nil {
		u.deps.OnTrouble(name, err)
	}
}
