package detect

import (
	"math"

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

// plan holds what is computed once for a rate: tables, no samples.
type plan struct {
	rate   audio.Rate
	tick   int
	table  [8][2][maxTick]float32        // cosine and sine over one tick, phase 0 one past its last frame
	turn   [8]struct{ cos, sin float64 } // how far a tick turns each frequency
	filter filterPlan
	plain  []window
	band   []window
	pair   window // the confirming window, one of band's
	stride [8]phasor
}

// phasor is a rotation.
type phasor struct{ cos, sin float32 }

// window is one running sum of a lane.
type window struct {
	index   int
	ticks   int
	inverse [16][4][4]float32 // of the Gram matrix of each row and column
}

// Windows in ticks.
var (
	plainTicks = [...]int{4, 5, 6, 8}
	bandTicks  = [...]int{8, 20, 16}
)

const pairTicks = 8

func newPlan(rate audio.Rate) *plan {
	p := &plan{rate: rate, tick: rate.TickFrames(), filter: newFilterPlan(rate)}
	for i, f := range frequencies {
		w := 2 * math.Pi * f / float64(rate)
		for k := range p.tick {
			p.table[i][0][k] = float32(math.Cos(w * float64(k-p.tick)))
			p.table[i][1][k] = float32(math.Sin(w * float64(k-p.tick)))
		}
		p.turn[i].cos, p.turn[i].sin = math.Cos(w*float64(p.tick)), math.Sin(w*float64(p.tick))
		p.stride[i] = rotation(w * float64(p.tick*pairTicks))
	}
	for i, n := range plainTicks {
		p.plain = append(p.plain, newWindow(i, n, p.tick, rate))
	}
	for i, n := range bandTicks {
		p.band = append(p.band, newWindow(i, n, p.tick, rate))
	}
	p.pair = p.band[0]
	return p
}

func rotation(angle float64) phasor {
	return phasor{float32(math.Cos(angle)), float32(math.Sin(angle))}
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
			for j := range inv[i] {
				win.inverse[key][i][j] = float32(inv[i][j])
			}
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
