package serial

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/serial/dle"
)

// Who takes a modem's turns:
//
//	byMachine ──tick──▶ taken ──▶ byMachine            silence, a block at a time; in a call whose sound stands still, frames that are lost
//	byMachine ──a block came, in a call──▶ byModem     what comes, as it comes: on the thread that reads it, which waits for nobody
//	byModem ──the call is over, or nothing came for standTime──▶ byMachine
const (
	byMachine = iota
	taken
	byModem
)

// standTime is how long nothing may come before the sound stands still.
const standTime = 500 * time.Millisecond

// feeling is how a call's sound does.
type feeling int32

const (
	awaited feeling = iota // none came yet
	flows
	stands // there is none any more
	partly // some of it never comes
	deaf   // what is played isn't taken
)

// sound is a modem's sound as a line's turns. Only the one who has the gate touches what lies below it.
type sound struct {
	port     *port
	block    int  // frames that the modem gives at a time
	shielded bool // by DLE

	coding atomic.Int32 // dle.Coding
	wanted atomic.Bool  // there is a call, or there will be one presently
	feels  atomic.Int32
	felt   chan struct{} // it feels otherwise

	ctx   context.Context
	turn  hw.Turn
	began time.Time
	gate  atomic.Int32

	at      time.Duration // up to when turns were taken
	came    time.Duration // when something came last
	pace    pace
	fifo    fifo
	lost    int // windows in a row in which something was
	refused int // frames, since the modem takes none

	in         []int16 // what came and has yet to be taken
	out, none  []int16
	odd        []byte // half a sample
	raw, wired []byte
}

// readBytes is how much is read at once: all that the kernel gives.
const readBytes = 4096

func newSound(p *port, block int, shielded bool) *sound {
	s := &sound{
		port: p, block: block, shielded: shielded, felt: make(chan struct{}, 1),
		in: make([]int16, 0, readBytes+2*block), out: make([]int16, 2*block), none: make([]int16, block), odd: make([]byte, 0, 2),
		raw: make([]byte, 4*block), wired: make([]byte, 8*block),
	}
	s.coding.Store(int32(dle.Signed16))
	return s
}

// start is called before the first of the rest.
func (s *sound) start(ctx context.Context, turn hw.Turn) {
	s.ctx, s.turn, s.began = ctx, turn, time.Now()
}

func (s *sound) now() time.Duration { return time.Since(s.began) }

// feel says how the sound does.
func (s *sound) feel(f feeling) {
	if feeling(s.feels.Swap(int32(f))) == f {
		return
	}
	select {
	case s.felt <- struct{}{}:
	default:
	}
}

// want begins or ends a call's sound.
func (s *sound) want(on bool) {
	s.feels.Store(int32(awaited))
	s.wanted.Store(on)
}

// idle takes the machine's turns until the sound's ctx ends.
func (s *sound) idle() {
	tick := time.NewTicker(Rate.Duration(int64(s.block)))
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		if s.gate.CompareAndSwap(byMachine, taken) {
			s.tick()
			s.gate.Store(byMachine)
		}
	}
}

// tick takes the turns that are due by the machine's clock; a process that was held up for long leaves some out.
func (s *sound) tick() {
	now, each := s.now(), Rate.Duration(int64(s.block))
	for s.at = max(s.at, now-time.Second); s.at+each <= now && s.ctx.Err() == nil; s.at += each {
		if s.wanted.Load() && feeling(s.feels.Load()) != awaited {
			s.turn.Lost(s.block)
		} else {
			s.turn.Take(s.none)
		}
		s.turn.Fill(s.out[:s.block])
	}
}
