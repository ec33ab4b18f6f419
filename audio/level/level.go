// Package level tells how loud a leg is, and whether its sound is whole: its level and its noise floor, how often it was beyond full scale, whether
// it moves at all. And it makes a leg louder or softer.
//
// It promises no allocation, lock, channel or clock, and keeps sums and counts, never a sample. What it tells of a leg follows that leg's keys: of the
// caller's as it comes in, only [Still] may be told at once. What else is told of it, audio/mask takes from what was heard well away from any suspicion.
package level

import (
	"math"
	"sync/atomic"

	"github.com/flattone/flattone/audio"
)

// BlocksPerSecond is how often a level is taken.
const BlocksPerSecond = 10

// Sums are those of some frames, and of their squares.
func Sums(x []int16) (sum, squares int64) {
	for ; len(x) >= 4; x = x[4:] {
		a, b, c, d := int64(x[0]), int64(x[1]), int64(x[2]), int64(x[3])
		sum += a + b + c + d
		squares += a*a + b*b + c*c + d*d
	}
	for _, v := range x {
		sum += int64(v)
		squares += int64(v) * int64(v)
	}
	return sum, squares
}

// Meter follows a leg that has no secrets. One thread writes; the rest may be asked from anywhere.
type Meter struct {
	frames       int // of a block
	have         int
	sum, squares int64
	clips        Clips
	floor        Floor

	power, lowest atomic.Uint64 // float64 bits: mean squares
	clipped       atomic.Int64
}

// NewMeter makes a meter for a supported rate.
func NewMeter(rate audio.Rate) *Meter {
	m := &Meter{frames: int(rate) / BlocksPerSecond}
	m.lowest.Store(math.Float64bits(m.floor.Lowest()))
	return m
}

// Write takes the next frames of the leg.
func (m *Meter) Write(x []int16) {
	for len(x) > 0 {
		n := min(len(x), m.frames-m.have)
		sum, squares := Sums(x[:n])
		m.clipped.Add(int64(m.clips.Count(x[:n], squares)))
		m.sum, m.squares = m.sum+sum, m.squares+squares
		x = x[n:]
		if m.have += n; m.have < m.frames {
			return
		}
		power, mean := float64(m.squares)/float64(m.frames), float64(m.sum)/float64(m.frames)
		m.floor.Add(power - mean*mean)
		m.power.Store(math.Float64bits(power))
		m.lowest.Store(math.Float64bits(m.floor.Lowest()))
		m.have, m.sum, m.squares = 0, 0, 0
	}
}

// Level is that of the last whole tenth of a second, in dBm0.
func (m *Meter) Level() float64 { return audio.DBm0(math.Float64frombits(m.power.Load())) }

// Floor is the noise floor in dBm0, without what is constant; +Inf while it isn't known.
func (m *Meter) Floor() float64 { return audio.DBm0(math.Float64frombits(m.lowest.Load())) }

// Clipped is how many frames were clipped: see [Clips].
func (m *Meter) Clipped() int64 { return m.clipped.Load() }
