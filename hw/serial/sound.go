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

// bytes takes what came of the sound. All its methods from here on are for the thread that reads.
func (s *sound) bytes(b []byte) {
	if !s.wanted.Load() {
		s.end()
		return
	}
	c := dle.Coding(s.coding.Load())
	if len(s.odd) > 0 && len(b) > 0 {
		s.odd, b = append(s.odd, b[0]), b[1:]
		s.take(c, s.odd)
		s.odd = s.odd[:0]
	}
	whole := len(b) / c.Width() * c.Width()
	s.take(c, b[:whole])
	s.odd = append(s.odd, b[whole:]...)
	if len(s.in) >= s.block {
		s.turns()
	}
}

// take makes frames of bytes.
func (s *sound) take(c dle.Coding, b []byte) {
	n := len(s.in)
	s.in = s.in[:n+len(b)/c.Width()]
	c.Samples(s.in[n:], b)
}

// nothing says that nothing came for a while. What came of a sample then is none: a modem gives whole ones.
func (s *sound) nothing() {
	s.odd = s.odd[:0]
	switch {
	case !s.wanted.Load():
		s.end()
	case s.gate.Load() == byModem && s.now()-s.at >= standTime:
		s.feel(stands)
		s.end()
	}
}

// begin makes the turns the modem's.
func (s *sound) begin() {
	if s.gate.Load() == byModem {
		return
	}
	for !s.gate.CompareAndSwap(byMachine, byModem) {
		time.Sleep(time.Millisecond) // less than a turn, which doesn't block
	}
	s.pace, s.lost, s.refused = pace{}, 0, 0
}

// end makes the turns the machine's, which goes on from where the modem was.
func (s *sound) end() {
	s.in, s.odd = s.in[:0], s.odd[:0]
	s.gate.CompareAndSwap(byModem, byMachine)
}

// turns takes all that came, at once: a frame that waits for others is late for nothing.
func (s *sound) turns() {
	s.begin()
	s.at = s.now()
	begun := s.pace.begun
	clock, lost, full := s.pace.came(len(s.in), s.at.Seconds()*float64(Rate))
	if !begun {
		s.fifo.start(s.block, clock)
	}
	skip := s.fifo.skip(len(s.in), clock)
	if full {
		s.fifo.window()
		s.judge(lost)
	}
	for ; lost > 0 && s.ctx.Err() == nil; lost -= s.block {
		n := min(lost, s.block)
		s.turn.Lost(n)
		s.turn.Fill(s.out[:n]) // which the modem's clock has passed
	}
	for in := s.in; len(in) > 0 && s.ctx.Err() == nil; {
		n := len(in)
		if n >= 2*s.block {
			n = s.block
		}
		s.turn.Take(in[:n])
		s.turn.Fill(s.out[:n])
		s.write(s.out[min(skip, n):n])
		skip -= min(skip, n)
		in = in[n:]
	}
	s.in = s.in[:0]
	if f := feeling(s.feels.Load()); f == awaited || f == stands {
		s.feel(flows)
	}
}

// judge ends a window in which some frames never came, or none were lost.
func (s *sound) judge(lost int) {
	s.lost++
	if lost == 0 {
		s.lost = 0
	}
	switch f := feeling(s.feels.Load()); {
	case s.lost >= 2 && f == flows:
		s.feel(partly)
	case s.lost == 0 && f == partly:
		s.feel(flows)
	}
}

// write gives the modem what it is to play.
func (s *sound) write(frames []int16) {
	if len(frames) == 0 {
		return
	}
	c := dle.Coding(s.coding.Load())
	b := s.raw[:len(frames)*c.Width()]
	c.Bytes(b, frames)
	if s.shielded {
		n, _ := dle.Encode(s.wired, b)
		b = s.wired[:n]
	}
	switch {
	case s.refused == 0 && s.port.send(b):
	case s.refused > 0 && s.port.clear():
		s.refused = 0
		s.fifo.drain()
		if feeling(s.feels.Load()) == deaf {
			s.feel(flows)
		}
	default:
		s.fifo.refused(len(frames))
		if s.refused += len(frames); s.refused > deafFrames {
			s.feel(deaf)
		}
	}
}

// deafFrames is how many have to be refused until the modem is deaf. The kernel takes some before it refuses any.
const deafFrames = int(Rate)
