package level

import (
	"math"
	"sync/atomic"
)

// Gain makes a leg louder or softer, in place. The zero Gain leaves it as it is, bit for bit. One thread applies it; Clipped may be asked from anywhere.
type Gain struct {
	factor  int32 // gainBits behind the point; 0 for none
	clipped atomic.Int64
}

// MostGainDB is the most it is made for, and its negative the least.
const MostGainDB = 20

const gainBits = 12 // of a factor of ten, and sixteen of a frame, there is room in 32

// Set sets the gain, before it is used.
func (g *Gain) Set(dB float64) {
	g.factor = 0
	if dB != 0 {
		g.factor = int32(math.Round(math.Pow(10, dB/20) * (1 << gainBits)))
	}
}

// Apply changes x. What is too loud then stays at full scale.
func (g *Gain) Apply(x []int16) {
	if g.factor == 0 {
		return
	}
	clipped := 0
	for i, v := range x {
		y := (int32(v)*g.factor + 1<<(gainBits-1)) >> gainBits
		if y != int32(int16(y)) {
			y = max(math.MinInt16, min(math.MaxInt16, y))
			clipped++
		}
		x[i] = int16(y)
	}
	if clipped > 0 {
		g.clipped.Add(int64(clipped))
	}
}

// Clipped is how many frames were too loud.
func (g *Gain) Clipped() int64 { return g.clipped.Load() }
