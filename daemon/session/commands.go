package session

import (
	"fmt"

	"github.com/flattone/flattone/daemon/capture"
)

// Arm begins a capture under the id given, with the profile named or, for "", the default one. When it returns
// nil the mark is on the disk and the path is armed. A test ends by it. The errors are [ErrHeld], [ErrTuning], [ErrBusy], [ErrBarred],
// [ErrNoCall], [ErrProfile], or why the mark can't be written.
func (s *Session) Arm(captureID, profile string) error { return s.ready(captureID, profile, false) }

// Rehearse is Arm for a capture that takes test cards alone, and is told of as a rehearsal by its id.
func (s *Session) Rehearse(captureID, profile string) error { return s.ready(captureID, profile, true) }

// Ready is nil if the line could take a card now, without a test that goes on. The errors are those of Arm, and [ErrTesting].
func (s *Session) Ready() (err error) {
	stopped := s.do(func() {
		if err = s.call.unready(); err == nil && s.call.state == Testing {
			err = ErrTesting
		}
	})
	if stopped != nil {
		return stopped
	}
	return err
}

func (s *Session) ready(captureID, profile string, rehearsal bool) (err error) {
	if stopped := s.do(func() { err = s.call.arm(captureID, profile, rehearsal) }); stopped != nil {
		return stopped
	}
	return err
}

func (c *call) arm(captureID, profile string, rehearsal bool) error {
	if profile == "" {
		profile = c.cfg.Default
	}
	p, known := c.cfg.Profiles[profile]
	if err := c.unready(); err != nil {
		return err
	}
	if !known {
		return fmt.Errorf("%w: %q", ErrProfile, profile)
	}
	at := c.deps.Path.Position()
	p.TestCards = rehearsal
	m, err := capture.New(p, c.deps.Today(), c.time(at))
	if err != nil {
		return err
	}
	if err := c.mark.set(captureID); err != nil {
		m.Close()
		c.mark.clear() // half made, it would hold the next process for nothing
		return err
	}
	c.machine, c.armedAt, c.stillAt, c.toned = m, at, at, false
	c.asks.reset() // what was keyed before belongs to no capture
	c.numbers.spoil(c.numbers.last)
	c.opened = false
	c.strayed, c.witness.alone = none, none
	c.id, c.profile = captureID, profile
	c.deps.Path.OpenField(true)
	c.cover.talks = c.cfg.TalkingKeypads[profile]
	c.cover.held = c.cover.talks
	c.setCover()
	c.enter(Armed, "")
	return nil
}

// unready is why the line can't take a card now.
func (c *call) unready() error {
	switch {
	case c.state == Held:
		return ErrHeld
	case c.state == Tuning:
		return ErrTuning
	case c.state != Idle && c.state != Testing:
		return ErrBusy
	case c.barred() != nil:
		return c.barred()
	case !c.inCall:
		return ErrNoCall
	}
	return nil
}

// Cancel gives the capture up, for the reason given. [ErrNoCapture] if there is none, [ErrTuning] or [ErrTesting] if there is that
// in its place, [ErrComplete] once it is no longer ours to cancel.
func (s *Session) Cancel(why capture.Code) error {
	return s.whileCapturing(func(c *call) { c.void(why) })
}

// MoreTime begins the capture's time-outs again. The errors are those of Cancel.
func (s *Session) MoreTime() error {
	return s.whileCapturing(func(c *call) { c.tell(c.machine.MoreTime(c.clock())) })
}

// Again has a field keyed anew, 0 the present one: see [capture.Machine.Again]. The errors are those of Cancel, [capture.ErrNotKeyed] and
// [capture.ErrNotAsked].
func (s *Session) Again(f capture.Field) (err error) {
	stopped := s.whileCapturing(func(c *call) { err = c.keyAgain(f) })
	if stopped != nil {
		return stopped
	}
	return err
}

func (c *call) keyAgain(f capture.Field) error {
	events, err := c.machine.Again(f, c.clock())
	c.tell(events)
	switch {
	case err == nil:
		c.fieldOver() // the agent is about to ask for it
	case c.card != nil:
		return ErrComplete
	case !c.capturing():
		return ErrNoCapture
	}
	return err
}

func (s *Session) whileCapturing(act func(*call)) (err error) {
	stopped := s.do(func() {
		switch c := &s.call; {
		case c.capturing():
			act(c)
		case c.card != nil:
			err = ErrComplete
		case c.state == Tuning:
			err = ErrTuning
		case c.state == Testing:
			err = ErrTesting
		default:
			err = ErrNoCapture
		}
	})
	if stopped != nil {
		return stopped
	}
	return err
}

// hold closes the line for a reason, from any state: what is being captured is void.
func (c *call) hold(reason capture.Code) error {
	if c.capturing() {
		c.void(reason)
	}
	c.wipe()
	c.acked, c.opened = false, false
	err := c.mark.set(c.id)
	c.enter(Held, reason)
	return err
}

// Acknowledge is somebody's word that a held line may go: it does as soon as there was no suspicion for 3 s of
// audio; or that an emergency call is over. [ErrNotHeld] if it isn't held and there was none.
func (s *Session) Acknowledge() (err error) {
	stopped := s.do(func() {
		switch c := &s.call; {
		case c.state == Held:
			c.acked = true
		case c.bars[capture.EmergencyCall]:
			c.bar(capture.EmergencyCall, false)
		default:
			err = ErrNotHeld
		}
	})
	if stopped != nil {
		return stopped
	}
	return err
}
