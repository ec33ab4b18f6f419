package mask

// regrade brings the grade asked for into force, and keeps Armed for its tail; for a short one, which ends runs and flat tones too, where it is to be now.
func (m *Masker) regrade(want Grade, now bool, t int64) {
	s := m.state
	if want < Pass || want > Closed {
		want = Closed
	}
	switch {
	case want == Armed:
		s.armed, s.lowered = true, -1
	case now && s.grade == Closed && want < Armed, s.armed && s.lowered < 0:
		s.armed, s.lowered = true, t // a key may be sounding, and what is Closed holds no patch
	}
	over := t-s.lowered >= tailLeast && t >= s.calmFrom()+tailQuiet
	switch {
	case !now:
		s.nowFrom = -1
	case s.nowFrom < 0:
		s.nowFrom, over = t, false
	default: // a key that had begun is suspected by then, and after it every patch is over, whichever key it was: see keyEnd
		over = t-s.nowFrom >= onsetReach && t >= s.calmFrom()+mostHold
	}
	if s.armed && s.lowered >= 0 && over {
		if s.armed = false; now {
			s.stop(t)
		}
	}
	s.grade, s.settled = want, true
	if s.armed && want < Armed {
		s.grade, s.settled = Armed, false
	}
}

// stop ends a run, and what flat tones haven't begun by the slot of tick t.
func (s *state) stop(t int64) {
	s.runUntil, s.inField = min(s.runUntil, t), false
	for n := t/slotTicks + 1; n < s.nextSlot; n++ {
		s.slot[n&(slots-1)] = 0
	}
}

// calmFrom is where the last suspicion had ended for sure, on the grid of slots. When the suspicion of a key ends depends
// on which key it was; so for a key it is reckoned from where its sound ended.
func (s *state) calmFrom() int64 {
	return gridAfter(max(s.lastSuspect, s.lastLoud+loudReach))
}
