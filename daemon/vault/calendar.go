package vault

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/lockout"
)

const (
	// slack is how far a clock that keeps time may be off since it was asked last, a minute ago at most: more is a jump.
	slack = time.Minute
	// longestOff is how long a box is off, most of the time. One that finds its clock further on than that since its last act may have a clock that is wrong.
	longestOff = 24 * time.Hour
	// longestDoubt is how long a start waits for somebody who vouches for such a clock.
	longestDoubt = time.Hour
)

// calendar is the date by which cards are kept, used and shredded. What is shredded is gone for good, so a clock that is set is no reason to: only time that has passed
// is, or a clock that the machine's time service vouches for.
//
//	          the clock has jumped, and nobody vouches for it
//	follows ───────────────────────────────────────────────────▶ counts on: nothing is shredded early, and nothing late
//	   ▲ ◀──── somebody does, or it is back where it should be ──────┘
//	   └─ somebody does, or an hour later ── in doubt, where it starts much later than the log's last entry: nothing is shredded
//
// A start takes the clock as it is, so a restart is also how a person says that it is right.
type calendar struct {
	clock   lockout.Clock
	vouched func() bool

	mu    sync.Mutex
	at    lockout.Moment // when it followed the clock last
	off   time.Duration  // how far the clock has jumped since, 0 while it is followed
	doubt time.Duration  // how much later than the last entry it began, if that is for doubt
	began time.Duration
}

// newCalendar begins where the clock is. last is when the box did something last, zero if never.
func newCalendar(clock lockout.Clock, vouched func() bool, last time.Time) *calendar {
	at := clock()
	c := &calendar{clock: clock, vouched: vouched, at: lockout.Moment{Wall: at.Wall.Round(0), Up: at.Up}, began: at.Up}
	if since := c.at.Wall.Sub(last); !last.IsZero() && since > longestOff {
		c.doubt = since
	}
	return c
}

// now is the date.
func (c *calendar) now() time.Time {
	m := c.clock()
	wall := m.Wall.Round(0) // without the monotonic reading, which is another clock
	c.mu.Lock()
	defer c.mu.Unlock()
	counted := c.at.Wall.Add(m.Up - c.at.Up)
	vouched := c.vouched()
	if vouched || m.Up-c.began > longestDoubt {
		c.doubt = 0
	}
	if c.off = wall.Sub(counted); c.off.Abs() > slack && !vouched {
		return counted
	}
	c.at, c.off = lockout.Moment{Wall: wall, Up: m.Up}, 0
	return wall
}

// shreds is the date, and whether cards may be shredded by it.
func (c *calendar) shreds() (now time.Time, may bool) {
	now = c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	return now, c.doubt == 0
}

// ClockDoubt says why the machine's clock isn't gone by as it is, "" where it is.
func (v *Vault) ClockDoubt() string {
	v.calendar.now()
	v.calendar.mu.Lock()
	defer v.calendar.mu.Unlock()
	switch c := v.calendar; {
	case c.off > 0:
		return fmt.Sprintf("it was set forward by %v", c.off.Round(time.Second))
	case c.off < 0:
		return fmt.Sprintf("it was set back by %v", -c.off.Round(time.Second))
	case c.doubt > 0:
		return fmt.Sprintf("at the start it was %v after the last entry of the audit log, so nothing is shredded for an hour", c.doubt.Round(time.Second))
	}
	return ""
}

// openCalendar has it begin after the box's last act.
func openCalendar(ctx context.Context, clock lockout.Clock, log *audit.Log) (*calendar, error) {
	entries, err := log.Recent(ctx, 1)
	if err != nil {
		return nil, fmt.Errorf("vault: find the box's last act: %w", err)
	}
	var last time.Time
	for _, e := range entries {
		last = e.Time
	}
	if clock == nil {
		began := time.Now()
		clock = func() lockout.Moment {
			now := time.Now()
			return lockout.Moment{Wall: now, Up: now.Sub(began)}
		}
	}
	return newCalendar(clock, func() bool { return log.Clock() == audit.Synchronised }, last), nil
}
