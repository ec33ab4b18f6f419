//go:build cgo

package sound

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/hw"
)

const (
	// lossTime without a period is a loss. The longest period is a quarter of it; a card that hiccups under load is back sooner, and
	// a caller who hears nothing waits longer before he hangs up.
	lossTime = 500 * time.Millisecond
	// looks is in how many steps it is waited for. They are counted, so that a process that was itself held up for long doesn't
	// take its device for lost.
	looks = 5
)

// A port's gate lets one turn through at a time, and none after Run has returned:
//
//	shut ──Run──▶ open ──enter──▶ busy
//	  ▲            │  ◀──leave───
//	  └──Run ends──┘
const (
	shut = iota
	open
	busy
)

// port is one side.
type port struct {
	line    *line
	stream  *stream
	channel int // from 0
	gate    atomic.Int32
	frames  []int16 // a period of its channel, where the device has several

	// Set before the gate opens.
	ctx  context.Context
	turn hw.Turn
}

func newPort(l *line, s Side) *port {
	return &port{line: l, channel: s.Channel - 1, frames: make([]int16, l.cfg.PeriodFrames)}
}

func (p *port) Rate() audio.Rate { return p.line.cfg.Rate }

func (p *port) Run(ctx context.Context, turn hw.Turn) error {
	l, s := p.line, p.stream
	if ctx.Err() != nil {
		return nil
	}
	p.ctx, p.turn = ctx, scale(turn, l.cfg)
	p.gate.Store(open)
	defer p.shut()
	if s.idle.Add(-1) == 0 {
		if err := s.start(); err != nil {
			return l.lose(s.device, err)
		}
	}
	select {
	case <-s.started:
	case <-l.lost:
		return l.cause
	case <-ctx.Done():
		return nil
	}
	look := time.NewTicker(lossTime / looks)
	defer look.Stop()
	seen, still := s.periods.Load(), 0
	for still < looks {
		select {
		case <-l.lost:
			return l.cause
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
		still++
		if now := s.periods.Load(); now != seen {
			seen, still = now, 0
		}
	}
	if seen == 0 {
		return l.lose(s.device, fmt.Errorf("no sound for %v, and none before: what it gives at a time may be more than two periods: set a longer period", lossTime))
	}
	return l.lose(s.device, fmt.Errorf("no sound for %v", lossTime))
}

// enter reports whether the port takes a turn now. It asks ctx itself, so that no turn begins once that has ended, however late Run
// gets to know.
func (p *port) enter() bool {
	if !p.gate.CompareAndSwap(open, busy) {
		return false
	}
	if p.ctx.Err() != nil {
		p.leave()
		return false
	}
	return true
}

func (p *port) leave() { p.gate.Store(open) }

// shut returns when the last turn has.
func (p *port) shut() {
	for !p.gate.CompareAndSwap(open, shut) {
		time.Sleep(time.Millisecond) // less than a turn, which doesn't block
	}
}

// take passes on the port's channel of what was captured.
func (p *port) take(in []int16, channels int) {
	if channels > 1 {
		for i := range p.frames {
			p.frames[i] = in[i*channels+p.channel]
		}
		in = p.frames
	}
	p.turn.Take(in)
}

// fill has the port's channel of what is played filled.
func (p *port) fill(out []int16, channels int) {
	if channels == 1 {
		p.turn.Fill(out)
		return
	}
	p.turn.Fill(p.frames)
	for i, v := range p.frames {
		out[i*channels+p.channel] = v
	}
}
