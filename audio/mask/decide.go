package mask

import (
	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect"
)

// state is all that changes: no pointers, see locked.New. Ticks count from the first one written.
//
//	         suspicion                  a key, or lasting suspicion
//	open ---------------> patch --------------------------------------> run
//	 ^  <--------------                                                  |
//	 |    hold is over          1 s without a key, field closed,         |
//	 +-------------------------------------------------------------------+
//	              then up to the next slot
//
//	any state -- Grade Closed, or a value that isn't a grade --> closed (all masked) -- a lower Grade --> as before
//	any state -- Now --> as Armed while anything is suspect, and mostHold from the grid after it --> open
//
// Open and patch are the marks: a tick that is marked is masked. Run masks every tick from where its patch
// began. With the shield Keys there is no run: patches are all.
type state struct {
	now     int64 // ticks decided
	out     int64 // ticks released
	slotEnd int64 // one past the slot under release
	mark    [marks]bool
	hidden  bool // the tick that was released last was masked whole

	grade   Grade
	settled bool
	armed   bool
	lowered int64 // when Armed was lowered, or -1
	nowFrom int64 // since when its tail is to be a short one, or -1

	lastEdge    int64 // tick of a digit-blind edge: the first within its reach
	lastSuspect int64
	suspectOut  int64 // first tick that was still held when the suspicion under way began,
	suspectFrom int64 // and the first that it masked
	patchFrom   int64 // first tick of the patch under way
	patchUntil  int64 // one past its last
	hits        int64 // ticks of suspicion in it

	running  bool
	inField  bool // the run lasts until the field is closed
	runFrom  int64
	runUntil int64
	lastKey  int64        // last tick at which a key was suspected strictly
	lastLoud int64        // last tick at which a key sounded: of energy alone
	nextSlot int64        // first slot that is free
	slot     [slots]int64 // slot[n%slots] == n+1 if a flat tone sounds in slot n

	fill fill
}

func (s *state) start() {
	s.grade = Closed
	s.settled = true
	s.lowered, s.nowFrom = -1, -1
	s.slotEnd = slotTicks
	s.lastEdge, s.lastSuspect, s.lastKey, s.lastLoud = -marks, -tailQuiet, -marks, -tailQuiet
	s.fill.start()
}

// Decide takes the verdict on the next tick written. For a key that the verdict began, or a burst that stayed
// unclear, it tells the position, on the input's clock, at which its flat tone sounds; else -1.
func (m *Masker) Decide(in *Input) (slot audio.Position) {
	s := m.state
	t := s.now
	s.now++
	if in.Grade != s.grade || s.lowered >= 0 { // else nothing changes, and nothing waits to
		m.regrade(in.Grade, in.Now, t)
	}

	v := &in.Verdict
	// The first of several: a key may begin with a burst and a hole, and both are the key's.
	if v.Edge && t-s.lastEdge > edgeReach {
		s.lastEdge = t
	}
	suspect, fresh := in.Lost || s.grade.Suspects(v), false
	if suspect {
		if fresh = t-s.lastSuspect > suspectGap; fresh {
			s.suspectOut, s.suspectFrom = s.out, s.out
		}
		s.lastSuspect = t
	}
	if s.grade == Closed {
		m.markFrom(s.out, t+1)
		s.running = s.running && t < s.runUntil
		return -1
	}
	if s.grade == Pass {
		return -1
	}
	if suspect {
		m.patch(t, in.Lost)
		if fresh {
			s.suspectFrom = s.patchFrom
		}
	}
	m.follow(in, t)
	if k := v.Event.Kind; k == detect.Began || k == detect.Unclear {
		return m.takeSlot(v.Event.Start)
	}
	return -1
}

// patch masks a suspect tick: from its onset where that rose abruptly, else what is still held; from the grid on
// where that leaves enough, for the moment of suspicion depends on the key. Before lost input all is suspect that
// is held: the loss may have cut a key.
func (m *Masker) patch(t int64, lost bool) {
	s := m.state
	from := s.patchUntil // the patch under way is marked up to there
	if t >= from {
		// A new one.
		s.patchFrom = s.out
		if whole := m.ceil(s.out + m.early); t-whole >= m.least && !lost {
			s.patchFrom = whole
		}
		if t-s.lastEdge <= edgeReach {
			s.patchFrom = max(s.out, (s.lastEdge-m.guard)/m.edgeCell*m.edgeCell)
		}
		s.hits = 0
		from = s.patchFrom
	}
	s.hits++
	s.patchUntil = max(s.patchUntil, m.ceil(t+1+Hold(s.hits)))
	m.markFrom(from, s.patchUntil)
}

// follow keeps the run: begins it, extends it while a key sounds, and plans its end from energy alone. Without runs it
// does that for each key.
func (m *Masker) follow(in *Input, t int64) {
	s, v := m.state, &in.Verdict
	if v.Strict || v.Held || in.Lost {
		s.lastKey = t
	}
	loud := t-s.lastKey <= keyReach && v.Power > keyOver*float32(s.fill.level)
	if loud {
		s.lastLoud = t
	}
	key := v.Held || v.Lasting || v.Event.Kind == detect.Unclear
	if m.cfg.Shield == Keys {
		if key && loud {
			m.markFrom(s.patchFrom, keyEnd(t))
		}
		return
	}
	if key {
		if !s.running {
			s.running, s.runFrom, s.runUntil = true, s.patchFrom, runEnd(t)
		}
		s.inField = s.inField || (m.cfg.Shield == Field && in.Field)
	}
	if !s.running {
		return
	}
	if s.inField {
		s.inField = in.Field
		s.runUntil = max(s.runUntil, runEnd(t-quiet))
	}
	if loud {
		s.runUntil = max(s.runUntil, runEnd(t))
	}
}

// keyEnd is where the mask of a lone key ends that still sounded in tick t: on the grid of slots, and after every patch
// of it, because where those end depends on which key it was.
func keyEnd(t int64) int64 { return gridAfter(t + loudReach + mostHold) }

// runEnd is where a run ends whose last key still sounded in tick t: on the grid of slots.
func runEnd(t int64) int64 { return gridAfter(t + quiet) }

// gridAfter is the first tick after t on the grid of slots.
func gridAfter(t int64) int64 { return (t/slotTicks + 1) * slotTicks }

// takeSlot gives a key the first free slot after its onset that can still sound.
func (m *Masker) takeSlot(onset audio.Position) audio.Position {
	s := m.state
	first := int64(onset)/int64(m.tick) + slotAfter
	n := max((first+slotTicks-1)/slotTicks, s.nextSlot, s.out/slotTicks+1)
	n = min(n, s.out/slotTicks+slots-1)
	s.slot[n&(slots-1)] = n + 1
	s.nextSlot = n + 1
	return audio.Position(n * slotTicks * int64(m.tick))
}

func (m *Masker) ceil(t int64) int64 { return (t + m.cell - 1) / m.cell * m.cell }

// markFrom marks the ticks of [from, until) that aren't out yet.
func (m *Masker) markFrom(from, until int64) {
	s := m.state
	until = min(until, s.out+marks)
	for t := max(from, s.out); t < until; t++ {
		s.mark[t&(marks-1)] = true
	}
}
