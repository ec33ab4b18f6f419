package serial

import (
	"fmt"
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
}

const (
	// answerTime is how long a call that was answered may take to be there, dialTone how long one that was dialled.
	answerTime, reachTime = 10 * time.Second, 3 * time.Minute
	// flowTime is how long sound that was begun may take to come.
	flowTime = 1500 * time.Millisecond
	// tryTime is between two tries to begin the sound.
	tryTime = 300 * time.Millisecond
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
		c.become(ready)
		if faultOf(err).code == Silent { // there may be a call all the same
			c.tell(Event{Kind: Ended})
			c.become(down)
		}
	}
}

// inCall waits for a call to be there, begins its sound, and looks after it.
func (c *control) inCall() {
	feels := feeling(c.sound.feels.Load())
	var a ask
	switch {
	case c.over:
		c.tell(Event{Kind: Ended})
		c.finish(c.voice())
		return
	case !c.begun:
		a = c.wait(checkTime)
		c.reached()
	case c.call.on.IsZero():
		a = c.soundOn()
	case feels == flows:
		if c.now() == calling {
			c.talk()
		}
		if c.fault != Silent {
			c.mended()
		}
		a = c.wait(time.Until(c.answeredLast.Add(checkTime)))
	case time.Since(c.call.on) < flowTime:
		a = c.wait(flowTime - time.Since(c.call.on))
	default:
		a = c.soundFails(feels)
	}
	if a.do != nil {
		a.do(c, a.number)
	} else if time.Since(c.answeredLast) >= checkTime && !c.over {
		c.check()
	}
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
	c.reset()
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
	if c.Reset != "" && c.ctx.Err() == nil {
		c.command(c.Reset, longTime) // its answer may be lost with the port
	}
}

// leaveSound ends the sound. Whoever can't be told any more is taken to have done it.
func (c *control) leaveSound() error {
	if c.voice() && !c.ear.sounding.Load() {
		c.settle()
		return nil
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

// telephone says what is wrong with a number.
func telephone(number string) error {
	digits := strings.TrimPrefix(number, "+")
	if digits == "" || len(digits) > longestNumber || strings.Trim(digits, "0123456789*#") != "" {
		return fmt.Errorf("serial: that is no telephone number: give up to %d digits, with a + before a country's", longestNumber)
	}
	return nil
}
