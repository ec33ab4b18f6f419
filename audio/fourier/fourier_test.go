package fourier

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
)

// The transform is its definition, and Inverse undoes it.
func TestTransform(t *testing.T) {
	for _, n := range []int{1, 2, 3, 8, 100} {
		f := New(n)
		size := f.Size()
		if size < n || size >= 2*n && n > 1 {
			t.Fatalf("%d points become %d", n, size)
		}
		r := rand.New(rand.NewPCG(1, uint64(n)))
		x, y := make([]complex128, size), make([]complex128, size)
		for i := range x {
			x[i] = complex(r.Float64()-0.5, r.Float64()-0.5)
		}
		copy(y, x)
		f.Forward(y)
		for k := range y {
			var want complex128
			for i, v := range x {
				want += v * cmplx.Exp(complex(0, -2*math.Pi*float64(i*k)/float64(size)))
			}
			if cmplx.Abs(y[k]-want) > 1e-9 {
				t.Fatalf("of %d points, number %d is %v, not %v", size, k, y[k], want)
			}
		}
		f.Inverse(y)
		for i := range y {
			if cmplx.Abs(y[i]-x[i]) > 1e-12 {
				t.Fatalf("of %d points, number %d doesn't come back", size, i)
			}
		}
	}
}
