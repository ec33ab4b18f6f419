package path

import (
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect"
)

// echoes tells which keys on the caller's leg are the agent's, come back from the far end. Those are masked as any other
// and are no event: no star, no slot, nothing in the capture.
//
//	confirmed ---> waiting ---> the caller's: told     the agent's leg is known to hold no such key, or time is up
//	                      ---> an echo: dropped        the agent keyed the same, and its end is dropped with it
//
// It waits because the agent's leg is listened to in periods of its own, so the caller's may be ahead. That shows nowhere: a key's
// slot is chosen from its onset.
type echoes struct {
	keys    [8]agentKey
	next    int
	held    bool // the newest of keys still sounds
	waiting detect.Event
	dropped bool  // the end that comes next belongs to an echo
	untold  Event // a key of the agent's that may yet be heard on the caller's leg
}

// agentKey is a key of the agent's, on the caller's clock.
type agentKey struct {
	digit      audio.Digit
	from, upto audio.Position
}

const (
	echoReach = 100 * time.Millisecond // after the agent's key within which its echo may begin: a mobile or a satellite leg
	echoSlack = 20 * time.Millisecond  // by which the two legs' clocks may differ: a period
	echoSure  = 10 * time.Millisecond  // after an onset by which the agent's leg is suspected, if it has a key there
	echoGap   = 6 * time.Millisecond   // of suspicion that ends it
	// echoWait after its onset, and the look-ahead, a key is told, come what may: just before the first slot that it could have
	// begins to sound. That is enough for periods of up to 50 ms.
	echoWait = 58 * time.Millisecond
)

// sift takes what was decided at a tick that ends at a position, and answers what is to be told of it: a key, its end, both, or neither.
func (a *Agent) sift(e detect.Event, now audio.Position) (told, end detect.Event) {
	// First, for the agent's keys up to there can be learnt afterwards.
	judged, suspect := audio.Position(a.judged.Load()), audio.Position(a.suspect.Load())
	a.learn(now)
	s := &a.state.echoes
	switch e.Kind {
	case detect.Began:
		s.waiting, e = e, detect.Event{}
	case detect.Unclear:
		if s.near(a.path.rate, e.Start, audio.Digit{}) {
			return told, end
		}
	case detect.Ended:
		if s.dropped {
			s.dropped = false
			return told, end
		}
	}
	if s.waiting.Kind == detect.Nothing {
		return e, end
	}
	echo, sure := a.echo(s.waiting, now, judged, suspect)
	switch {
	case echo:
		s.dropped = e.Kind != detect.Ended
	case sure || e.Kind == detect.Ended:
		told, end = s.waiting, e
	default:
		return told, end
	}
	s.waiting = detect.Event{}
	return told, end
}

// echo reports whether a key is the agent's, and if it isn't, whether that is sure by now: the agent's leg was listened to up to
// judged, and last suspected at suspect.
func (a *Agent) echo(e detect.Event, now, judged, suspect audio.Position) (echo, sure bool) {
	frames := func(d time.Duration) audio.Position { return audio.Position(a.path.rate.Frames(d)) }
	s := &a.state.echoes
	if s.near(a.path.rate, e.Start, e.Digit) {
		return true, true
	}
	unknown := judged < e.Start+frames(echoSure) || judged-suspect < frames(echoGap) && !s.held
	return false, !unknown || now >= e.Start+frames(echoWait)+audio.Position(a.path.delay)
}

// near reports whether the agent keyed a digit, or any for none, whose echo may begin at a position.
func (s *echoes) near(rate audio.Rate, at audio.Position, digit audio.Digit) bool {
	for i := range s.keys {
		k := &s.keys[i]
		if !k.digit.IsNone() && (digit.IsNone() || k.digit == digit) &&
			at >= k.from-audio.Position(rate.Frames(echoSlack)) && at <= k.upto+audio.Position(rate.Frames(echoReach)) {
			return true
		}
	}
	return false
}

// learn takes what the agent has keyed since, and has the path tell of it.
func (a *Agent) learn(now audio.Position) {
	s, keys := &a.state.echoes, &a.state.keys
	frames := func(d time.Duration) audio.Position { return audio.Position(a.path.rate.Frames(d)) }
	for e, ok := keys.take(); ok; e, ok = keys.take() {
		if e.Kind == AgentKey {
			a.tellKey(now)
			s.untold = e
			s.next = (s.next + 1) % len(s.keys)
			s.keys[s.next] = agentKey{e.Digit, e.Start, never}
			s.held = true
		} else {
			s.keys[s.next].upto = e.End
			s.held = false
		}
	}
	if s.untold.Kind == AgentKey && now >= s.untold.Start+frames(bothWait) {
		a.tellKey(now)
	}
}

// tellKey has the path tell of the agent's key that wasn't told yet, if there is one.
func (a *Agent) tellKey(now audio.Position) {
	e := a.state.echoes.untold
	if e.Kind != AgentKey {
		return
	}
	a.state.echoes.untold = Event{}
	e.Both = a.path.burst.rivals(e.Start-audio.Position(a.path.rate.Frames(echoSlack)), e.power)
	e.Decided, e.Slot, e.power = now, -1, 0
	a.path.tell(e)
}

// never is later than any position, and leaves room to add to it.
const never = audio.Position(1 << 62)
