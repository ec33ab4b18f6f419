package detect

import (
	"math"

	"github.com/flattone/flattone/audio"
)

// Two filters, Butterworth sections in a row, the second fed by the first:
//
//	x --> high-pass 560 Hz, 4th order --> low-pass 1900 Hz, 2nd --> band --> high-pass 1250 Hz, 2nd --> high
//
// Band keeps what may be DTMF and takes away dial tone, hum and hiss. High keeps the columns only: speech, which is
// strongest where the rows are, lets them be seen there.
//
// A section's next output waits for its last, so four samples are made at a time: outputs and next states are a matrix
// times the samples and the states. The matrix is what the sections answer to each of those alone.
const (
	block      = 4
	states     = 8
	leastState = 1e-9 // below it a state is nothing: it would decay into slow denormal numbers
)

type (
	// filterState is the filters' memory.
	filterState [states]float32
	// filterColumn is block samples of band, block samples of high, and the next states.
	filterColumn [2*block + states]float32
	// filterMatrix has a column for each sample of a block, then one for each state: see crossed.
	filterMatrix [block + states]filterColumn
)

// crossed is which state the k-th column for states multiplies, in one half of a register or the other: the first four columns have four
// of them in the one and four in the other, the last four the other way round. So a kernel makes the factors of each by moving within halves.
func crossed(k, half int) int { return k%4 + (k/4^half)*4 }

// halfOf a register in which a place of a column is.
func halfOf(place int) int { return place / 4 % 2 }

// filterPlan is what is computed once for a rate.
type filterPlan struct {
	matrix filterMatrix
	// lag is band's group delay at the DTMF frequencies, about, in frames.
	lag int
}

func newFilterPlan(rate audio.Rate) filterPlan {
	// The quality factors are those of a 4th-order Butterworth's two sections, and of a 2nd-order's.
	sections := [states / 2]biquad{
		section(rate, 560, 0.5412, true), section(rate, 560, 1.3066, true), section(rate, 1900, 0.7071, false),
		section(rate, 1250, 1, true),
	}
	p := filterPlan{lag: int(rate) * 6 / 10000}
	for i := range p.matrix {
		var x [block]float64
		var z [states]float64
		if i < block {
			x[i] = 1
		} else {
			z[i-block] = 1
		}
		var column filterColumn
		for k, v := range x {
			for s, q := range sections {
				y := q.b0*v + z[2*s]
				z[2*s], z[2*s+1] = q.b1*v-q.a1*y+z[2*s+1], q.b2*v-q.a2*y
				v = y
				if s == 2 {
					column[k] = float32(y)
				}
			}
			column[block+k] = float32(v)
		}
		for k, v := range z {
			column[2*block+k] = float32(v)
		}
		for place, v := range column {
			k := i
			if i >= block {
				k = block + crossed(i-block, halfOf(place))
			}
			p.matrix[k][place] = v
		}
	}
	return p
}

// biquad is one second-order section, normalised to a0 = 1, transposed direct form II.
type biquad struct{ b0, b1, b2, a1, a2 float64 }

func section(rate audio.Rate, cutoff, q float64, high bool) biquad {
	w := 2 * math.Pi * cutoff / float64(rate)
	alpha, c := math.Sin(w)/(2*q), math.Cos(w)
	b0, b1 := (1-c)/2, 1-c
	if high {
		b0, b1 = (1+c)/2, -(1 + c)
	}
	a0 := 1 + alpha
	return biquad{b0 / a0, b1 / a0, b0 / a0, -2 * c / a0, (1 - alpha) / a0}
}
