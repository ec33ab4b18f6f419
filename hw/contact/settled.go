package contact

import "time"

const (
	// bounces is for how long a contact must stand: relays and hook switches bounce for up to 20 ms.
	bounces = 30 * time.Millisecond
	// ringing is for how long a contact must be open for a ring to be over: longer than half a period of the ringing current (16 to 50
	// Hz) and than the short gap of a double ring (200 ms), shorter than the gap between rings.
	ringing = 500 * time.Millisecond
)

// settled says how a contact stands that bounces.
//
//	         open for opening
//	open  ◀──────────────────── closed        a look at the other kind begins the wait anew;
//	  └─────────────────────────▶ ▲           before the first of the two, nothing is known
//	         closed for closing
type settled struct {
	closing, opening time.Duration

	known, closed bool // how it stands

	looked, last bool // how it was seen last,
	since        time.Time
}

// look takes how the contact is seen, and reports whether it now stands otherwise than before.
func (s *settled) look(closed bool, at time.Time) (changed bool) {
	if !s.looked || closed != s.last {
		s.looked, s.last, s.since = true, closed, at
	}
	wait := s.opening
	if closed {
		wait = s.closing
	}
	if at.Sub(s.since) < wait || s.known && s.closed == closed {
		return false
	}
	s.known, s.closed = true, closed
	return true
}
