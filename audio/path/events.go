package path

import (
	"sync/atomic"

	"github.com/flattone/flattone/audio"
)

// Event is what the session learns of the keying. Positions count frames of the caller's input.
type Event struct {
	Kind EventKind
	// Digit is none but for Key and AgentKey.
	Digit audio.Digit
	// Both is told of an AgentKey: on the caller's leg a key sounded at the same time, and no softer than one that comes back of the agent's does. So it may be
	// the caller's, on a line whose legs are coupled.
	Both  bool
	power float32 // of an AgentKey, on the way from its leg
	// Start is where the tone began, within about 2 ms.
	Start audio.Position
	// End is one past its last frame; 0 for Key and AgentKey, whose tone still sounds.
	End audio.Position
	// Decided is how many frames had been written when this was decided.
	Decided audio.Position
	// Slot is the position of the input at whose output time the flat tone sounds: when a star is shown.
	// It is -1 where none does: for KeyEnd and AgentKey, and where nothing is masked.
	Slot audio.Position
	// Margin is how many frames of look-ahead were left when a key was first suspected: as reckoned from Start, so to
	// about 2 ms. Below 0 its head was too early for the mask. It is 0 but for Key.
	Margin int
}

// EventKind says what was learnt.
type EventKind uint8

// Kinds of Event.
const (
	Key      EventKind = iota + 1 // a key was confirmed
	KeyEnd                        // the key before is over: Start and End are its
	Unclear                       // a burst as long as a key came and went, and was never confirmed
	AgentKey                      // a key was confirmed on the other leg; of its end nothing is told
)

func (k EventKind) String() string {
	switch k {
	case Key:
		return "key"
	case KeyEnd:
		return "key_end"
	case Unclear:
		return "unclear"
	case AgentKey:
		return "agent_key"
	}
	return "unknown"
}

// queued is how many events wait at the most, a power of two: three seconds of the fastest keying (Q.24: 100 ms a key, two events
// each), where the consumer comes once a period. A queue of them fits a page.
const queued = 64

// queue passes events from the writing thread to one consumer, without locks. No pointers: see locked.New.
type queue struct {
	events     [queued]Event
	put, taken atomic.Int64
}

// add reports false if the consumer is too far behind.
func (q *queue) add(e Event) bool {
	n := q.put.Load()
	if n-q.taken.Load() == queued {
		return false
	}
	q.events[n%queued] = e
	q.put.Store(n + 1)
	return true
}

func (q *queue) take() (Event, bool) {
	n := q.taken.Load()
	if n == q.put.Load() {
		return Event{}, false
	}
	e := q.events[n%queued]
	q.events[n%queued] = Event{}
	q.taken.Store(n + 1)
	return e, true
}
