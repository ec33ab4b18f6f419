package mask

import (
	"math"

	"github.com/flattone/flattone/audio"
)

// Release lets the next tick out: it replaces x where that is masked, or whole where it is covered, and tells how many frames it replaced. Of a tick beside a
// mask these are the frames between that and the one nearest to silence: cut there, speech clicks least, and is still not faded.
func (m *Masker) Release(x []int16, cover bool) (masked int) {
	s := m.state
	t := s.out
	here := cover || s.hides(t)
	next := !here && s.hides(t+1)
	here = here || s.hidden && next
	switch {
	case here:
		m.replace(x, t)
		masked = len(x)
	case s.hidden:
		masked = quietest(x)
		m.part(x, 0, masked, t)
	case next && m.early > 0:
		first := quietest(x) + 1
		masked = len(x) - first
		m.part(x, first, len(x), t)
	}
	if here {
		s.fill.masked += len(x)
	} else {
		s.fill.learn(x)
	}
	s.mark[t&(marks-1)] = false
	s.running = s.running && t < max(s.runFrom, s.runUntil)
	s.hidden = here
	if s.out++; s.out == s.slotEnd {
		n := t / slotTicks
		s.slot[n&(slots-1)] = 0
		s.fill.whole(n, float64(slotTicks*len(x)))
		s.slotEnd += slotTicks
	}
	return masked
}

// hides reports whether a tick that isn't out yet is masked.
func (s *state) hides(t int64) bool {
	return s.mark[t&(marks-1)] || s.grade == Closed || s.running && t >= s.runFrom && t < s.runUntil || s.sounds(t)
}

// sounds reports whether a flat tone sounds in a tick.
func (s *state) sounds(t int64) bool {
	if t >= s.nextSlot*slotTicks { // as it is mostly
		return false
	}
	n := t / slotTicks
	return s.slot[n&(slots-1)] == n+1 && t%slotTicks < toneTicks
}

// quietest is the frame that is nearest to silence.
func quietest(x []int16) (at int) {
	least := int32(math.MaxInt32)
	for i, v := range x {
		if level := max(int32(v), -int32(v)); level < least {
			at, least = i, level
		}
	}
	return at
}

// replace writes noise over a tick, and the flat tone that sounds there.
func (m *Masker) replace(x []int16, t int64) {
	s := m.state
	s.fill.replace(m.hiss, x, t*int64(m.tick))
	if s.sounds(t) {
		for i, v := range m.tone[t%slotTicks*int64(m.tick):][:m.tick] {
			x[i] += v // both are small: no overflow
			s.fill.power += int64(v) * int64(v)
		}
	}
}

// part replaces some frames of a tick.
func (m *Masker) part(x []int16, first, end int, t int64) {
	var made [audio.MostTickFrames]int16
	m.replace(made[:len(x)], t)
	copy(x[first:end], made[first:])
}
