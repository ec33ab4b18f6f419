package detect

import (
	"math"
	"sync"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// frequencies are the rows, then the columns.
var frequencies = [8]float64(append(tone.Rows[:], tone.Cols[:]...))

// plans are made when they are first asked for; all detectors of a rate share one.
var plans = map[audio.Rate]func() *plan{
	audio.Rate8k:  sync.OnceValue(func() *plan { return newPlan(audio.Rate8k) }),
	audio.Rate16k: sync.OnceValue(func() *plan { return newPlan(audio.Rate16k) }),
	audio.Rate44k: sync.OnceValue(func() *plan { return newPlan(audio.Rate44k) }),
	audio.Rate48k: sync.OnceValue(func() *plan { return newPlan(audio.Rate48k) }),
}

// plan holds what is computed once for a rate: tables, no samples.
type plan struct {
	tick     int                        // frames
	perFrame float32                    // 1/tick
	table    [audio.MostTickFrames]bins // perSample times cosine and sine over one tick, phase 0 one past its last frame
	twice    [audio.MostTickFrames]twice
	filter   filterPlan
	// The phases after some ticks, and after every fineTurns. The frequencies are whole numbers of hertz, so there is a period,
	// in ticks, after which they return: no clock needs to be kept true for years.
	fine   [fineTurns]bins
	coarse []bins
	period int64

	windows [kept]window
	gram    [16][16]float32 // of all frequencies over half of 20 ticks
	three   window          // these two are summed only when asked for
	six     window
	stride  [8]pair    // how far eight turns each frequency
	patient [8]pair    // and how far a tone may advance on it in eight, where that is judged patiently
	likely  float32    // power of a column that is likely to be a key's, to the energy in the half of 20 ticks
	faint   float32    // power of a column that is too little for under, whatever came, to the same energy
	drift   [8]float32 // cosine of the most that half of 20 ticks may drift in phase
}

// twice is bins with each of their four halves twice, for two signals at a time: row cosines, column cosines, row sines, column sines.
type twice [4][2][4]float32

const (
	fineShift = 5
	fineTurns = 1 << fineShift
)

// The windows that are summed at each tick. Eight is the one that confirms.
const (
	four = iota
	bandSix
	eight
	half // of 20 ticks: not fitted
	kept
)

const (
	threeTicks = 3
	fourTicks  = 4
	sixTicks   = 6
	eightTicks = 8
	halfTicks  = 10
)

var windows = [kept]struct {
	lane  int
	ticks int64
}{four: {plain, fourTicks}, bandSix: {band, sixTicks}, eight: {band, eightTicks}, half: {high, halfTicks}}

// window is what it takes to fit pairs to some ticks.
type window struct {
	inverse [16][4][4]float32 // of the Gram matrix of each row and column
	gain    float32           // at least the greatest eigenvalue of any of these
	least   float32           // energy of a pair of the least level that is looked for
}

func newPlan(rate audio.Rate) *plan {
	p := &plan{tick: rate.TickFrames(), perFrame: 1 / float32(rate.TickFrames()), filter: newFilterPlan(rate)}
	for p.period = 1; p.period*int64(p.tick)%int64(rate) != 0; p.period++ { // whole seconds
	}
	p.coarse = make([]bins, p.period/fineTurns+1)
	for i, f := range frequencies {
		w := 2 * math.Pi * f / float64(rate)
		for k := range p.tick {
			b := &p.table[k]
			b.set(i, perSample, w*float64(k-p.tick))
			for half := range 2 {
				p.twice[k][i/4][half][i%4], p.twice[k][2+i/4][half][i%4] = b.c[i], b.s[i]
			}
		}
		for k := range p.fine {
			p.fine[k].set(i, 1, w*float64(k*p.tick))
		}
		for k := range p.coarse {
			p.coarse[k].set(i, 1, w*float64(k*fineTurns*p.tick))
		}
		p.stride[i] = rotation(w * float64(p.tick*eightTicks))
		p.patient[i] = rotation(patientOff * w * float64(p.tick*eightTicks))
		p.drift[i] = float32(math.Cos(underOff * w * float64(p.tick*halfTicks)))
	}
	for i, w := range windows[:half] {
		p.windows[i] = newWindow(rate, int(w.ticks), looseFloor)
	}
	// A column in both halves, as loud as under asks for, has at least so much energy in the weaker of the two.
	p.windows[half].least = looseFloor * float32(halfTicks*p.tick) / 2 / (1 + underAlike)
	p.likely = likelyHigh * float32(halfTicks*p.tick) / 2
	p.faint = underCol * underCame / (1 + underAlike) * float32(halfTicks*p.tick) / 2
	p.three, p.six = newWindow(rate, threeTicks, 0), newWindow(rate, sixTicks, looseFloor)
	all := newBasis(rate, halfTicks)
	for i := range p.gram {
		for j := range p.gram {
			for k, v := range all[i/2][i%2] {
				p.gram[i][j] += float32(v * all[j/2][j%2][k])
			}
		}
	}
	return p
}

func (b *bins) set(i int, amplitude, angle float64) {
	b.c[i], b.s[i] = float32(amplitude*math.Cos(angle)), float32(amplitude*math.Sin(angle))
}

func rotation(angle float64) pair {
	return pair{float32(math.Cos(angle)), float32(math.Sin(angle))}
}

// newWindow makes a window in which pairs are looked for of which either tone has a squared amplitude of at least floor.
func newWindow(rate audio.Rate, ticks int, floor float32) (win window) {
	basis := newBasis(rate, ticks)
	for key := range win.inverse {
		row, col := key/4, 4+key%4
		inv := inverseGram([4][]float64{basis[row][0], basis[row][1], basis[col][0], basis[col][1]})
		for i := range inv {
			var sum float64
			for j := range inv[i] {
				win.inverse[key][i][j] = float32(inv[i][j])
				sum += math.Abs(inv[i][j])
			}
			win.gain = max(win.gain, float32(sum)) // a row's sum bounds the eigenvalues
		}
	}
	win.least = max(leastEnergy, 2*floor/win.gain) // what a fit explains is at least its squares over that eigenvalue
	return win
}

// newBasis is cosine and sine of each frequency over some ticks, phase 0 one past their last frame.
func newBasis(rate audio.Rate, ticks int) (basis [8][2][]float64) {
	n := ticks * rate.TickFrames()
	for i, f := range frequencies {
		w := 2 * math.Pi * f / float64(rate)
		for k := range n {
			basis[i][0] = append(basis[i][0], math.Cos(w*float64(k-n)))
			basis[i][1] = append(basis[i][1], math.Sin(w*float64(k-n)))
		}
	}
	return basis
}

// inverseGram inverts the matrix of inner products of four signals by Gauss-Jordan elimination. It is
// positive definite, so it needs no pivoting.
func inverseGram(h [4][]float64) (inv [4][4]float64) {
	var g [4][8]float64
	for i := range 4 {
		for j := range 4 {
			for k := range h[i] {
				g[i][j] += h[i][k] * h[j][k]
			}
		}
		g[i][4+i] = 1
	}
	for i := range 4 {
		pivot := g[i][i]
		for j := range g[i] {
			g[i][j] /= pivot
		}
		for r := range 4 {
			if r == i {
				continue
			}
			f := g[r][i]
			for j := range g[r] {
				g[r][j] -= f * g[i][j]
			}
		}
	}
	for i := range inv {
		copy(inv[i][:], g[i][4:])
	}
	return inv
}
