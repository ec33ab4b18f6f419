package daemon

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/host"
)

// login is who stops the machine, and waits with that if he is asked to: [host.Login].
type login interface {
	Inhibit(ctx context.Context, what, why string) (io.Closer, error)
	Watch(ctx context.Context) (<-chan host.Preparing, error)
}

// guard keeps the machine up while a card is being taken, and has none being taken when it goes down.
//
//	        a capture begins             it is about to stop or to sleep
//	open ───────────────────▶ guarded ─────────────────────────▶ emptying ── none is left, or the time is up ──┐
//	 ▲ ◀── the last has ended ───┘                                  │                                          ▼
//	 │ ──────────── it is about to stop or to sleep ────────────────┼────────────────────────────────────────▶ shut
//	 └────────────────────────── it no longer is ───────────────────┴──────────────────────────────────────────┘
//
// The locks that make the machine wait are held in guarded and emptying. In emptying and shut no line is armed, and a capture that is found there is void at
// once; but a card that is complete gets most of the time that there is to be stored, and then is given up, lest the machine sleep with it in memory.
//
// It begins open. What it can't guard, because logind is away or won't wait, is taken all the same, and a condition says so. While logind is lost, what it said
// last holds.
type guard struct {
	login login
	guardDeps

	mu sync.Mutex
	// stopping is what the machine is about to do, host.Shutdown or host.Sleep; empty while it is to stay up.
	stopping string
	// arming are the commands to arm that aren't answered: each may become a capture.
	arming int
	look   chan struct{} // one of the two has changed; holds one

	// What follows is the goroutine's of Run.
	locks        []io.Closer
	away, denied error // why the machine won't wait
	told         map[string]ending
	late         lateness
	within       time.Duration
	timer        *time.Timer
	beside       sync.WaitGroup // what waits for lines and the store
}

// guardDeps is what a guard works with.
type guardDeps struct {
	log    *slog.Logger
	health *health.Board
	feed   *control.Feed
	lines  func() []control.Line
	// void has a line give up its capture, which it refuses if the card is complete; drop has it forget one that waits to be stored. note is for the audit log.
	void func(ctx context.Context, line, stopping string)
	drop func(ctx context.Context, line, capture, stopping string)
	note func(ctx context.Context, action, stopping string)
}

// ending is what a line was told of its capture.
type ending int

const (
	voided ending = iota + 1
	dropped
)

// lateness is how much is gone of the time that logind waits.
type lateness int

const (
	inTime  lateness = iota
	tooLate          // what isn't stored by now is dropped
	timeUp           // the machine goes down in a moment, whatever is left
)

// It is late after these parts of that time. The rest is for the line and the bus.
const (
	tooLateAfter = 0.8
	timeUpAfter  = 0.9
)

const (
	// watchAgain is how long a logind that is away is left alone.
	watchAgain = 5 * time.Second
	// endTime is for a line's answer.
	endTime = 2 * time.Second
)

// newGuard makes a guard that nobody tells of shutdowns, if login is nil.
func newGuard(login login, deps guardDeps) *guard {
	g := &guard{login: login, guardDeps: deps, look: make(chan struct{}, 1), told: map[string]ending{}, timer: time.NewTimer(time.Hour)}
	g.timer.Stop()
	return g
}

// arm must be called before a line is armed, and done once it was, or wasn't. The error says why it must not be.
func (g *guard) arm() (done func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopping != "" {
		return nil, shuttingDown(g.stopping)
	}
	add := func(n int) {
		g.arming += n
		select {
		case g.look <- struct{}{}:
		default:
		}
	}
	add(1)
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		add(-1)
	}, nil
}

// Run guards until ctx ends.
func (g *guard) Run(ctx context.Context) error {
	if g.login == nil {
		return nil
	}
	defer g.beside.Wait()
	defer g.release()
	defer g.timer.Stop()
	events := g.feed.Subscribe(ctx)
	watch := time.NewTimer(0)
	defer watch.Stop()
	var told <-chan host.Preparing
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-watch.C:
			if told, g.away = g.login.Watch(ctx); g.away != nil {
				watch.Reset(watchAgain)
			} else {
				g.denied = nil // that was another logind, or another bus: the next card tells
			}
			g.say()
		case p, more := <-told:
			if more {
				g.prepare(ctx, p)
				break
			}
			told, g.away = nil, errLoginLost
			g.say()
			watch.Reset(watchAgain)
		case e, more := <-events:
			if !more { // it was too slow, and looks at what it missed now
				events = g.feed.Subscribe(ctx)
			} else if e.Kind != control.KindState && e.Kind != control.KindLineDown {
				continue
			}
		case <-g.look:
		case <-g.timer.C:
			g.late++
			if g.late < timeUp {
				g.timer.Reset(part(g.within, timeUpAfter-tooLateAfter))
			}
		}
		g.act(ctx)
	}
}

var errLoginLost = errors.New("the connection to logind was lost; it is tried again")

// say tells whether the machine will wait. One that goes down takes logind and the bus away with it, which is no news.
func (g *guard) say() {
	if err := errors.Join(g.away, g.denied); err != nil {
		if g.stopping != "" {
			return
		}
		g.health.Set(health.Unguarded, "", err.Error())
	} else {
		g.health.Clear(health.Unguarded, "")
	}
}

func part(of time.Duration, share float64) time.Duration { return time.Duration(float64(of) * share) }

// prepare goes by what the machine is about to do.
func (g *guard) prepare(ctx context.Context, p host.Preparing) {
	stopping := ""
	switch {
	case p.Shutdown:
		stopping = host.Shutdown
	case p.Sleep:
		stopping = host.Sleep
	}
	g.mu.Lock()
	was := g.stopping
	g.stopping = stopping
	g.mu.Unlock()
	switch {
	case was == "" && stopping != "":
		g.health.Set(health.Stopping, "", stopping)
		g.late, g.within = inTime, p.Within
		g.timer.Reset(part(p.Within, tooLateAfter))
		g.beside.Go(func() { g.note(ctx, "capture.closed", stopping) })
	case was != "" && stopping == "":
		g.health.Clear(health.Stopping, "")
		g.timer.Stop()
		clear(g.told)
		g.beside.Go(func() { g.note(ctx, "capture.opened", was) })
	}
}
