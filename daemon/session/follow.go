package session

import (
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/hw"
)

// Follow handles everything up to the position at on the caller's clock, the path's keys and the audio
// timers, and returns when that is done. Call it about once a period; positions never go back.
func (s *Session) Follow(at audio.Position) error {
	return s.do(func() { s.call.follow(at) })
}

// Edge tells that a call began or ended, or that the line came up in the middle of one: then it is held.
func (s *Session) Edge(e hw.Edge) error {
	return s.do(func() { s.call.edge(e) })
}

// OffHook tells that the agent's side went off-hook anew, while the caller's call goes on: whoever is there now didn't begin the capture, and doesn't know
// of it.
func (s *Session) OffHook() error {
	return s.do(func() {
		if c := &s.call; c.capturing() {
			c.void(capture.AgentOffHook)
		}
	})
}

// Stands tells that no frame has come for too long while the process lives: whoever was on the line may be gone, and another there. What is
// being captured is void, and the line is held. A complete card isn't touched, and the tail of the masking waits for the sound.
func (s *Session) Stands() error {
	return s.do(func() {
		if c := &s.call; c.capturing() {
			c.hold(capture.SoundStands) // masked and told, even where the mark can't be written
		}
	})
}

// NetworkSpoke tells that dial tone, ringing, busy or the like was heard on the line. Where nobody tells of calls, the one there was is
// over; else that is for who tells of it to say, and the agent is told that the caller may be gone.
func (s *Session) NetworkSpoke() error {
	return s.do(func() {
		switch c := &s.call; {
		case !c.capturing():
		case c.presumed:
			c.void(capture.CallEnded)
		case !c.toned:
			c.toned = true
			c.deps.Observer.Warning(c.id, capture.NetworkHeard)
		}
	})
}

// Silent tells for how long both legs have been silent by now. Where nobody tells of calls, that ends the one there was. After a key it is
// reckoned from its slot: how soon its sound fades depends on which key it is.
func (s *Session) Silent(by time.Duration) error {
	return s.do(func() {
		c, most := &s.call, s.cfg.Silence
		if c.capturing() && c.presumed && most > 0 && min(by, c.time(c.at-c.stillAt)) >= most {
			c.void(capture.CallEnded)
		}
	})
}

func (c *call) follow(at audio.Position) {
	if at <= c.at {
		return
	}
	c.at = at
	if c.watch(); c.broken {
		return
	}
	for c.fetch() && c.next.Slot <= at {
		c.hear(c.next)
		*c.next, c.waiting = path.Event{}, false
	}
	c.heed()
	if c.capturing() {
		c.timers()
	}
	c.spoken()
	switch c.state {
	case Done, Void:
		c.settle()
	case Held:
		c.release()
	}
}

// watch voids a capture whose sound can't be trusted, and holds a line whose path broke.
func (c *call) watch() {
	p := c.deps.Path
	if c.rewire(); p.Broken() && !c.wired {
		c.broken = true
		c.hold(capture.LineBroken) // masked and told, even where the mark can't be written
		return
	}
	faults := p.Stats().Faults
	failed := faults != c.faults
	c.faults = faults
	if failed && c.capturing() {
		c.void(capture.Fault)
	}
}

// fetch makes next the oldest event that wasn't heard yet. The caller's cue is asked for here, before its
// slot has come.
func (c *call) fetch() bool {
	if c.waiting {
		return true
	}
	if *c.next, c.waiting = c.deps.Path.Next(); c.waiting && c.next.Kind != path.KeyEnd {
		c.witness.here(c.next.Start, c.frames(aboutNow))
	}
	if c.waiting && c.next.Kind == path.Key {
		c.callerKeyed(c.next)
	}
	if c.waiting && (c.next.Kind == path.Key || c.next.Kind == path.Unclear) && c.wanted(c.next) {
		c.speaks()
	}
	if c.waiting && c.next.Kind == path.Key && c.wanted(c.next) && c.deps.Cue != nil {
		c.deps.Cue(c.next.Slot)
	}
	return c.waiting
}

// wanted reports whether an event belongs to the capture: what began before the line was armed doesn't.
func (c *call) wanted(e *path.Event) bool { return c.capturing() && e.Start >= c.armedAt }

