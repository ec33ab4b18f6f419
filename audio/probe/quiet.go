package probe

import (
	"math"
	"slices"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/level"
)

// Quiet learns what a leg sounds like on which nobody speaks.
type Quiet struct {
	block, n     int // frames of a tenth of a second, and of the one under way
	sum, squares int64
	total        int64
	frames       int
	least, most  int16
	floor        level.Floor
	clips        level.Clips
	clipped      int
}

// NewQuiet is a Quiet that has heard nothing.
func NewQuiet(rate audio.Rate) *Quiet {
	return &Quiet{block: int(rate) / level.BlocksPerSecond, least: math.MaxInt16, most: math.MinInt16}
}

// Write takes the next frames.
func (q *Quiet) Write(x []int16) {
	for len(x) > 0 {
		part := x[:min(len(x), q.block-q.n)]
		x = x[len(part):]
		sum, squares := level.Sums(part)
		q.clipped += q.clips.Count(part, squares)
		q.least, q.most = min(q.least, slices.Min(part)), max(q.most, slices.Max(part))
		q.sum += sum
		q.squares += squares
		if q.n += len(part); q.n == q.block {
			mean := float64(q.sum) / float64(q.n)
			q.floor.Add(float64(q.squares)/float64(q.n) - mean*mean)
			q.total += q.sum
			q.frames += q.n
			q.n, q.sum, q.squares = 0, 0, 0
		}
	}
}

// Frames is how many were heard, in whole tenths of a second.
func (q *Quiet) Frames() int { return q.frames }

// FloorDBm0 is the level of the softest tenth of a second, without what is constant in it.
func (q *Quiet) FloorDBm0() float64 { return audio.DBm0(q.floor.Lowest()) }

// Offset is the mean of all, as a share of full scale.
func (q *Quiet) Offset() float64 { return float64(q.total) / float64(max(1, q.frames)) / math.MaxInt16 }

// Clipped is how many frames were beyond full scale.
func (q *Quiet) Clipped() int { return q.clipped }

// Dead: every frame was the same. No converter is so quiet: nothing is connected, or not through.
func (q *Quiet) Dead() bool { return q.least >= q.most }
