package session

import "github.com/flattone/flattone/daemon/capture"

// Stored says that the card of the capture is stored durably. [ErrNoCapture] if the session has no such card:
// it gave up waiting, and has said so.
func (s *Session) Stored(captureID string) error {
	return s.whileKept(captureID, func(c *call) {
		c.wipe()
		c.enter(Done, "")
	})
}

// NotStored says that it isn't. Unless that is final, the card is handed over again, until the deadline.
// [ErrNoCapture] as for Stored.
func (s *Session) NotStored(captureID string, final bool) error {
	return s.whileKept(captureID, func(c *call) {
		if !final {
			c.again.Reset(retryAfter)
			return
		}
		c.voided(capture.NotStored)
	})
}

// Reconnected says that whoever stores cards may have missed the last one: it is handed over again.
func (s *Session) Reconnected() error {
	return s.do(s.call.handOver)
}

func (s *Session) whileKept(captureID string, act func(*call)) (err error) {
	stopped := s.do(func() {
		if c := &s.call; c.card != nil && c.id == captureID {
			act(c)
		} else {
			err = ErrNoCapture
		}
	})
	if stopped != nil {
		return stopped
	}
	return err
}

// complete takes the card from the capture and hands it over.
func (c *call) complete(e capture.Event) {
	c.card = c.machine.Take()
	c.machine.Close()
	c.machine = nil
	c.handed = HandOver{
		Capture: c.id, Profile: c.profile, Brand: e.Brand, Last4: e.Last4,
		ExpiryMonth: e.ExpiryMonth, ExpiryYear: e.ExpiryYear,
	}
	c.deadline.Reset(c.cfg.AckDeadline)
	c.handOver()
}

func (c *call) handOver() {
	if c.card != nil {
		c.deps.Observer.HandOver(c.handed, c.card)
	}
}

// giveUp ends the wait for an answer.
func (c *call) giveUp() {
	if c.card != nil {
		c.voided(capture.StoreTimeout)
	}
}

// void ends the capture for a reason.
func (c *call) void(code capture.Code) { c.tell(c.machine.End(code)) }

// voided wipes, and says that there is no card.
func (c *call) voided(code capture.Code) {
	c.wipe()
	c.enter(Void, code)
}
