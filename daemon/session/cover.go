package session

import (
	"time"

	"github.com/flattone/flattone/audio"
)

// cover is why the caller is replaced by noise, beside whatever else masks: because somebody asked for it, or because his phone speaks the keys.
//
//	asked: off ── Cover(true) ─────────────────────▶ on ── Cover(false) ─────────────────────────────▶ off
//	talks: off ── armed with such a profile; a key ─▶ on ── Cover(false), or 2 s after the capture ──▶ off
//	both:  ── a call begins or ends, the agent dials an emergency number ──▶ off
//
// A phone that speaks the keys is covered from arming on and not from the first key, for some speak a key when it is touched and send it when it is let go; and for a while
// longer than the last verdict, for others speak it after they have sent it. Whoever must hear the caller in between uncovers him until his next key.
type cover struct {
	asked bool
	talks bool           // the capture's profile says that phones do
	held  bool           // for that,
	until audio.Position // up to here at least
	told  bool           // on, as the observer knows
}

// speaksFor is for how long after a capture a phone may still speak its last key.
const speaksFor = 2 * time.Second

// Cover has the caller replaced by noise at once, in whatever state the line is, or no longer: see [path.Path.Cover]. A capture goes on.
func (s *Session) Cover(on bool) error {
	return s.do(func() {
		v := &s.call.cover
		v.asked, v.held = on, v.held && on
		s.call.setCover()
	})
}

// setCover has the path cover the caller or not, and tells of it if that is new.
func (c *call) setCover() {
	on := c.cover.asked || c.cover.held
	c.deps.Path.Cover(on)
	if on != c.cover.told {
		c.cover.told = on
		c.deps.Observer.Covered(on)
	}
}

// uncover ends it for whatever reason there was.
func (c *call) uncover() {
	c.cover.asked, c.cover.held = false, false
	c.setCover()
}

// speaks covers a key that the phone is about to speak. It is told of later, in the key's slot.
func (c *call) speaks() {
	if c.cover.talks {
		c.cover.held, c.cover.until = true, c.at+c.frames(speaksFor)
		c.deps.Path.Cover(true)
	}
}

// spoken ends that, once nothing is keyed any more that could be spoken.
func (c *call) spoken() {
	switch v := &c.cover; {
	case !v.held:
	case c.capturing():
		v.until = c.at + c.frames(speaksFor)
	case c.at >= v.until:
		v.held = false
		c.setCover()
	}
}
