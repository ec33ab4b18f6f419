package serial

import "math"

// pace reckons how far a modem's clock is, by when its frames come, and whether some never will.
//
//	frames ahead of the machine's clock
//	   x    x                                line, which follows by creep at most: a crystal's drift, not a wake-up that is late
//	 ____x____x__x__________x__x___
//	       x             x                   (a stall: what waited came at once, and the next are in time)
//	              x
//	                                x  x     a step down that stays: the best of a window is lostFrames behind that of the one before
type pace struct {
	begun bool
	given float64 // frames that came, and those that never will
	line  float64
	now   float64 // frames of the machine's clock, when some came last

	best, before float64 // how far ahead the best of this window was, and of the one before
	until        float64 // where the window ends
}

const (
	// creep is more than clocks are apart.
	creep = 1000e-6
	// windowFrames is for how long something is looked at before it counts: what a stall leaves behind is gone within two.
	windowFrames = 0.4 * float64(Rate)
	// lostFrames is a quarter of a window: more than a machine that is busy is late with everything in it.
	lostFrames = windowFrames / 4
)

// came takes that frames came, at a moment of the machine's clock in frames. It answers where the modem's clock is, and how many frames before these
// will never come; full says that a window is over.
func (p *pace) came(frames int, now float64) (clock float64, lost int, full bool) {
	p.given += float64(frames)
	ahead := p.given - now
	if !p.begun {
		*p = pace{begun: true, given: p.given, line: ahead, now: now, best: ahead, before: ahead, until: now + windowFrames}
	}
	step := creep * (now - p.now)
	p.line += min(max(ahead-p.line, -step), step)
	p.now = now
	p.best = max(p.best, ahead)
	if full = now >= p.until; full {
		if p.before-p.best > lostFrames {
			lost = int(p.before - p.best)
			p.given += float64(lost)
			p.best += float64(lost)
		}
		p.until, p.before, p.best = now+windowFrames, p.best, math.Inf(-1)
	}
	return p.line + now, lost, full
}
