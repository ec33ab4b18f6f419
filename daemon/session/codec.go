package session

import (
	"math/bits"
	"time"

	"github.com/flattone/flattone/audio/path"
)

// codec judges whether the look-ahead is long enough for how keys sound on this line: codecs of mobile networks let them rise so
// slowly that they are suspected late. It goes by the keys of captures, and speaks in their slots, when a star is shown anyway.
//
//	        one key whose head came too early for the mask,
//	        or 2 of the last 16 with too little look-ahead to spare
//	enough -----------------------------------------------------------> poor
//	       <-----------------------------------------------------------
//	         after a call edge, for the next caller comes by another way: 16 keys on end with enough
//
// Two, because one alone may be a voice over a key; 16, because that is a card number.
type codec struct {
	short uint16        // which of the last 16 keys had too little: the newest is bit 0
	worst time.Duration // the least margin of a key, since it was enough
	poor  bool
	edge  bool // a call edge since it became poor,
	good  int  // and so many keys on end with enough
}

const (
	leastMargin = 3 * time.Millisecond // where a key begins is known to about 2
	codecKeys   = 16
	needsStep   = 10 * time.Millisecond
)

// key takes a key's margin.
func (c *codec) key(margin time.Duration) {
	c.short <<= 1
	if margin >= leastMargin {
		if c.good++; c.poor && c.edge && c.good >= codecKeys {
			*c = codec{}
		}
		return
	}
	c.short |= 1
	c.good = 0
	c.worst = min(c.worst, margin-leastMargin)
	if margin < 0 || bits.OnesCount16(c.short) > 1 {
		c.poor, c.edge = true, c.edge && c.poor
	}
}

// call takes an edge of a call.
func (c *codec) call() {
	c.edge, c.good = c.poor, 0
}

// needs is the look-ahead that would do where it is poor, in steps that tell nothing of a single key; 0 where it is enough.
func (c *codec) needs(lookAhead time.Duration) time.Duration {
	if !c.poor {
		return 0
	}
	return (lookAhead - c.worst + needsStep - 1) / needsStep * needsStep
}

// judgeCodec takes a key of the capture, and tells what that changes.
func (c *call) judgeCodec(e *path.Event) {
	before := c.codec.needs(c.cfg.LookAhead)
	c.codec.key(c.cfg.Rate.Duration(int64(e.Margin)))
	if needs := c.codec.needs(c.cfg.LookAhead); needs != before {
		c.deps.Observer.Codec(needs)
	}
}
