package serial

import (
	"time"

	"github.com/flattone/flattone/hw/serial/at"
)

// ring waits for somebody to answer, or for the caller to give up.
func (c *control) ring() {
	a := c.wait(time.Until(c.rang.Add(ringTime)))
	switch {
	case a.do != nil:
		a.do(c, a.number)
	case c.begun:
		c.enter(call{})
	case c.over || time.Since(c.rang) >= ringTime:
		c.rang = time.Time{}
		c.tell(Event{Kind: Ended})
		c.rest()
	}
}

// ringing tells of a call that comes in.
func (c *control) ringing() {
	c.become(ringing)
	c.tell(Event{Kind: Ringing, Number: c.number})
}

// hear takes what the modem said. It only notes; nothing is answered here, since a command may be under way.
func (c *control) hear(s said) {
	if s.result != at.None {
		c.result = s.result
	}
	switch s.news {
	case rings:
		if time.Since(c.rang) >= ringTime {
			c.number = ""
		}
		c.rang = time.Now()
		if c.now() == ready {
			c.over = false
			c.ringing()
		}
	case calls:
		if c.number != s.number {
			c.number = s.number
			if c.now() == ringing {
				c.ringing()
			}
		}
	case begins:
		c.begun, c.over = true, false
	case ends:
		c.over = true
	case dials:
		c.over = c.over || !c.dialling
	case keyed:
		if c.now() == talking {
			c.tell(Event{Kind: KeyHeard})
		}
	case lists:
		c.formats = append(c.formats, s.format)
	case exists:
		c.exists = true
	case soundEnded:
		c.soundEnded = true
	}
}
