package resample

import (
	"sync/atomic"
	"time"
)

// moment is what a writer says to a reader after each period: how much it had written, and when. Neither waits for the other: the
// reader takes what it finds once it finds it whole.
type moment struct {
	turn   atomic.Uint32 // odd while the rest changes
	frames atomic.Int64
	period atomic.Int64 // how many frames come at once
	when   atomic.Int64 // ns
	comes  burst        // the writer's
	last   spoken       // the reader's: what it found last
}

type spoken struct{ frames, period, when int64 }

// patience is how often a reader looks again for a moment that is being changed. A writer changes it in a few nanoseconds, and one that is
// held up there tells nothing that its last period did not.
const patience = 8

// set is told of each period, also of one for which there was no room at all: the reader stands still, and when he is back he must find
// by how much he is behind.
func (m *moment) set(frames int64, when time.Duration) {
	m.turn.Add(1)
	if period := frames - m.frames.Load(); period > 0 { // there was room
		m.comes.turn(period, when)
		m.period.Store(m.comes.usual)
	}
	m.frames.Store(frames)
	m.when.Store(int64(when))
	m.turn.Add(1)
}

// by is how many frames will have been written by a moment, at most two periods more than were written, and how long a period is.
// There is none before the first.
func (m *moment) by(when time.Duration, rate float64) (frames float64, period int64, ok bool) {
	for range patience {
		turn := m.turn.Load()
		now := spoken{m.frames.Load(), m.period.Load(), m.when.Load()}
		if turn&1 == 0 && turn == m.turn.Load() {
			m.last = now
			break
		}
	}
	s := m.last
	if s.period == 0 {
		return 0, 0, false
	}
	since := (when - time.Duration(s.when)).Seconds() * rate
	return float64(s.frames) + min(max(since, -float64(2*s.period)), float64(2*s.period)), s.period, true
}
