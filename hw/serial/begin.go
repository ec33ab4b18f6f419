package serial

import "time"

const (
	// flowTime is how long sound that was begun may take to come.
	flowTime = 1500 * time.Millisecond
	// tryTime is between two tries to begin the sound.
	tryTime = 300 * time.Millisecond
)

// soundOn begins the call's sound.
func (c *control) soundOn() ask {
	err := c.do(c.AudioOn, longTime)
	c.call.tries++
	switch {
	case err == nil:
		c.call.on = time.Now()
		return ask{}
	case c.call.tries < c.AudioTries:
		return c.pause(tryTime)
	}
	c.broken(err)
	if f := faultOf(err); f != nil && f.code == Refuses {
		c.reset()
	}
	c.call.tries = 0
	return c.pause(againTime)
}

// soundFails tells what is wrong with a call's sound, and begins it anew. It doesn't where the modem takes nothing: it will, or not.
func (c *control) soundFails(f feeling) ask {
	code, text := NoSound, "there is a call, and no sound of it: check that this is the port for sound"
	switch f {
	case stands:
		text = "the call's sound has stopped"
	case partly:
		text = "only part of the call's sound comes"
	case deaf:
		code, text = Deaf, "it takes no more of the sound that it is given"
	}
	c.broken(&fault{code, text})
	if f != deaf && !c.there() {
		c.over = true
		return ask{}
	}
	if f == deaf || c.call.mends >= max(c.AudioTries, 1) {
		if f != deaf && f != partly {
			c.reset()
		}
		return c.wait(checkTime)
	}
	c.call.mends++
	c.leaveSound()
	c.call.on, c.call.tries = time.Time{}, 0
	return ask{}
}

// reset has the modem vanish, and come back in order.
func (c *control) reset() {
	if c.Reset != "" && !c.call.reset && c.ctx.Err() == nil {
		c.call.reset = true
		c.command(c.Reset, longTime) // its answer may be lost with the port
	}
}

// leaveSound ends the sound. Whoever can't be told any more is taken to have done it.
func (c *control) leaveSound() error {
	if c.voice() && !c.ear.sounding.Load() {
		c.settle()
		return nil
	}
	if c.voice() {
		c.port.hush(true)
	}
	err := c.do(c.AudioOff, longTime)
	c.ear.sounding.Store(false)
	return err
}

// settle lets a modem that left the sound by itself refuse what it was given to play since, which it takes for commands.
func (c *control) settle() {
	c.port.send([]byte("\r"))
	for until := time.Now().Add(tryTime); c.ctx.Err() == nil && time.Now().Before(until); {
		c.wait(time.Until(until))
	}
}
