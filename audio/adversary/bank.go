package adversary

import (
	"math"
	"slices"

	"github.com/flattone/flattone/audio/tone"
)

const (
	// senderError is how far off its frequency a sender may be (Q.23: 1.8 %).
	senderError = 0.018
	// offGrid is the largest distance between a tone and its template, in cycles per window, that is left
	// uncorrected. At a quarter of a cycle a template still catches 81 % of the tone's energy.
	offGrid = 0.25
	// companding is the power of G.711's error below the signal's: no window can be explained better.
	companding = 1.6e-4
	// loud is how far above the fill, as a power, a window must be for frequency error to show in a short one,
	// and for the noise in it to be the caller's and not the fill's.
	loud = 30
)

// bank explains windows of n samples by pairs of tones. A pair is four sinusoids (cosine and sine of a row
// and of a column) with amplitudes of their own, fitted by least squares; what the fit leaves over says
// how likely the window is if that pair was in it.
//
// Time runs from the middle of the window, so that cosines and sines are orthogonal, in noise of any colour,
// and the fit falls apart into two systems of two unknowns. A bank is good for one goroutine at a time.
type bank struct {
	n       int
	grid    int         // templates per tone, an odd number: the nominal frequency is the middle one
	columns [8][]column // of the rows, then of the columns of the keypad
	cross   [16][]gram  // per symbol of tone.Keys: products of its row's templates with its column's, row by row
}

// column is one template: cosine and sine, as weights for a window of the noise's colour, what each weight
// makes of its own template, and the inner products p and q of each with the window last projected.
type column struct {
	cos, sin       []float64
	cosSq, sinSq   float64
	radiansASample float64
	p, q           float64
}

// gram holds inner products of a row's cosine with a column's, and sine with sine.
type gram struct{ cos, sin float64 }

// newBank prepares the templates for windows of n samples in noise of a colour, white if it is nil.
func newBank(n int, rate float64, c *colour) *bank {
	span := senderError * tone.Cols[3] * float64(n) / rate // cycles a window from the nominal to the edge
	// Short windows can't tell the frequencies of a grid apart, but in the loudest leak, for which they have three.
	half := max(1, int(math.Round(span/(2*offGrid))))
	b := &bank{n: n, grid: 2*half + 1}
	for t, hz := range slices.Concat(tone.Rows[:], tone.Cols[:]) {
		for g := -half; g <= half; g++ {
			w := 2 * math.Pi * hz * (1 + senderError*float64(g)/float64(half)) / rate
			b.columns[t] = append(b.columns[t], newColumn(w, n))
		}
	}
	// The columns are weighed before, the rows after their products are taken.
	b.weigh(b.columns[4:], c)
	for s := range b.cross {
		for i := range b.columns[s/4] {
			for j := range b.columns[4+s%4] {
				b.cross[s] = append(b.cross[s], product(&b.columns[s/4][i], &b.columns[4+s%4][j], c))
			}
		}
	}
	b.weigh(b.columns[:4], c)
	return b
}

// weigh turns templates into weights for noise of a colour.
func (b *bank) weigh(group [][]column, c *colour) {
	if c == nil {
		return
	}
	for _, templates := range group {
		for g := range templates {
			t := &templates[g]
			cos, sin := c.weigh(t.cos), c.weigh(t.sin)
			t.cosSq, t.sinSq = dot(t.cos, cos), dot(t.sin, sin)
			t.cos, t.sin = cos, sin
		}
	}
}

// product is the gram of a row's template with a column's, which has been weighed.
func product(row, col *column, c *colour) gram {
	if c != nil {
		return gram{cos: dot(row.cos, col.cos), sin: dot(row.sin, col.sin)}
	}
	n := len(row.cos)
	diff, sum := dirichlet(row.radiansASample-col.radiansASample, n), dirichlet(row.radiansASample+col.radiansASample, n)
	return gram{cos: (diff + sum) / 2, sin: (diff - sum) / 2}
}

func newColumn(w float64, n int) column {
	c := column{cos: make([]float64, n), sin: make([]float64, n), radiansASample: w}
	turnSin, turnCos := math.Sincos(w)
	y, x := math.Sincos(-w * float64(n-1) / 2)
	for k := range n {
		c.cos[k], c.sin[k] = x, y
		x, y = x*turnCos-y*turnSin, x*turnSin+y*turnCos
	}
	d := dirichlet(2*w, n)
	c.cosSq, c.sinSq = (float64(n)+d)/2, (float64(n)-d)/2
	return c
}

// dirichlet is the sum of cos(w k) over n samples around the middle of a window.
func dirichlet(w float64, n int) float64 {
	if math.Abs(w) < 1e-12 {
		return float64(n)
	}
	return math.Sin(float64(n)*w/2) / math.Sin(w/2)
}

