package probe

import (
	"math"

	"github.com/flattone/flattone/audio"
)

// Quiet learns what a leg sounds like on which nobody speaks.
type Quiet struct {
	block       int // frames of a tenth of a second
	n           int
	sum, square float64 // of the block under way
	total       float64
	frames      int
	least, most int16
	floor       float64 // mean square of the softest block
	clipped     int
	run         int // frames on end at the same end of the scale
	last        int16
}

// clipRun is how many frames on end have to lie at full scale to be clipping: one may be speech that just reached it.
const clipRun = 3

// NewQuiet is a Quiet that has heard nothing.
func NewQuiet(rate audio.Rate) *Quiet {
	return &Quiet{block: int(rate) / 10, least: math.MaxInt16, most: math.MinInt16, floor: math.Inf(1)}
}

// Write takes the next frames.
func (q *Quiet) Write(x []int16) {
	for _, v := range x {
		q.least, q.most = min(q.least, v), max(q.most, v)
		switch {
		case v < math.MaxInt16 && v > -math.MaxInt16:
			q.run = 0
		case (v < 0) != (q.last < 0):
			q.run = 1
		default:
			q.run++
		}
		q.last = v
		if q.run == clipRun {
			q.clipped += clipRun
		} else if q.run > clipRun {
			q.clipped++
		}
		q.sum += float64(v)
		q.square += float64(v) * float64(v)
		if q.n++; q.n == q.block {
			mean := q.sum / float64(q.n)
			q.floor = min(q.floor, q.square/float64(q.n)-mean*mean)
			q.total += q.sum
			q.frames += q.n
			q.n, q.sum, q.square = 0, 0, 0
		}
	}
}

// Frames is how many were heard, in whole tenths of a second.
func (q *Quiet) Frames() int { return q.frames }

// FloorDBm0 is the level of the softest tenth of a second, without what is constant in it.
func (q *Quiet) FloorDBm0() float64 { return audio.DBm0(q.floor) }

// Offset is the mean of all, as a share of full scale.
func (q *Quiet) Offset() float64 { return q.total / float64(max(1, q.frames)) / math.MaxInt16 }

// Clipped is how many frames lay at full scale, three or more on end.
func (q *Quiet) Clipped() int { return q.clipped }

// Dead: every frame was the same. No converter is so quiet: nothing is connected, or not through.
func (q *Quiet) Dead() bool { return q.least >= q.most }
