package serial

import (
	"slices"
	"time"
)

// comeUp brings the modem up, or says why that can't be and waits a while.
func (c *control) comeUp() {
	joined, err := c.wake()
	if err == nil && c.Calls != "" {
		c.exists = false
		err = c.command(c.Calls, longTime)
		joined = joined || c.exists
	}
	if err == nil && !joined {
		err = c.do(slices.Concat(c.Init, c.Before), longTime)
	}
	switch {
	case err != nil:
		c.broken(err)
		c.pause(againTime)
	case joined:
		c.join()
	default:
		c.mended()
		c.rest()
	}
}

// wake finds whether the modem answers. A voice modem that says very much in place of it is in a call that was there before, and says its sound.
func (c *control) wake() (joined bool, err error) {
	before := c.ear.came.Load()
	for range aliveTries { // it may be starting itself
		if err = c.alive(patience / aliveTries); err == nil {
			return false, nil
		}
	}
	if !c.voice() || c.ear.came.Load()-before < soundBytes {
		return false, err
	}
	c.soundEnded = false
	if c.do(c.AudioOff, leaveTime) == nil && c.soundEnded {
		return true, nil
	}
	return false, err
}

const (
	// aliveTries is how often a modem is called, in all patience.
	aliveTries = 3
	// soundBytes is less than patience of sound, in the narrowest coding, and more than anybody says.
	soundBytes = 8000
	// leaveTime is how long it may take to end that sound; with patience it is less than three seconds.
	leaveTime = time.Second
)

// alive asks whether the modem answers. One that refuses even that makes no sense.
func (c *control) alive(within time.Duration) error {
	err := c.command("AT", within)
	if f := faultOf(err); f != nil {
		f.code = Silent
	}
	return err
}

// rest is ready, or ringing where it rang meanwhile.
func (c *control) rest() {
	c.over, c.begun = false, false
	c.become(ready)
	if time.Since(c.rang) < ringTime {
		c.ringing()
	}
}

// stand waits for a call, and looks whether the modem still answers.
func (c *control) stand() {
	if c.fault != "" {
		c.become(down)
		return
	}
	a := c.wait(time.Until(c.checked.Add(checkTime)))
	switch {
	case a.do != nil:
		a.do(c, a.number)
	case c.begun: // by hand, at the modem
		c.enter(call{})
	case c.now() == ready && time.Since(c.checked) >= checkTime:
		c.check()
	}
}

// check looks whether the modem still answers, where there is no sound in the way.
func (c *control) check() {
	defer func() { c.checked = time.Now() }() // also if not even a command can be sent
	if c.ear.sounding.Load() {
		return
	}
	switch err := c.alive(patience); {
	case err == nil && c.fault == Silent:
		c.mended()
	case err != nil && c.ctx.Err() == nil:
		c.broken(err)
		if c.now() == ready {
			c.become(down)
		}
	}
}
