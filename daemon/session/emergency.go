package session

import (
	"fmt"
	"strings"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/daemon/capture"
)

// numbers follows the agent's keys for an emergency number. Any other key of his may be the caller's, on a line whose legs are coupled, and card numbers,
// expiry dates and codes have 112 and 911 in them. So a number counts only where it stands alone:
//
//	        2 s without a key on either leg             the next key of a number
//	spoilt ---------------------------------> fresh --------------------------------> keyed --+
//	   ^     a call begins                                                              ^-----+
//	   |  a key that goes on with no number, or not within 2 s; a key on the caller's leg; one that both legs hear
//	   +------------------------------------------------------------------------------------+
//	                              whole, and 1 s without a key on either leg ---------> dialled
//
// So keys within a field are none. Of a card on coupled or swapped legs the first key ends the capture, for numbers of cards begin with 2 to 6 or 8, and those to call
// for help with 0, 1 or 9. A code or a date that is keyed by itself, to a line that is held by then, is heard on the caller's leg if that is where it comes from, no softer than
// here, which the echo of a dialled key never is (path.Event.Both). What is left, legs that are swapped or coupled by an amplifier, opens a held line, as somebody's word
// does; what was keyed by then stays masked. Of the keys is remembered how many there are and which numbers begin with them, until one doesn't fit.
type numbers struct {
	of     []string
	live   []bool // which of them begin with the keys so far
	keyed  int    // how many those are
	spoilt bool
	taken  bool           // the last of them didn't reach the caller
	since  audio.Position // where it was fresh last: what began before is of another call, or too long ago
	last   audio.Position // where the newest key began, on either leg
	gap    audio.Position // of more than that a number is fresh,
	after  audio.Position // and dialled
}

const (
	aloneBefore = askGap // so that what is keyed for one thing is one thing
	aloneAfter  = time.Second
)

func newNumbers(list []string, rate audio.Rate, began audio.Position) (numbers, error) {
	for _, number := range list {
		if number == "" || strings.Trim(number, "0123456789") != "" {
			return numbers{}, fmt.Errorf("session: the emergency number %q can't be keyed: use 0-9", number)
		}
	}
	return numbers{of: list, live: make([]bool, len(list)), spoilt: true, last: began,
		gap: audio.Position(rate.Frames(aloneBefore)), after: audio.Position(rate.Frames(aloneAfter))}, nil
}

// take takes a key of the agent's. It answers whether that belongs to a number so far, and whether keys before it turned out not to.
func (n *numbers) take(e *path.Event, taken bool) (known, stray bool) {
	if e.Start-n.last > n.gap {
		stray = n.keyed > 0
		n.fresh(e.Start)
	}
	if e.Start < n.since {
		return false, false
	}
	n.last = max(n.last, e.Start)
	if n.spoilt || e.Both || !n.goesOn(e.Digit) {
		return false, n.spoil(e.Start) || stray
	}
	n.taken = taken
	return true, stray
}

// goesOn reports whether a number has the key next.
func (n *numbers) goesOn(d audio.Digit) (known bool) {
	for i, number := range n.of {
		if n.live[i] = n.live[i] && n.keyed < len(number); n.live[i] {
			next, _ := audio.NewDigit(number[n.keyed])
			n.live[i] = next == d
		}
		known = known || n.live[i]
	}
	if known {
		n.keyed++
	}
	return known
}

// fresh forgets what was keyed before a position: the next key may be a number's first.
func (n *numbers) fresh(at audio.Position) {
	n.keyed, n.spoilt, n.since = 0, false, at
	for i := range n.live {
		n.live[i] = true
	}
}

// spoil takes a key that belongs to no number, and reports whether those before it turn out not to, either.
func (n *numbers) spoil(at audio.Position) (stray bool) {
	if at < n.since {
		return false
	}
	stray = n.keyed > 0
	n.keyed, n.spoilt, n.last = 0, true, max(n.last, at)
	clear(n.live)
	return stray
}

// expire reports whether keys come to nothing because the next hasn't begun by now.
func (n *numbers) expire(now audio.Position) bool {
	return n.keyed > 0 && now-n.last > n.gap && n.spoil(n.last)
}

// dialled answers with the number that stands alone by now, if one does.
func (n *numbers) dialled(now audio.Position) string {
	if n.keyed == 0 || now-n.last < n.after {
		return ""
	}
	for i, number := range n.of {
		if n.live[i] && len(number) == n.keyed {
			return number
		}
	}
	return ""
}

// heed opens the line once the agent has dialled an emergency number, and keeps it from being armed until the call is over, or somebody says so. Keys
// of it that were kept from the caller's side are keyed again, by the box: whoever waits for them there has heard nothing yet. But of a held line nobody knows whether its
// sides are swapped, and then they would be a code, keyed to the agent: who dials there hears that it opens, and dials again. A line that is being tuned
// heeds none: an installer is at it, who presses keys.
func (c *call) heed() {
	number := c.numbers.dialled(c.at - c.frames(keyDelay))
	if number == "" {
		return
	}
	c.numbers.spoil(c.numbers.last)
	if c.state == Tuning {
		return
	}
	again := c.numbers.taken && c.state != Held
	c.open(capture.EmergencyCall)
	c.uncover()
	c.unmark()
	c.bar(capture.EmergencyCall, true)
	if again && c.deps.Dial != nil {
		c.deps.Dial(number)
	}
}

// open lets both legs through at once, but for what is suspect just now, for a call that isn't the capture's: that is void for a reason. A complete card
// goes on being stored.
//
//	armed, keying ----> void ---- what was suspect is over ----> idle
//	held, testing --------------------------------------------> idle
//	a complete card, done, void: as they were, and open
func (c *call) open(why capture.Code) {
	if c.state == Idle || c.state == Tuning {
		return
	}
	if c.capturing() {
		c.void(why)
	}
	if c.state == Testing { // before the path is open
		c.enter(Idle, "")
	}
	c.opened = true
	c.deps.Path.Open()
	if c.state == Held {
		c.unhold()
	}
}
