package serial

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/hw/serial/at"
	"github.com/flattone/flattone/hw/serial/dle"
)

// phase is where a modem is:
//
//	       it answers, Init and Before are OK        RING                Answer                 active, and sound flows
//	down ─────────────────────────────────────▶ ready ────▶ ringing ──────────────────▶ calling ────────────────────────▶ talking
//	 ▲  ▲                                       │ ▲ │         │ ▲                         ▲ │ │                              │
//	 │  └────── it doesn't answer ──────────────┘ │ └─── Dial ┼─┼─────────────────────────┘ │ │                              │
//	 │                                            ├───────────┘ └── refused ────────────────┘ │                              │
//	 │                                            └─────────────── over: AudioOff, HangUp ◀───┴──────────────────────────────┘
//	 └────────────────────── over, and it had refused something, or didn't answer ────────────┘
//
// In down it is tried anew about every second. One that says that there is a call is then in calling.
type phase int32

const (
	down phase = iota
	ready
	ringing
	calling
	talking
)

// ask is what somebody wants of a modem.
type ask struct {
	do     func(*control, string)
	number string
}

// control speaks to a modem. All but phase and asks is its goroutine's.
type control struct {
	Profile
	name  string
	port  *port
	sound *sound
	ear   *ear
	tell  func(Event)
	news  chan said
	asks  chan ask
	phase atomic.Int32
	ctx   context.Context

	// What was heard, until it is acted upon.
	result       at.Result
	rang         time.Time
	number       string
	begun, over  bool // a call is
	exists       bool
	soundEnded   bool
	formats      []dle.Format
	dialling     bool // the tone of a line that waits for a number is none of a call that is over
	answeredLast time.Time

	call  call
	fault string // Code of what was told as Broken
}

const (
	// patience is for how long an answer may be awaited before somebody should know; with checkTime it is less than three seconds.
	patience = 1800 * time.Millisecond
	// checkTime is how often a modem that says nothing is asked whether it still would.
	checkTime = time.Second
	// longTime is for commands whose answer is the network's.
	longTime = 5 * time.Second
	// dialTime is for a modem that answers once it has dialled, key by key.
	dialTime = 30 * time.Second
	// againTime is when something is tried anew.
	againTime = time.Second
	// ringTime without a ring is the end of it: networks ring every six seconds at the longest.
	ringTime = 8 * time.Second
)

func (c *control) now() phase     { return phase(c.phase.Load()) }
func (c *control) become(p phase) { c.phase.Store(int32(p)) }
func (c *control) voice() bool    { return c.Kind == Voice }

// run leads the modem until ctx ends.
func (c *control) run(ctx context.Context) {
	c.ctx = ctx
	for ctx.Err() == nil {
		switch c.now() {
		case down:
			c.comeUp()
		case ready:
			c.stand()
		case ringing:
			c.ring()
		default:
			c.inCall()
		}
	}
}

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
	if c.do(c.AudioOff, patience) == nil && c.soundEnded {
		return true, nil
	}
	return false, err
}

const (
	// aliveTries is how often a modem is called, in all patience.
	aliveTries = 3
	// soundBytes is less than patience of sound, in the narrowest coding, and more than anybody says.
	soundBytes = 8000
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
	a := c.wait(time.Until(c.answeredLast.Add(checkTime)))
	switch {
	case a.do != nil:
		a.do(c, a.number)
	case c.begun: // by hand, at the modem
		c.enter(call{})
	case c.now() == ready && time.Since(c.answeredLast) >= checkTime:
		c.check()
	}
}

// check looks whether the modem still answers, where there is no sound in the way.
func (c *control) check() {
	if c.ear.sounding.Load() {
		c.answeredLast = time.Now()
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

// wait waits for something to happen, or for a while. It answers what somebody wants.
func (c *control) wait(d time.Duration) ask {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case s := <-c.news:
		c.hear(s)
	case a := <-c.asks:
		return a
	case <-c.sound.felt:
	case <-timer.C:
	case <-c.ctx.Done():
	}
	return ask{}
}

// pause waits for a while, unless the call is over or somebody wants something.
func (c *control) pause(d time.Duration) (a ask) {
	for until := time.Now().Add(d); a.do == nil && !c.over && c.ctx.Err() == nil && time.Now().Before(until); {
		a = c.wait(time.Until(until))
	}
	return a
}

// broken tells what the modem can't do, once.
func (c *control) broken(err error) {
	f := faultOf(err)
	if f == nil || c.fault == f.code {
		return // nil: the process ends
	}
	c.fault = f.code
	c.tell(Event{Kind: Broken, Code: f.code, Err: fmt.Errorf("serial: %s: %w", c.name, f)})
}

// mended tells that it can again.
func (c *control) mended() {
	if c.fault != "" {
		c.fault = ""
		c.tell(Event{Kind: Mended})
	}
}
