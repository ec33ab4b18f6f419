package serial

import "math"

// pace reckons how far a modem's clock is, by when its frames come, and whether some never will.
//
//	frames ahead of the machine's clock
//	   x    x                              line, which follows by creep at most: a crystal's drift, not a wake-up that is late
//	 ____x____x__x___
//	       x            x  x               later than lostFrames for a whole window, even the earliest: something never came
//	              x (a stall: what waited came at once, and the next are in time)
type pace struct {
	begun bool
	given float64 // frames that came, and those that never will
	line  float64
	now   float64 // frames of the machine's clock, when some came last

	earliest float64 // of the window: by how much that one was late
	until    float64 // where the window ends
}

const (
	// creep is more than clocks are apart.
	creep = 1000e-6
	// windowFrames is for how long something is looked at before it counts: what a stall leaves behind is gone within two.
	windowFrames = 0.4 * float64(Rate)
	// lostFrames is more than a machine that is busy is late with everything, and no more than what a modem gives at a time.
	lostFrames = 0.02 * float64(Rate)
)

// came takes that frames came, at a moment of the machine's clock in frames. It answers where the modem's clock is, and how many frames before these
// will never come; full says that a window is over.
func (p *pace) came(frames int, now float64) (clock float64, lost int, full bool) {
	p.given += float64(frames)
	ahead := p.given - now
	if !p.begun {
		*p = pace{begun: true, given: p.given, line: ahead, now: now, earliest: math.Inf(1), until: now + windowFrames}
	}
	step := creep * (now - p.now)
	p.line += min(max(ahead-p.line, -step), step)
	p.now = now
	p.earliest = min(p.earliest, p.line-ahead)
	if full = now >= p.until; full {
		if p.earliest > lostFrames {
			lost = int(p.earliest)
			p.given += float64(lost)
		}
		p.until, p.earliest = now+windowFrames, math.Inf(1)
	}
	return p.line + now, lost, full
}
