package mask

import "math"

// Release lets the next tick out: it replaces x where that is masked, and tells how many frames it replaced. Of a tick beside a
// mask these are the frames between that and the one nearest to silence: cut there, speech clicks least, and is still not faded.
func (m *Masker) Release(x []int16) (masked int) {
	s := m.state
	t := s.out
	next := s.hides(t + 1)
	here := s.hides(t) || s.hidden && next
	first, end := 0, 0
	switch {
	case here:
		end = len(x)
	case s.hidden:
		end = quietest(x)
	case next && m.early > 0:
		first, end = quietest(x)+1, len(x)
	}
	if first < end {
		m.replace(x, first, end, t)
	}
	s.fill.learn(x, here)
	if n, phase := t/slotTicks, t%slotTicks; phase == slotTicks-1 {
		s.slot[n&(slots-1)] = 0
		s.fill.whole(n, float64(slotTicks*len(x)))
	}
	s.mark[t&(marks-1)] = false
	s.running = s.running && t < max(s.runFrom, s.runUntil)
	s.hidden = here
	s.out++
	return end - first
}

// hides reports whether a tick that isn't out yet is masked.
func (s *state) hides(t int64) bool {
	return s.mark[t&(marks-1)] || s.grade == Closed || s.running && t >= s.runFrom && t < s.runUntil || s.sounds(t)
}

// sounds reports whether a flat tone sounds in a tick.
func (s *state) sounds(t int64) bool {
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

// replace writes noise, and the flat tone that sounds there, over frames of a tick.
func (m *Masker) replace(x []int16, first, end int, t int64) {
	s := m.state
	var made [mostFrames]int16
	fill := made[:len(x)]
	s.fill.replace(fill, t*int64(m.tick))
	if s.sounds(t) {
		for i, v := range m.tone[t%slotTicks*int64(m.tick):][:m.tick] {
			fill[i] += v // both are small: no overflow
		}
	}
	copy(x[first:end], fill[first:])
}
