package adversary

// memory is the order of a colour: how many samples back the noise is predicted from.
const memory = 8

// colour is the shape of a noise's spectrum, as linear prediction: noise whose samples, given those before
// them, have a known mean and an error of fixed power. Whoever fits tones in coloured noise as if it were
// white takes the band where the noise is strong for the tones that lie there.
//
// The zero colour is not ready: see newColour.
type colour struct {
	predict [memory + 1][memory]float64 // predict[k][j] weighs the sample j+1 back, with k samples known
	excess  [memory + 1]float64         // power of that prediction's error, over the power with all known
}

// newColour makes the colour of a noise from its autocorrelation at lags 0 to memory (Levinson's recursion).
func newColour(r [memory + 1]float64) *colour {
	c := new(colour)
	var errors [memory + 1]float64
	errors[0] = r[0] * (1 + 1e-9)
	for k := 1; k <= memory; k++ {
		last := c.predict[k-1]
		reflection := r[k]
		for j := range k - 1 {
			reflection -= last[j] * r[k-1-j]
		}
		reflection /= errors[k-1]
		for j := range k - 1 {
			c.predict[k][j] = last[j] - reflection*last[k-2-j]
		}
		c.predict[k][k-1] = reflection
		errors[k] = errors[k-1] * (1 - reflection*reflection)
	}
	for k := range errors {
		c.excess[k] = errors[k] / errors[memory]
	}
	return c
}

// surprise is how far sample i of x is from what the samples before it, from start on, predict.
func (c *colour) surprise(x []float64, start, i int) float64 {
	k := min(i-start, memory)
	e := x[i]
	for j, w := range c.predict[k][:k] {
		e -= w * x[i-1-j]
	}
	return e
}

// whiten is x as its surprises.
func (c *colour) whiten(x []float64) []float64 {
	e := make([]float64, len(x))
	for i := range x {
		e[i] = c.surprise(x, 0, i)
	}
	return e
}

// weigh multiplies x by the inverse of the noise's covariance, in units of the surprise's power: its inner
// product with a window is that of the two in noise made white.
func (c *colour) weigh(x []float64) []float64 {
	w := make([]float64, len(x))
	for i := range x {
		k := min(i, memory)
		e := c.surprise(x, 0, i) / c.excess[k]
		w[i] += e
		for j, p := range c.predict[k][:k] {
			w[i-1-j] -= p * e
		}
	}
	return w
}

// start is what the first samples of the window x[at:] add to its energy in white noise, for as many as have
// less than all their memory within it.
func (c *colour) start(x []float64, at, n int) (energy float64) {
	for k := range min(memory, n) {
		e := c.surprise(x, at, at+k)
		energy += e * e / c.excess[k]
	}
	return energy
}