// hear passes a key on to the capture, in its slot; of the agent's keys none gets there.
func (c *call) hear(e *path.Event) {
	if e.Kind == path.AgentKey {
		c.agentKeyed(e)
		return
	}
	if !c.wanted(e) {
		return
	}
	if e.Kind != path.KeyEnd {
		c.stillAt = e.Slot + c.frames(keySounds)
		c.setCover()
	}
	switch e.Kind {
	case path.Key:
		c.judgeCodec(e)
		c.tell(c.machine.Key(e.Digit, c.time(e.Start)))
	case path.KeyEnd:
		c.tell(c.machine.KeyEnd(c.time(e.End)))
	case path.Unclear:
		c.tell(c.machine.Unclear(c.time(e.End)))
	}
}

// timers lets the capture's time pass, and opens the field to the path again after a verdict.
func (c *call) timers() {
	now := c.clock()
	if spoke := c.deps.Path.LastSpeech(); spoke > c.armedAt {
		c.tell(c.machine.Speech(min(c.time(spoke), now)))
	}
	if c.capturing() {
		c.tell(c.machine.Tick(now))
	}
	if c.capturing() {
		c.watchAgent()
	}
	if c.capturing() {
		c.judgeWitness()
	}
	if c.capturing() && c.presumed && c.at >= c.armedAt+c.frames(unwatchedMost) {
		c.void(capture.CallUnwatched)
	}
	if c.capturing() && c.closedAt != none && c.at >= c.closedAt+c.frames(fieldShut) {
		c.closedAt = none
		c.deps.Path.OpenField(true)
	}
}

// tell passes on what the capture says.
func (c *call) tell(events []capture.Event) {
	o := c.deps.Observer
	for _, e := range events {
		switch e.Kind {
		case capture.Stars:
			if c.state == Armed && e.Stars > 0 {
				c.enter(Keying, "")
			}
			o.Key(c.id, e.Field, e.Stars)
		case capture.Verdict:
			c.fieldOver()
			o.Verdict(c.id, e)
		case capture.Warning:
			o.Warning(c.id, e.Code)
		case capture.Complete:
			c.complete(e)
		case capture.Void:
			c.voided(e.Code)
		}
	}
}

// fieldOver ends what masks for the sake of the field, until its or the next one's keys.
func (c *call) fieldOver() {
	c.deps.Path.OpenField(false)
	c.closedAt = c.deps.Path.Position()
}

// settle makes the line idle once the masking's tail is over.
func (c *call) settle() {
	p, least := c.deps.Path, c.frames(settleFor)
	if c.opened {
		least = 0 // the grade alone says it: it was Armed or Closed
	}
	if c.at >= c.lowered+least && p.Settled() && p.Grade() < mask.Armed {
		c.unmark()
		c.enter(Idle, "")
	}
}

// release lets a held line go, if somebody acknowledged and it has been calm.
func (c *call) release() {
	calm := max(c.calm, c.deps.Path.CalmFrom())
	if c.acked && c.at >= calm+c.frames(calmFor) {
		c.unhold()
	}
}

func (c *call) unhold() {
	c.unmark()
	c.enter(Idle, "")
}

// unmark removes the mark. A mark that stays errs on the safe side, and people should know.
func (c *call) unmark() {
	if c.mark.clear() != nil {
		c.deps.Observer.Warning(c.id, capture.MarkStays)
	}
}

func (c *call) edge(e hw.Edge) {
	if c.follow(e.At); c.broken || c.leaveWire(e.Kind) {
		return
	}
	c.inCall, c.presumed = e.Kind != hw.CallEnded, e.Kind == hw.CallPresumed
	c.codec.call()
	if e.Kind == hw.CallBegan || e.Kind == hw.CallEnded {
		c.bar(capture.EmergencyCall, false)
	}
	switch {
	case e.Kind == hw.CallJoined:
		if c.state != Held && !c.bars[capture.EmergencyCall] { // else it is that call still, or one that was armed as little
			c.hold(capture.CallUnknown) // masked and told, even where the mark can't be written
		}
	case c.presumed && c.state != Testing: // which says nothing of the call that was, but that nobody will tell of its end
		if c.capturing() {
			c.void(capture.SourceLost)
		}
	case e.Kind == hw.CallBegan: // somebody else, who may be about to call for help
		c.numbers.fresh(e.At)
		c.open(capture.CallEnded)
	case c.capturing():
		c.void(capture.CallEnded)
	case c.state == Held:
		c.unhold()
	case c.state == Testing: // whoever calls is not to hear it
		c.enter(Idle, "")
	}
	if e.Kind == hw.CallBegan || e.Kind == hw.CallEnded {
		c.uncover()
	}
}
