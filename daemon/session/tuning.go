package session

// Tune shuts an idle line for as long as it is measured: nothing of the caller is heard, nothing that is keyed is captured, nothing can be
// armed. There needn't be a call, and one may begin or end meanwhile. The errors are [ErrHeld], [ErrTuning] and [ErrBusy], and [ErrBarred] on a line that is a wire.
func (s *Session) Tune() (err error) {
	stopped := s.do(func() {
		switch c := &s.call; {
		case c.wired:
			err = c.barred()
		case c.state == Idle:
			c.enter(Tuning, "")
		case c.state == Held:
			err = ErrHeld
		case c.state == Tuning:
			err = ErrTuning
		default:
			err = ErrBusy
		}
	})
	if stopped != nil {
		return stopped
	}
	return err
}

// Tuned opens the line again. [ErrNotTuning] if it was held meanwhile: it then stays so.
func (s *Session) Tuned() (err error) {
	stopped := s.do(func() {
		if c := &s.call; c.state == Tuning {
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
