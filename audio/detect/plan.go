package detect

import (
	"math"
	"sync"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// frequencies are the rows, then the columns.
var frequencies = [8]float64(append(tone.Rows[:], tone.Cols[:]...))

const (
	maxTick    = 48 // frames of a tick at the highest rate
	depth      = 64 // ticks of history, a power of two
	maxWindows = 4  // in a lane
)

// plans are made when they are first asked for; all detectors of a rate share one.
var plans = map[audio.Rate]func() *plan{
	audio.Rate8k:  sync.OnceValue(func() *plan { return newPlan(audio.Rate8k) }),
	audio.Rate16k: sync.OnceValue(func() *plan { return newPlan(audio.Rate16k) }),
	audio.Rate44k: sync.OnceValue(func() *plan { return newPlan(audio.Rate44k) }),
	audio.Rate48k: sync.OnceValue(func() *plan { return newPlan(audio.Rate48k) }),
}

// plan holds what is computed once for a rate: tables, no samples.
type plan struct {
	tick    int
	table   [maxTick]bins // cosine and sine over one tick, phase 0 one past its last frame
	turn    angles        // how far a tick turns each frequency
	filter  filterPlan
	windows [laneCount][maxWindows]window
	short   window     // of three ticks, for which no sum is kept
	pair    *window    // the confirming window, one of band's
	stride  [8]pair    // how far such a window turns each frequency
	drift   [8]float32 // cosine of the most that half of a window may drift in phase
}

// window is one running sum of a lane.
type window struct {
	index   int
	ticks   int
	inverse [16][4][4]float32 // of the Gram matrix of each row and column
	gain    float32           // at least the greatest eigenvalue of any of these
}

// windowTicks are the windows of each lane. Their indexes have names.
var windowTicks = [laneCount][]int{
	plain: {4, 6},
	band:  {pairTicks, halfTicks, 2 * halfTicks, 6},
	high:  {halfTicks, 2 * halfTicks},
}

const (
	plainFour, plainSix            = 0, 1
	bandEight, bandHalf, bandWhole = 0, 1, 2
	bandSix                        = 3
	highHalf, highWhole            = 0, 1

	pairTicks = 8
	halfTicks = 10
)

func newPlan(rate audio.Rate) *plan {
	p := &plan{tick: rate.TickFrames(), filter: newFilterPlan(rate)}
	for i, f := range frequencies {
		w := 2 * math.Pi * f / float64(rate)
		for k := range p.tick {
			p.table[k].c[i] = float32(math.Cos(w * float64(k-p.tick)))
			p.table[k].s[i] = float32(math.Sin(w * float64(k-p.tick)))
		}
		p.turn.cos[i], p.turn.sin[i] = math.Cos(w*float64(p.tick)), math.Sin(w*float64(p.tick))
		p.stride[i] = rotation(w * float64(p.tick*pairTicks))
		p.drift[i] = float32(math.Cos(underOff * w * float64(p.tick*halfTicks)))
	}
	for lane := range p.windows {
		for i, n := range windowTicks[lane] {
			p.windows[lane][i] = newWindow(i, n, p.tick, rate)
		}
	}
	p.short = newWindow(0, 3, p.tick, rate)
	p.pair = &p.windows[band][bandEight]
	return p
}

func rotation(angle float64) pair {
	return pair{float32(math.Cos(angle)), float32(math.Sin(angle))}
}

func newWindow(index, ticks, tick int, rate audio.Rate) window {
	win := window{index: index, ticks: ticks}
	n := ticks * tick
	var basis [8][2][]float64
	for i, f := range frequencies {
		w := 2 * math.Pi * f / float64(rate)
		for k := range n {
			basis[i][0] = append(basis[i][0], math.Cos(w*float64(k-n)))
			basis[i][1] = append(basis[i][1], math.Sin(w*float64(k-n)))
		}
	}
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
	return win
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
