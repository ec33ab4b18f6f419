package wavline

import (
	"context"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/hw"
)

// callerPort is the caller's side. Its Run drives the clock, which runs while both Runs do.
type callerPort struct{ l *line }

func (p callerPort) Rate() audio.Rate { return p.l.rate }

func (p callerPort) Run(ctx context.Context, turn hw.Turn) error {
	l := p.l
	select {
	case <-l.agentUp:
	case <-ctx.Done():
		return nil
	}
	if err := l.begin(); err != nil {
		return l.lose(err)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	in, out := make([]int16, l.period), make([]int16, l.period)
	for {
		if started, err := l.startCall(ctx); err != nil {
			return l.lose(err)
		} else if !started || !l.sleep(ctx, timer) {
			return l.stopped()
		}
		if err := l.hear(in, func(c call) *wav.Reader { return c.caller }); err != nil {
			return l.lose(err)
		}
		turn.Take(in)
		if !l.agentsTurn() {
			select {
			case <-ctx.Done():
			case <-l.lost:
			}
			return l.stopped()
		}
		turn.Fill(out)
		// The agent's output is written first, so that it is the one that tells where the line stopped.
		if err := l.record(l.callerOut, out); err != nil {
			return l.lose(err)
		}
		l.advance()
	}
}

// agentsTurn hands the turn over and waits until it is back. It reports false if the agent's Run ended
// instead. It needs no ctx: a turn doesn't block.
func (l *line) agentsTurn() bool {
	l.toAgent <- struct{}{}
	select {
	case <-l.toCaller:
		return true
	case <-l.agentDone:
	}
	select {
	case <-l.toCaller: // its last turn
		return true
	default:
		return false
	}
}

// stopped is what a Run answers whose ctx ended: nil, unless the line was lost before.
func (l *line) stopped() error {
	select {
	case <-l.lost:
		return l.cause
	default:
		return nil
	}
}

// agentPort is the agent's side.
type agentPort struct{ l *line }

func (p agentPort) Rate() audio.Rate { return p.l.rate }

func (p agentPort) Run(ctx context.Context, turn hw.Turn) error {
	l := p.l
	close(l.agentUp)
	defer close(l.agentDone)
	in, out := make([]int16, l.period), make([]int16, l.period)
	for {
		select {
		case <-l.toAgent:
		case <-l.lost:
			return l.cause
		case <-ctx.Done():
			return l.stopped()
		}
		if err := l.hear(in, func(c call) *wav.Reader { return c.agent }); err != nil {
			return l.lose(err)
		}
		turn.Take(in)
		turn.Fill(out)
		if err := l.record(l.agentOut, out); err != nil {
			return l.lose(err)
		}
		l.toCaller <- struct{}{}
	}
}
