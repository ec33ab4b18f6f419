package adversary

import "math"

// excerpt is what was heard around one key, with running sums that say of any window what it is worth as
// noise. The sums at i cover the samples before i.
type excerpt struct {
	y      []float64
	colour *colour   // of the noise; nil if it is white
	fill   float64   // power of its surprise
	floor  []float64 // sum of the power to expect, dirt included
	energy []float64 // sum of squares
	white  []float64 // sum of squares of the surprises
	stray  []float64 // log likelihood, sample by sample, as fill with strays in it
}

// strayPrice is the squared size, in units of the floor's power, from which a sample is cheaper as a stray
// than as fill: three sigma. A stray is anything, with a likelihood that falls slowly with its size. Without
// strays a window that is part leaked tone and part fill would make a poor noise, and any tone a better
// answer: the wrong window would be read.
const strayPrice = 9

// newExcerpt takes in y, the colour of its fill, the power of the fill's surprise, and what dirt adds to that
// sample by sample.
func newExcerpt(y, dirt []float64, c *colour, fill float64) *excerpt {
	sums := make([]float64, 4*(len(y)+1))
	x := &excerpt{y: y, colour: c, fill: fill}
	for _, s := range []*[]float64{&x.floor, &x.energy, &x.white, &x.stray} {
		*s, sums = sums[:len(y)+1], sums[len(y)+1:]
	}
	for i, v := range y {
		e := v
		if c != nil {
			e = c.surprise(y, 0, i)
		}
		u := e * e / (fill + dirt[i])
		l := -u / 2
		if u > strayPrice {
			l = -(strayPrice + math.Log(u/strayPrice)) / 2
		}
		x.floor[i+1] = x.floor[i] + fill + dirt[i]
		x.energy[i+1] = x.energy[i] + v*v
		x.white[i+1] = x.white[i] + e*e
		x.stray[i+1] = x.stray[i] + l
	}
	return x
}

// surprises is the energy of n samples from at on as noise of the excerpt's colour, seen for themselves.
func (x *excerpt) surprises(at, n int) float64 {
	if x.colour == nil {
		return x.white[at+n] - x.white[at]
	}
	known := min(memory, n)
	return x.colour.start(x.y, at, n) + x.white[at+n] - x.white[at+known]
}

// isLoud reports that n samples from at on are far above the fill.
func (x *excerpt) isLoud(at, n int) bool {
	return x.energy[at+n]-x.energy[at] > loud*(x.floor[at+n]-x.floor[at])
}

// whitened is the excerpt of the surprises alone, for windows so long that their start doesn't matter.
func (x *excerpt) whitened(dirt []float64) *excerpt {
	return newExcerpt(x.colour.whiten(x.y), dirt, nil, x.fill)
}
