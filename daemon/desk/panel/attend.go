package panel

import (
	"context"
	"time"

	"github.com/flattone/flattone/daemon/desk/board"
)

const (
	// alone is how long a card may be taken with nobody looking: a page takes less to load again.
	alone = 10 * time.Second
	// retry is when giving up is tried again.
	retry = time.Second
)

// Run gives up cards whose agents have closed their panels, until ctx ends.
//
//	watched ──the last stream ends──▶ alone ──10 s──▶ given up
//	   ▲                                │
//	   └────────a page or a stream──────┘
func (p *Panel) Run(ctx context.Context) error {
	changes := p.deps.Board.Watch(ctx, "")
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changes:
		case <-p.attention:
		case <-timer.C:
		}
		if next := p.look(ctx); next > 0 {
			timer.Reset(next)
		}
	}
}

// look gives up what is to be given up, and answers with when it is to be called again; 0: when something changes.
func (p *Panel) look(ctx context.Context) (next time.Duration) {
	sooner := func(d time.Duration) {
		if next == 0 || d < next {
			next = d
		}
	}
	for _, v := range p.deps.Board.Views() {
		if v.Bound == "" || !v.Taking() {
			continue
		}
		left, gone := p.seat(v.Bound).forsakes(v)
		if !gone {
			if left > 0 {
				sooner(left)
			}
			continue
		}
		p.deps.Log.Info("a card is given up: its agent has closed the panel", "line", v.Line, "agent", v.Bound)
		if err := p.deps.As(v.Bound).Disarm(ctx, v.Line); err != nil {
			p.deps.Log.Warn("a card that nobody looks after can't be given up", "line", v.Line, "error", err)
			sooner(retry)
		}
	}
	return next
}

// forsakes reports whether the agent has left this capture, and if he may have, how long that is to be waited for.
func (s *seat) forsakes(v board.View) (left time.Duration, gone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watched != v.Capture || s.streams > 0 {
		return 0, false
	}
	if left = alone - time.Since(s.seen); left > 0 {
		return left, false
	}
	s.forsaken, s.notice = v.Capture, "browser_closed"
	return 0, true
}
