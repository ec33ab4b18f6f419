package serial

import (
	"time"

	"github.com/flattone/flattone/hw/serial/dle"
)

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
	before := len(s.in)
	s.take(c, b[:whole])
	s.odd = append(s.odd, b[whole:]...)
	now := s.now()
	n := len(s.in) / s.block * s.block
	if late := now - s.came; n > 0 && before > 0 && late > Rate.Duration(int64(s.block))/2 {
		n = len(s.in) // what was left stood for nothing: from now on blocks are where the modem has them
	}
	s.came = now
	if n > 0 {
		s.turns(n, now)
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
	s.fifo.start(s.block)
}

// end makes the turns the machine's, which goes on from where the modem was.
func (s *sound) end() {
	s.in, s.odd = s.in[:0], s.odd[:0]
	s.gate.CompareAndSwap(byModem, byMachine)
}

// turns takes n frames that came by now.
func (s *sound) turns(n int, now time.Duration) {
	s.begin()
	s.at = now
	elapsed, lost, full := s.pace.came(n, now.Seconds()*float64(Rate))
	skip := s.fifo.skip(n, elapsed)
	if full {
		s.fifo.window()
		s.judge(lost)
	}
	for ; lost > 0 && s.ctx.Err() == nil; lost -= s.block {
		n := min(lost, s.block)
		s.turn.Lost(n)
		s.turn.Fill(s.out[:n]) // which the modem's clock has passed
	}
	for in := s.in[:n]; len(in) > 0 && s.ctx.Err() == nil; {
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
	s.in = s.in[:copy(s.in, s.in[n:])]
	if f := feeling(s.feels.Load()); f == awaited || f == stands {
		s.feel(flows)
	}
}

// judge ends a window in which some frames never came, or none were lost.
func (s *sound) judge(lost int) {
	if s.lost++; lost == 0 {
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
	case s.refused == 0 && s.port.play(b):
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
