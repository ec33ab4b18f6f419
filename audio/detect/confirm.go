package detect

import (
	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// confirm decides which key it is, and when it began and ended.
//
//	        one stable pair for 27 ms                 gone for 24 ms,
//	idle ------------------------------> held ---------------------------> idle   (Ended)
//	 ^ |                                  | ^
//	 | |                                  +-+  a hole: bridged
//	 | |
//	 | +-- the last key once more, soon and far softer: held, as its echo, and nothing is told of it
//	 |
//	 +-- a burst of lasting suspicion ends and nothing was held: Unclear
//
// Its witnesses are three windows of 8 ticks, end to end; five where speech or music lies over the tone. In
// each, one and the same row and column must explain the energy; from one to the next their phases must
// advance as those of one frequency near enough to the nominal one, and their levels must stay (see doubt.go).
// Where speech or music is as loud as the key, eight windows bear witness: see patient.go.
type confirm struct {
	strongest [eightTicks]int8 // the keys of the last windows, if they may be one: none

	key       int8  // candidate, or the key held
	agree     uint8 // what the ticks weigh that found it, one after another
	held      bool
	echo      bool           // what is held is the echo of the key before
	row, col  float32        // its levels: amplitudes, following slowly
	began     audio.Position // where the key held began, as was told
	lastTick  int64          // when it was last heard,
	lastEcho  int64          // and its echo
	lastKey   int64          // one past the last tick of the key that ended last,
	lastLevel float32        // its levels together,
	lastPair  int8           // and which it was
	burst     int64          // first tick of strict suspicion, 0 if none
	burstLast int64
	burstHits int64
	burstHeld bool // a key was held within it
}

const (
	farthest      = 96 // ticks that are looked back, with a window before each
	agreed        = 60 // what consecutive ticks must weigh that find the same pair:
	stableWeight  = 12 // one that finds it in three or five windows,
	patientWeight = 15 // patiently,
	scantWeight   = 5  // or patiently with scant evidence
	goneTicks     = 24
	gonePart      = 0.35 // of its level: below it the tone is gone,
	echoPart      = 0.06 // and below this its echo too
	heardHead     = 0.5  // of the energy that is the head of a key,
	headPart      = 0.03 // from so much of its level on
	heldShare     = 0.3  // of the energy, for either to be heard
	echoTicks     = 400  // after a key within which it may come back from the far end,
	echoLevel     = 0.32 // and at the most so loud: 10 dB down. A phone's keys are all of one level.
	burstGap      = 6    // ticks without suspicion that end a burst
	lastingTicks  = 12
	unclearTicks  = 26
)

var echoMost = float32(audio.Amplitude(-28))

func (c *confirm) push(p *plan, e *ear, v *Verdict) {
	now := e.ticks
	if c.held {
		c.follow(p, e, now, v)
	}
	c.candidate(p, e, now, v)
	if v.Strict || c.burstHits > 0 {
		c.watch(p, now, v)
	}
	v.Held = c.held
}

// follow keeps track of the key that is held, and ends it. Its echo, lower and later, still belongs to it; a
// rise back to its own level after that is another key.
func (c *confirm) follow(p *plan, e *ear, now int64, v *Verdict) {
	f := e.fitAt(p, now, int(c.key))
	row, col := amplitude(f.row), amplitude(f.col)
	if c.echo && row+col >= echoLevel*c.lastLevel { // the key again, upon its own echo
		c.held, c.echo, c.agree = false, false, 0
		return
	}
	if f.share > heldShare && row > echoPart*c.row && col > echoPart*c.col {
		c.lastEcho = now
	}
	if f.share > heldShare && row > gonePart*c.row && col > gonePart*c.col {
		if now-c.lastTick >= goneTicks {
			c.end(p, e, now, v)
			return
		}
		c.row += (row - c.row) / 16
		c.col += (col - c.col) / 16
		c.lastTick, c.lastEcho = now, now
		return
	}
	if now-c.lastEcho >= goneTicks {
		c.end(p, e, now, v)
	}
}

// end closes the key that is held.
func (c *confirm) end(p *plan, e *ear, now int64, v *Verdict) {
	back := int(now - c.lastTick)
	end := now - int64(c.crossing(p, e, now, max(0, back-eightTicks), back+eightTicks, -1))
	c.held = false
	c.agree = 0
	if c.echo {
		c.echo = false
		return
	}
	c.lastKey, c.lastLevel, c.lastPair = end, c.row+c.col, c.key
	v.Event = Event{Kind: Ended, Start: c.began, End: c.position(p, end)}
}

// isEcho reports whether a pair that was just confirmed is the key before, come back: softer than it, and than any tone
// that a detector has to take (Q.24: -27 dBm0 is the least that an administration asks for).
func (c *confirm) isEcho(now int64, key int, row, col float32) bool {
	return c.lastKey > 0 && key == int(c.lastPair) && now-c.lastKey < echoTicks && row+col < echoLevel*c.lastLevel &&
		max(row, col) < echoMost
}

// position turns a count of ticks at which the pair window was half full into a position: the tone's edge
// lies half a window and the filter's lag before.
func (c *confirm) position(p *plan, ticks int64) audio.Position {
	return max(0, audio.Position(ticks*int64(p.tick))-audio.Position(eightTicks*p.tick/2+p.filter.lag))
}

// crossing finds, looking back from ticks back to far, where the held key's level passes half of what it is.
func (c *confirm) crossing(p *plan, e *ear, now int64, from, far, sign int) int {
	for back := from; back < min(far, farthest); back++ {
		f := e.fitAt(p, now-int64(back), int(c.key))
		half := amplitude(f.row)+amplitude(f.col) < (c.row+c.col)/2
		if half == (sign > 0) {
			return back
		}
	}
	return min(far, farthest)
}

// candidate looks for a pair in the last windows, and confirms it.
func (c *confirm) candidate(p *plan, e *ear, now int64, v *Verdict) {
	middle := &c.strongest[now&(eightTicks-1)]
	key := int(*middle)
	*middle = none
	if last := &e.sums[eight]; p.windows[eight].may(last, windowShare) {
		*middle = int8(last.key())
	}
	if c.held && key == int(c.key) {
		return
	}
	patient := !c.held && e.likely(p)
	if key == none && !patient { // as it is mostly
		c.agree = 0
		return
	}
	w := e.witnessed(p, key, patient)
	if w.key == none || (c.agree > 0 && int(c.key) != w.key && !c.held) {
		c.agree = 0
		return
	}
	if c.held { // another key before this one was gone
		if c.agree += w.weight; c.agree < agreed {
			return
		}
		c.end(p, e, now, v)
		return // the new one is confirmed at the next tick
	}
	c.key = int8(w.key)
	if c.agree += w.weight; c.agree < agreed {
		return
	}
	c.held, c.agree, c.burstHeld = true, 0, true
	c.row, c.col, c.lastTick, c.lastEcho = w.row, w.col, now, now
	if c.echo = c.isEcho(now, w.key, w.row, w.col); c.echo {
		return
	}
	back := c.crossing(p, e, now, (w.windows-1)*eightTicks, (w.windows+4)*eightTicks, 1)
	start := now - int64(back)
	start = max(start, c.lastKey)
	digit, _ := audio.NewDigit(tone.Keys[w.key])
	v.Event = Event{Kind: Began, Digit: digit, Start: c.position(p, start), Heard: c.heard(p, e, now, back)}
}

// witness is what windows tell of a key: which it is, its levels, how many of them it fills at least, and what that weighs.
type witness struct {
	key      int
	row, col float32
	windows  int
	weight   uint8
}

// noWitness is where they tell of none.
var noWitness = witness{key: none}

// witnessed looks for a key in windows. A pair is what the middle of the first three may be, or none; patient is whether to look
// through eight.
func (e *ear) witnessed(p *plan, pair int, patient bool) witness {
	if s := (stretch{key: pair}); pair != none && s.extend(p, e, shortWindows) {
		if row, col, doubt := s.judge(p, wholeLevel); doubt < shortDoubt {
			return witness{pair, row, col, shortWindows, stableWeight}
		}
		// Its level may change within five: the outer two needn't be full.
		if s.extend(p, e, longWindows) {
			if row, col, doubt := s.judge(p, steadyLevel); doubt < longDoubt {
				return witness{pair, row, col, shortWindows, stableWeight}
			}
		}
	}
	if patient {
		return e.patient(p)
	}
	return noWitness
}

// heard follows the held key's tones further back from the middle of their rise, to where they were too soft to matter or no more
// than a part of the sound.
func (c *confirm) heard(p *plan, e *ear, now int64, back int) audio.Position {
	for ; back < farthest-1; back++ {
		f := e.fitAt(p, now-int64(back+1), int(c.key))
		if f.share < heardHead || amplitude(f.row) < headPart*c.row || amplitude(f.col) < headPart*c.col {
			break
		}
	}
	// A window is explained as soon as so much of its end is.
	const part = int(eightTicks * heardHead)
	return max(0, audio.Position((now-int64(back+part))*int64(p.tick))-audio.Position(p.filter.lag))
}

// watch follows bursts of strict suspicion: how long they last, and whether they ended unconfirmed.
func (c *confirm) watch(p *plan, now int64, v *Verdict) {
	if v.Strict {
		if c.burstHits == 0 {
			c.burst, c.burstHeld = now, c.held
		}
		c.burstHits++
		c.burstLast = now
	}
	v.Lasting = c.burstHits >= lastingTicks
	c.burstHeld = c.burstHeld || c.held
	if now-c.burstLast < burstGap || c.held {
		return
	}
	if c.burstHits >= unclearTicks && !c.burstHeld && v.Event.Kind == Nothing {
		v.Event = Event{
			Kind:  Unclear,
			Start: max(0, audio.Position((c.burst-eightTicks)*int64(p.tick))),
			End:   audio.Position(c.burstLast * int64(p.tick)),
		}
	}
	c.burstHits = 0
}
