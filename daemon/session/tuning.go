package session

// Tune shuts an idle line for as long as it is measured: nothing of the caller is heard, nothing that is keyed is captured, nothing can be
// armed. There needn't be a call, and one may begin or end meanwhile. The errors are [ErrHeld], [ErrTuning], [ErrTesting] and [ErrBusy], and
// [ErrBarred] on a line that is a wire.
func (s *Session) Tune() error {
	return s.shut(func(c *call) error {
		c.enter(Tuning, "")
		return nil
	})
}

// Tuned opens the line again. [ErrNotTuning] if it was held meanwhile: it then stays so.
func (s *Session) Tuned() error { return s.open(Tuning) }

// Test is Tune for a technician's test, which gives way to all else: to arming, to a call, to whatever is wrong with the line. begin is called once the
// line is shut, end before it is anything else, both by the session's goroutine, which they must not keep waiting. Besides the errors of Tune there is
// [ErrInCall]; where calls are only presumed, that there is none is for whoever tests to know.
func (s *Session) Test(begin, end func()) error {
	return s.shut(func(c *call) error {
		if c.inCall && !c.presumed {
			return ErrInCall
		}
		c.endTest, c.opened = end, false
		c.enter(Testing, "")
		begin()
		return nil
	})
}

// Tested ends a test. [ErrNotTuning] if it has ended by itself.
func (s *Session) Tested() error { return s.open(Testing) }

// shut has an idle line shut.
func (s *Session) shut(by func(*call) error) (err error) {
	stopped := s.do(func() {
		switch c := &s.call; {
		case c.wired:
			err = c.barred()
		case c.state == Idle:
			err = by(c)
		case c.state == Held:
			err = ErrHeld
		case c.state == Tuning:
			err = ErrTuning
		case c.state == Testing:
			err = ErrTesting
		default:
			err = ErrBusy
		}
	})
	if stopped != nil {
		return stopped
	}
	return err
}

// open makes a line idle that is still as it was shut.
func (s *Session) open(from State) (err error) {
	stopped := s.do(func() {
		if c := &s.call; c.state == from {
			c.enter(Idle, "")
		} else {
			err = ErrNotTuning
		}
	})
	if stopped != nil {
		return stopped
	}
	return err
}