// evidence raises best[s] to the log likelihood ratio of "the window that begins at frame at holds symbol s"
// against "it holds noise", less the prior's price, in nats, for every symbol for which that is higher, and
// then sets length[s].
//
// With a tone, the rest is noise of unknown power, but not less than the floor. The tone's amplitudes are
// drawn from normal distributions as wide as the window is loud, and integrated out: a conjugate model, so
// that the answer is in closed form, and a pair that needs improbable amplitudes to fit pays for it.
func (b *bank) evidence(x *excerpt, at int, price float64, symbols []int, best *[16]float64, length *[16]int) {
	window := x.y[at : at+b.n]
	n := float64(b.n)
	energy, floor := x.surprises(at, b.n), (x.floor[at+b.n]-x.floor[at])/n
	if energy == 0 {
		return // silence tells nothing
	}
	power := max((x.energy[at+b.n]-x.energy[at])/n, floor)
	least := max(floor, companding*energy/n) // noise under a tone
	ridge := min(1, least/power)
	noise := max(b.logNoise(energy, floor), x.stray[at+b.n]-x.stray[at])
	noise += n/2*math.Log(least/floor) + price
	occam := 2 * math.Log(ridge)

	first, last := 0, b.grid
	if b.grid == 3 && energy < loud*n*floor {
		first, last = 1, 2
	}
	b.project(window, first, last)
	for _, s := range symbols {
		for i := first; i < last; i++ {
			for j := first; j < last; j++ {
				q, det := b.explained(s, i, j, ridge)
				l := b.logNoise(max(energy-q, 0), least) - noise
				if l < best[s] {
					continue // even before paying for the amplitudes
				}
				if l += occam - math.Log(det)/2; l > best[s] {
					best[s], length[s] = l, b.n
				}
			}
		}
	}
}

// remains is a window of noise as it is, or, if a pair of tones explains most of it, what the best pair leaves.
// Always to take the best pair out would dig a hole into the noise where the tones lie. The bank is a white one.
func (b *bank) remains(window []float64, symbols []int) []float64 {
	b.project(window, 0, b.grid)
	most, symbol, row, col := energyOf(window)/2, -1, 0, 0
	for _, s := range symbols {
		for i := range b.grid {
			for j := range b.grid {
				if q, _ := b.explained(s, i, j, 0); q > most {
					most, symbol, row, col = q, s, i, j
				}
			}
		}
	}
	if symbol < 0 {
		return window
	}
	r, c, x := &b.columns[symbol/4][row], &b.columns[4+symbol%4][col], b.cross[symbol][row*b.grid+col]
	rowCos, colCos, _ := solve(r.cosSq, c.cosSq, x.cos, r.p, c.p)
	rowSin, colSin, _ := solve(r.sinSq, c.sinSq, x.sin, r.q, c.q)
	left := slices.Clone(window)
	for k := range left {
		left[k] -= rowCos*r.cos[k] + colCos*c.cos[k] + rowSin*r.sin[k] + colSin*c.sin[k]
	}
	return left
}

// project takes the window's inner products with the templates first to last-1 of every tone.
func (b *bank) project(window []float64, first, last int) {
	for t := range b.columns {
		for g := first; g < last; g++ {
			c := &b.columns[t][g]
			c.p, c.q = project(window, c.cos, c.sin)
		}
	}
}

// explained is the energy of the last window projected that row template i and column template j of a
// symbol explain together, and the determinant of the fit. The ridge keeps the fit of windows too short to
// tell the two tones apart from answering with giant tones that cancel.
func (b *bank) explained(symbol, i, j int, ridge float64) (energy, det float64) {
	r, c, x := &b.columns[symbol/4][i], &b.columns[4+symbol%4][j], b.cross[symbol][i*b.grid+j]
	rowCos, colCos, d1 := solve(r.cosSq+ridge, c.cosSq+ridge, x.cos, r.p, c.p)
	rowSin, colSin, d2 := solve(r.sinSq+ridge, c.sinSq+ridge, x.sin, r.q, c.q)
	return rowCos*r.p + colCos*c.p + rowSin*r.q + colSin*c.q, d1 * d2
}

// logNoise is the log likelihood, up to a constant, of n samples with this energy being white noise whose
// power is at least floor.
func (b *bank) logNoise(energy, floor float64) float64 {
	n := float64(b.n)
	u := energy / (n * floor)
	if u < 1 {
		return -n / 2 * u
	}
	return -n / 2 * (1 + math.Log(u))
}

// project is the inner product of x with both templates. Pairs of sums keep the processor's adders busy.
func project(x, cos, sin []float64) (c, s float64) {
	cos, sin = cos[:len(x)], sin[:len(x)]
	var c1, s1 float64
	k := 0
	for ; k+1 < len(x); k += 2 {
		c, s = c+x[k]*cos[k], s+x[k]*sin[k]
		c1, s1 = c1+x[k+1]*cos[k+1], s1+x[k+1]*sin[k+1]
	}
	if k < len(x) {
		c, s = c+x[k]*cos[k], s+x[k]*sin[k]
	}
	return c + c1, s + s1
}

func dot(x, y []float64) (sum float64) {
	for i, v := range x {
		sum += v * y[i]
	}
	return sum
}

func energyOf(x []float64) (sum float64) {
	for _, v := range x {
		sum += v * v
	}
	return sum
}

// solve finds u and v of [a x; x b] [u v]' = [p q]', and the determinant.
func solve(a, b, x, p, q float64) (u, v, det float64) {
	det = a*b - x*x
	return (b*p - x*q) / det, (a*q - x*p) / det, det
}
