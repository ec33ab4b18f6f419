package tune

import (
	"context"
	"time"
)

// listener is a step's hold on the two legs: it hands out what came in, equally much of both, until the step has what it needs or
// is out of time.
type listener struct {
	*tuner
	ctx     context.Context
	step    Step
	over    *time.Timer
	look    *time.Ticker
	heardAt time.Time
	taken   int // frames that were handed out last
	told    Progress
	failed  string // a code, once it failed
}

// listen begins a step, with what comes in from now on.
func (t *tuner) listen(ctx context.Context, step Step) *listener {
	l := &listener{tuner: t, ctx: ctx, step: step, over: time.NewTimer(StepTime), look: time.NewTicker(lookEvery), heardAt: time.Now(), told: Progress{Done: -1}}
	l.afresh()
	return l
}

func (l *listener) stop() {
	l.over.Stop()
	l.look.Stop()
}

// afresh forgets what came in up to now.
func (l *listener) afresh() {
	l.deps.Tap.Caller.forget()
	l.deps.Tap.Agent.forget()
	l.taken = 0
}

// next waits for more of both legs. What it hands out is valid until it is called again. It is false once the step has failed.
func (l *listener) next() (caller, agent []int16, ok bool) {
	a, b := l.deps.Tap.Caller, l.deps.Tap.Agent
	a.ring.Release(l.taken)
	b.ring.Release(l.taken)
	l.taken = 0
	for {
		if n := min(a.have(), b.have()); n > 0 {
			l.heardAt, l.taken = time.Now(), n
			return a.ring.Head(n), b.ring.Head(n), true
		}
		if time.Since(l.heardAt) > soundTime {
			l.failed = NoSound
			return nil, nil, false
		}
		select {
		case <-l.ctx.Done():
			l.failed = Cancelled
			return nil, nil, false
		case <-l.over.C:
			l.failed = TimedOut
			return nil, nil, false
		case <-l.look.C:
		}
	}
}

// gap reports whether a device lost something since it was last asked.
func (l *listener) gap() bool {
	return l.deps.Tap.Caller.lost.Swap(0)+l.deps.Tap.Agent.lost.Swap(0) > 0
}

// torn reports whether frames are missing since it was last asked, so that what comes in on the two legs doesn't belong together any more.
func (l *listener) torn() bool {
	return l.deps.Tap.Caller.missed.Swap(0)+l.deps.Tap.Agent.missed.Swap(0) > 0
}

// tell says how far the step has come, when that is news.
func (l *listener) tell(done, of int) {
	if p := (Progress{l.step, min(done, of), of}); p != l.told {
		l.told = p
		l.deps.Tell(p)
	}
}
