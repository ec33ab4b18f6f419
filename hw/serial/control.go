package serial

import (
	"context"
	"fmt"
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
	result      at.Result
	rang        time.Time
	number      string
	begun, over bool // a call is
	exists      bool
	soundEnded  bool
	formats     []dle.Format

	call     call
	dialling bool      // the tone of a line that waits for a number is none of a call that is over
	checked  time.Time // when it was last seen whether the modem answers
	fault    string    // Code of what was told as Broken
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
