package pause

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
)

// Run tells the recorder to go on wherever that is due, until ctx ends.
func (p *Pauser) Run(ctx context.Context) error {
	var telling sync.WaitGroup
	defer func() {
		telling.Wait()
		if err := p.Sender.Close(); err != nil {
			p.Log.Warn("the connections to the recorder can't be given up", "error", err)
		}
	}()
	events := p.Feed.Subscribe(ctx)
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, more := <-events:
			if !more { // it was too slow, and looks at what it missed now
				events = p.Feed.Subscribe(ctx)
			} else if e.Kind != control.KindState && e.Kind != control.KindLineDown {
				continue
			}
		case <-p.look:
		case <-next.C:
		}
		names, wait := p.ready(time.Now())
		for _, name := range names {
			telling.Go(func() { p.resume(ctx, name) })
		}
		next.Reset(wait)
	}
}

// ready are the lines of which the recorder is to be told now that it may go on, and when to look again.
func (p *Pauser) ready(now time.Time) (names []string, wait time.Duration) {
	views := p.Lines()
	p.mu.Lock()
	defer p.mu.Unlock()
	wait = mostWait
	for name, l := range p.lines {
		i := slices.IndexFunc(views, func(v control.Line) bool { return v.Name == name })
		masks := i >= 0 && views[i].State != control.StateIdle // a line that the box has no more, masks nothing
		switch {
		case masks || l.arming > 0 || l.telling:
		case now.Before(l.due):
			wait = min(wait, l.due.Sub(now))
		default:
			l.telling = true
			names = append(names, name)
		}
	}
	return names, wait
}

// resume tells the recorder once, and forgets the line if it said yes and nobody began anew meanwhile.
func (p *Pauser) resume(ctx context.Context, name string) {
	p.mu.Lock()
	l := p.lines[name]
	p.mu.Unlock()
	l.turn <- struct{}{} // for no longer than one answer takes
	defer func() { <-l.turn }()
	p.mu.Lock()
	if l.arming > 0 { // meanwhile; done looks again
		l.telling = false
		p.mu.Unlock()
		return
	}
	capture := l.capture
	p.mu.Unlock()
	why := p.tell(ctx, resumes, name, capture)
	if ctx.Err() != nil {
		return
	}
	p.mu.Lock()
	l.telling = false
	first := l.wait == firstWait
	switch {
	case why != "":
		l.due, l.wait = time.Now().Add(l.wait), min(2*l.wait, mostWait)
	case l.arming == 0 && l.capture == capture:
		delete(p.lines, name)
	}
	p.mu.Unlock()
	defer p.lookAgain()
	if why == "" {
		p.Health.Clear(health.RecorderPaused, name)
		p.Health.Clear(health.RecorderOn, name)
	} else {
		p.Health.Set(health.RecorderPaused, name, why)
	}
	if why == "" || first { // what is tried again and again is noted once
		p.note(ctx, Resumed, name, capture, why)
	}
}
