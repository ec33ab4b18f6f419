package capture_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/daemon/capture"
)

// today is the date that expiry is judged by here.
var today = time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)

// caller plays a script of keys to a machine: each key sounds 80 ms and the next begins 200 ms after it. Other
// characters:
//
//	_  one second passes        -  100 ms pass (the next key comes later by that)
//	?  a key is unclear         s  the caller speaks until now
//	m  more time                !  the capture is cancelled
//	(  the next keys sound until )
//	r  the field is keyed anew  p, e, v  that field is
//
// It notes what comes out, without digits and, unless stars is set, without stars.
type caller struct {
	t     testing.TB
	m     *capture.Machine
	now   time.Duration
	stars bool
	holds bool
	said  []string
	// tick is how often time is told between; 0 is never.
	tick time.Duration
}

const (
	keyLasts = 80 * time.Millisecond
	keyEvery = 200 * time.Millisecond
)

// start is not zero, as on a line that has been up for a while.
const start = time.Hour

func call(t testing.TB, p capture.Profile) *caller {
	t.Helper()
	m, err := capture.New(p, today, start)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return &caller{t: t, m: m, now: start}
}

func (c *caller) pass(d time.Duration) {
	end := c.now + d
	for c.tick > 0 && c.now+c.tick < end {
		c.now += c.tick
		c.note(c.m.Tick(c.now))
	}
	c.now = end
	c.note(c.m.Tick(c.now))
}

func (c *caller) play(script string) *caller {
	for _, k := range []byte(script) {
		switch k {
		case ' ':
		case '_':
			c.pass(time.Second)
		case '-':
			c.pass(100 * time.Millisecond)
		case '?':
			c.note(c.m.Unclear(c.now))
			c.pass(keyEvery)
		case 's':
			c.note(c.m.Speech(c.now))
		case 'm':
			c.note(c.m.MoreTime(c.now))
		case 'r', 'p', 'e', 'v':
			c.again(map[byte]capture.Field{'p': capture.PAN, 'e': capture.Expiry, 'v': capture.CVV}[k])
		case '!':
			c.note(c.m.End(capture.Cancelled))
		case '(':
			c.holds = true
		case ')':
			c.holds = false
			c.note(c.m.KeyEnd(c.now))
		default:
			c.press(k, keyLasts, keyEvery)
		}
	}
	return c
}

// again notes why it isn't done, too.
func (c *caller) again(f capture.Field) {
	events, err := c.m.Again(f, c.now)
	c.note(events)
	if err != nil {
		c.said = append(c.said, map[error]string{capture.ErrOver: "over", capture.ErrNotAsked: "not asked", capture.ErrNotKeyed: "not keyed"}[cause(err)])
	}
}

// cause is the error within that others wrap.
func cause(err error) error {
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err
}

func (c *caller) press(k byte, lasts, every time.Duration) {
	d, ok := audio.NewDigit(k)
	if !ok {
		c.t.Fatal("the script has a character that is no key")
	}
	c.note(c.m.Key(d, c.now))
	if c.holds {
		c.pass(every)
		return
	}
	c.pass(lasts)
	c.note(c.m.KeyEnd(c.now))
	c.pass(every - lasts)
}

func (c *caller) note(events []capture.Event) {
	for _, e := range events {
		switch e.Kind {
		case capture.Stars:
			if c.stars {
				c.said = append(c.said, fmt.Sprintf("%v:%d", e.Field, e.Stars))
			}
		case capture.Verdict:
			s := fmt.Sprintf("%v %s", e.Field, e.Code)
			if e.Brand != "" {
				s += " " + string(e.Brand)
			}
			c.said = append(c.said, s)
		case capture.Warning:
			c.said = append(c.said, "warn "+string(e.Code))
		case capture.Complete:
			c.said = append(c.said, "complete")
		case capture.Void:
			c.said = append(c.said, "void "+string(e.Code))
		default:
			c.t.Errorf("an event of kind %v", e.Kind)
		}
	}
}

func (c *caller) expect(want string) {
	c.t.Helper()
	if got := strings.Join(c.said, ", "); got != want {
		c.t.Errorf("the machine says\n  %s\nand should say\n  %s", got, want)
	}
	c.said = nil
}

// expectCard compares the finished card, and never shows it.
func (c *caller) expectCard(pan, expiry, cvv string) {
	c.t.Helper()
	card := c.m.Take()
	if card == nil {
		c.t.Error("no card")
		return
	}
	defer card.Destroy()
	if string(card.PAN.Reveal()) != pan || string(card.Expiry.Reveal()) != expiry || string(card.CVV.Reveal()) != cvv {
		c.t.Error("card differs")
	}
	if c.m.Take() != nil {
		c.t.Error("the card can be taken twice")
	}
}
