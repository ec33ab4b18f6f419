package serial

import (
	"strings"
	"time"
)

// call is what is to be known of the call that there is, or is to be.
type call struct {
	joined, dialled bool
	began           time.Time // when it was answered or dialled
	on              time.Time // when its sound was begun; zero while it isn't
	tries           int       // to begin it
	mends           int       // to begin it anew
	reset           bool      // the modem is told to vanish and come back
}

const (
	// answerTime is how long a call that was answered may take to be there, reachTime how long one that was dialled.
	answerTime, reachTime = 10 * time.Second, 3 * time.Minute
)

// enter is at the beginning of a call.
func (c *control) enter(k call) {
	k.began = time.Now()
	c.call = k
	c.become(calling)
	c.sound.want(true)
}

// join goes on with a call that there was before, without Init, which may end it. A module's sound was begun then, and goes on; what a voice modem is told
// before a call it may refuse within one.
func (c *control) join() {
	c.begun, c.over = true, false
	c.enter(call{joined: true, on: time.Now()})
	if c.voice() {
		c.call.on = time.Time{}
		for _, command := range c.Before {
			if f := faultOf(c.command(command, longTime)); f != nil && f.code == Silent {
				c.broken(f)
				return
			}
		}
	}
}

// answer takes the call that rings.
func (c *control) answer(string) {
	if c.now() != ringing {
		return
	}
	c.connect(call{}, func() error {
		for _, command := range c.Answer {
			if err := c.begin(command, command, longTime); err != nil {
				return err
			}
		}
		return nil
	})
	if c.now() == ready { // it rings on
		c.rest()
	}
}

// dial calls a number, which no error shows.
func (c *control) dial(number string) {
	if c.now() != ready {
		return
	}
	c.dialling = true
	c.connect(call{dialled: true}, func() error {
		return c.begin(strings.Replace(c.Dial, "%s", number, 1), c.Dial, dialTime)
	})
	c.dialling = false
}

// connect begins a call. Without one it is ready.
func (c *control) connect(k call, begin func() error) {
	c.begun, c.over = false, false
	err := c.do(c.Before, longTime)
	if err == nil {
		c.enter(k) // before sound may come
		err = begin()
	}
	switch {
	case err == nil:
		c.rang = time.Time{}
		c.begun = c.begun || len(c.Says.Began) == 0
	case err == errOver:
		c.over = true
	case c.ctx.Err() == nil:
		c.broken(err)
		c.sound.want(false)
		silent := faultOf(err).code == Silent
		if silent || k.dialled {
			c.tell(Event{Kind: Ended})
		}
		if c.become(ready); silent { // there may be a call all the same
			c.become(down)
		}
	}
}

// inCall waits for a call to be there, begins its sound, and looks after it.
func (c *control) inCall() {
	if c.over {
		c.tell(Event{Kind: Ended})
		c.finish(c.voice())
		return
	}
	var a ask
	switch {
	case !c.begun:
		a = c.wait(checkTime)
		c.reached()
	case c.call.on.IsZero():
		a = c.soundOn()
	default:
		a = c.hold()
	}
	switch {
	case a.do != nil:
		a.do(c, a.number)
	case !c.over && time.Since(c.checked) >= checkTime:
		c.check()
	}
}

// hold looks after a call whose sound was begun.
func (c *control) hold() ask {
	feels := feeling(c.sound.feels.Load())
	if feels != flows {
		if wait := flowTime - time.Since(c.call.on); wait > 0 {
			return c.wait(wait)
		}
		return c.soundFails(feels)
	}
	if c.now() == calling {
		c.talk()
	}
	if c.fault != Silent { // which its answer mends
		c.mended()
	}
	return c.wait(time.Until(c.checked.Add(checkTime)))
}

// talk tells that the call is there, with its sound.
func (c *control) talk() {
	c.become(talking)
	kind := Began
	if c.call.joined {
		kind = Joined
	}
	c.tell(Event{Kind: kind})
}

// reached gives up waiting for a call to be there.
func (c *control) reached() {
	since := time.Since(c.call.began)
	if c.begun || c.over || since < answerTime || c.call.dialled && since < reachTime {
		return
	}
	c.over = !c.there()
	c.begun = !c.over
}

// there asks whether there is a call, where the modem can tell.
func (c *control) there() bool {
	if c.Calls == "" {
		return true
	}
	c.exists = false
	return c.command(c.Calls, patience) != nil || c.exists
}

// hangUp ends the call that there is, or rings.
func (c *control) hangUp(string) {
	if p := c.now(); p == ringing || p == calling || p == talking {
		c.finish(true)
		c.tell(Event{Kind: Ended})
	}
}

// finish ends the sound, and the call too if it isn't over, or is at a telephone line, where the receiver has to be put down.
func (c *control) finish(hangUp bool) {
	c.sound.want(false)
	if c.fault == NoSound || c.fault == Deaf {
		c.mended()
	}
	if f := faultOf(c.leaveSound()); f != nil && f.code == Silent { // to end what isn't on may be refused
		c.broken(f)
	}
	if hangUp {
		c.broken(c.do(c.HangUp, longTime))
		c.rang = time.Time{}
	}
	if c.call.joined { // whoever began it may have set up the modem otherwise
		c.become(down)
		return
	}
	c.rest()
}
