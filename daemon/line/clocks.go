package line

import "math"

// clocks judges, once a second, by how much the clocks of a line's two devices differ. Crystals differ by 100 parts in a million and what a USB card makes up
// by 300: beyond that one of them is broken, or runs at another rate than it says. Up to [resample.MostPPM] the line holds it unheard, and beyond by leaving
// frames out; either way somebody should know.
//
//	ok ── more than 700 ppm for 10 s ──▶ clocks_apart ── less for 10 s ──▶ ok
type clocks struct {
	otherwise int // seconds in which it was not as it is told
	apart     bool
}

const (
	apartPPM   = 700
	apartAfter = 10 // seconds: while the difference is being learnt it swings
)

func (c *clocks) second(ppm float64) (apart bool) {
	if c.otherwise++; math.Abs(ppm) > apartPPM == c.apart {
		c.otherwise = 0
	}
	if c.otherwise == apartAfter {
		c.otherwise, c.apart = 0, !c.apart
	}
	return c.apart
}
