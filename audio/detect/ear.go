package detect

import (
	"math/bits"

	"github.com/flattone/flattone/audio"
)

// ear takes the sound in, a tick at a time. Of each tick it keeps totals: all projections and all energy since the first, of
// three signals. What a window holds is the difference of two of them.
//
// Totals are whole numbers that wrap around. So a difference is exact however long the line has been up, and they never have to
// be made afresh. They share the phase reference of the first tick; only what is fitted is turned to the end of its window, for
// which the Gram inverses are made.
type ear struct {
	ticks   int64
	turn    int64                                // of those, since the phases were last 0
	samples [lead + audio.MostTickFrames]float32 // of a tick, behind the last of the tick before
	states  filterState
	history [depth]moment
	phase   bins      // that the frequencies have reached since the first tick
	sums    [kept]sum // the windows that end now; where the energy is too little, no more than that is known
}

// moment is what was heard up to the end of a tick.
type moment struct {
	energy [laneCount]int64
	total  [laneCount]total
}

// total is in 1/perSample of a sample.
type total struct{ c, s [8]int32 }

// The signals: as it is, and behind the filters.
const (
	plain, band, high = 0, 1, 2
	laneCount         = 3
)

const (
	lead  = 8
	depth = 128 // ticks that are kept, a power of two
	// perSample leaves room for 20 ticks at full scale at the highest rate.
	perSample = 32
)

func (e *ear) at(tick int64) *moment { return &e.history[tick&(depth-1)] }

// sum is what a window holds.
type sum struct {
	bins
	row, col  float32 // powers of the strongest row and column
	strongest uint32  // which these are, a bit for each
	energy    float32
}

// energy of the ticks of a lane up to an end.
func (e *ear) energy(lane int, ticks, end int64) float32 {
	return float32(e.at(end).energy[lane] - e.at(end - ticks).energy[lane])
}

// sum is made but for the energy.
func (e *ear) sum(s *sum, lane int, ticks, end int64) {
	subtract(s, &e.at(end).total[lane], &e.at(end - ticks).total[lane])
}

// phaseAt is the phase that a frequency had reached at a tick: the product of two.
func (e *ear) phaseAt(p *plan, end int64, i int) pair {
	turn := e.turn - (e.ticks - end)
	if turn < 0 {
		turn += p.period
	}
	return p.coarse[turn>>fineShift].at(i).times(p.fine[turn&(fineTurns-1)].at(i))
}

// may reports whether a fit can explain a share of a window that ends now.
func (e *ear) may(p *plan, window int, share float32) bool {
	return p.windows[window].may(&e.sums[window], share)
}

// best fits the strongest row and the strongest column to a window that ends now, and has energy enough.
func (e *ear) best(p *plan, window int) fit { return e.fit(p, window, e.sums[window].key()) }

// asked sums a window of the plain signal that ends now, and fits the strongest pair where that can explain a share of it.
func (e *ear) asked(w *window, ticks int64, share float32) fit {
	s := sum{energy: e.energy(plain, ticks, e.ticks)}
	if e.sum(&s, plain, ticks, e.ticks); !w.may(&s, share) {
		return fit{}
	}
	key := s.key()
	return w.solve(&s, key, e.phase.at(key/4), e.phase.at(4+key%4))
}

// fit fits a key to it.
func (e *ear) fit(p *plan, window, key int) fit {
	return p.windows[window].solve(&e.sums[window], key, e.phase.at(key/4), e.phase.at(4+key%4))
}

// may reports whether a fit can explain a share of a sum. What a fit explains is a quadratic form of the sums, and at most
// their power times the greatest eigenvalue.
func (w *window) may(s *sum, share float32) bool {
	return s.energy >= w.least && (s.row+s.col)*w.gain >= share*s.energy
}

// fitAt fits a key to the window of eight ticks that ended with a tick.
func (e *ear) fitAt(p *plan, end int64, key int) fit {
	w := &p.windows[eight]
	if end == e.ticks && e.sums[eight].energy >= w.least { // summed already
		return e.fit(p, eight, key)
	}
	var s sum
	if s.energy = e.energy(band, eightTicks, end); s.energy < leastEnergy {
		return fit{key: key}
	}
	e.sum(&s, band, eightTicks, end)
	return w.solve(&s, key, e.phaseAt(p, end, key/4), e.phaseAt(p, end, 4+key%4))
}

// key is the strongest row's and the strongest column's.
func (s *sum) key() int {
	return bits.TrailingZeros32(s.strongest)*4 + bits.TrailingZeros32(s.strongest>>4)
}

// leastEnergy of a window, below which nothing is fitted: digital silence and the filter's decay.
const leastEnergy = 64

// fit is how one row and one column explain a window.
type fit struct {
	share    float32 // of the window's energy, 0 to 1
	key      int     // row*4 + column
	row, col pair    // amplitudes: coefficients of cosine and sine, phase 0 at the window's end
}

// solve fits a key to a sum, by the phases of its row and its column at the end.
func (w *window) solve(s *sum, key int, row, col pair) fit {
	f := fit{key: key}
	m, r, c := &w.inverse[key], s.at(key/4).turned(row), s.at(4+key%4).turned(col)
	f.row.c = m[0][0]*r.c + m[0][1]*r.s + m[0][2]*c.c + m[0][3]*c.s
	f.row.s = m[1][0]*r.c + m[1][1]*r.s + m[1][2]*c.c + m[1][3]*c.s
	f.col.c = m[2][0]*r.c + m[2][1]*r.s + m[2][2]*c.c + m[2][3]*c.s
	f.col.s = m[3][0]*r.c + m[3][1]*r.s + m[3][2]*c.c + m[3][3]*c.s
	f.share = (f.row.c*r.c + f.row.s*r.s + f.col.c*c.c + f.col.s*c.s) / s.energy
	return f
}
