package level

import "math"

// Clips finds the frames that a converter could not follow: three or more on end at one end of its scale. Fewer are a peak that just fits.
type Clips struct {
	run  int // frames on end at that end, up to here
	high bool
}

const (
	fullScale = math.MaxInt16 // and its negative, and one more
	leastRun  = 3
)

// Count takes the next frames, and how much their squares are in all: where that is less than one frame's at full scale, there is nothing to look for. It
// answers how many are clipped; the first two of a run that began before count with its third.
func (c *Clips) Count(x []int16, squares int64) int {
	if squares < fullScale*fullScale {
		c.run = 0
		return 0
	}
	return c.look(x)
}

func (c *Clips) look(x []int16) (clipped int) {
	for _, v := range x {
		if v < fullScale && v > -fullScale {
			c.run = 0
			continue
		}
		if high := v > 0; high != c.high {
			c.run, c.high = 0, high
		}
		switch c.run++; {
		case c.run == leastRun:
			clipped += leastRun
		case c.run > leastRun:
			clipped++
		}
	}
	return clipped
}
