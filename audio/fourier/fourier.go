// Package fourier is the fast Fourier transform that pictures and probes share.
//
// It is no part of the sample path: it takes whole recordings, after the fact, and what it works on is its caller's. It
// promises to allocate nothing after New, and nothing else of a program's numbers: windows, scales and units are for
// whoever knows what they mean.
package fourier

import (
	"math"
	"math/bits"
	"math/cmplx"
)

// Transform is that of one size. It may be used by many goroutines at once.
type Transform struct {
	twiddle []complex128
	size    int
}

// New makes the transform of at least n points, rounded up to a power of two.
func New(n int) *Transform {
	size := 1 << bits.Len(uint(max(n, 1)-1))
	t := &Transform{twiddle: make([]complex128, size/2), size: size}
	for i := range t.twiddle {
		t.twiddle[i] = cmplx.Exp(complex(0, -2*math.Pi*float64(i)/float64(size)))
	}
	return t
}

// Size is how many points it takes.
func (t *Transform) Size() int { return t.size }

// Forward transforms x in place: Cooley and Tukey's, radix 2.
func (t *Transform) Forward(x []complex128) {
	n := t.size
	shift := 64 - bits.Len(uint(n-1))
	for i := range n {
		if j := int(bits.Reverse64(uint64(i)) >> shift); i < j {
			x[i], x[j] = x[j], x[i]
		}
	}
	for half := 1; half < n; half *= 2 {
		for k := range half {
			w := t.twiddle[k*n/(2*half)]
			for i := k; i < n; i += 2 * half {
				even, odd := x[i], x[i+half]*w
				x[i], x[i+half] = even+odd, even-odd
			}
		}
	}
}

// Inverse undoes Forward, in place.
func (t *Transform) Inverse(x []complex128) {
	for i := range t.size {
		x[i] = cmplx.Conj(x[i])
	}
	t.Forward(x)
	for i := range t.size {
		x[i] = cmplx.Conj(x[i]) / complex(float64(t.size), 0)
	}
}
