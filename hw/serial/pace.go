package serial

import "math"

// pace reckons what time it is by a modem's clock, from when its frames come, and whether some never will. Of what comes in a window the best counts, that is
// how far ahead of the machine's clock the frames were that came in time:
//
//	  x    x  │        x  │  x        │                     what is late doesn't count, nor what is only part of what comes at once
//	x         │           │     x   x │  line, which follows by creep at most: a crystal's drift
//	     x  x │ x    x    │  x        │
//	          │           │           │   x  x   x  x       a step down that stays: lostFrames will never come
type pace struct {
	begun bool
	given float64 // frames that came, and those that never will
	now   float64 // of the machine's clock, when some came last
	until float64 // where the window ends

	best, before float64 // how far ahead the best of this window was, and of the one before
	line         float64
	settled      bool // line stands for something
}

const (
	// creep is more than clocks are apart.
	creep = 1000e-6
	// windowFrames is for how long something is looked at before it counts: what a stall leaves behind is gone within two.
	windowFrames = 0.4 * float64(Rate)
	// lostFrames is more than a machine that is busy is late with everything in a window.
	lostFrames = 0.15 * float64(Rate)
)

// came takes that frames came, at a moment of the machine's clock in frames. It answers how much later it is by the modem's clock, and how many frames before
// these will never come; full says that a window is over.
func (p *pace) came(frames int, now float64) (elapsed float64, lost int, full bool) {
	p.given += float64(frames)
	ahead := p.given - now
	if !p.begun {
		*p = pace{begun: true, given: p.given, now: now, until: now + windowFrames, best: ahead, before: ahead}
	}
	elapsed = now - p.now
	p.now = now
	p.best = max(p.best, ahead)
	if full = now >= p.until; full {
		if p.before-p.best > lostFrames {
			lost = int(p.before - p.best)
			p.given += float64(lost)
			p.best += float64(lost)
		}
		elapsed += p.follow(now - p.until + windowFrames)
		p.until, p.before, p.best = now+windowFrames, p.best, math.Inf(-1)
	}
	return elapsed, lost, full
}

// follow moves the line, once a window, and answers by how much.
func (p *pace) follow(window float64) float64 {
	if !p.settled {
		p.line, p.settled = p.best, true
	}
	step := min(max(p.best-p.line, -creep*window), creep*window)
	p.line += step
	return step
}
