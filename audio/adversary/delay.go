package adversary

import (
	"errors"
	"math"
	"math/cmplx"
	"slices"
)

const (
	longestDelay = 2.0  // seconds searched
	stretch      = 0.25 // seconds of input that are looked for as one
	stretches    = 16
	sureDelay    = 0.3 // mean correlation, over the stretches, below which there is no finding
)

var errNoDelay = errors.New("the output resembles the input nowhere outside the keys")

// findDelay answers by how many frames out lags in, judged by the loudest stretches of in that hold no
// key: what was masked there matches nowhere and only weakens the peak that the rest makes.
func findDelay(in, out []int16, keys []Key, rate, q int) (int, error) {
	x, y := lower(in, q), lower(out, q)
	n := int(stretch * float64(rate) / float64(q))
	starts := loudest(x, n, keys, q)
	if len(starts) == 0 || len(y) < n {
		return 0, errNoDelay
	}
	lags := min(int(longestDelay*float64(rate)/float64(q)), len(y)-n)
	sum := make([]float64, lags+1)
	for _, at := range starts {
		correlate(x[at:at+n], y[min(at, len(y)):], sum)
	}
	best := 0
	for lag := range sum {
		if sum[lag] > sum[best] {
			best = lag
		}
	}
	if sum[best]/float64(len(starts)) < sureDelay {
		return 0, errNoDelay
	}
	if q == 1 {
		return best, nil
	}
	// The lowered rate tells the delay to a few frames; the frames themselves tell the rest.
	top, delay := math.Inf(-1), best*q
	for d := max(0, (best-1)*q); d <= (best+1)*q; d++ {
		c := 0.0
		for _, at := range starts {
			for i := at * q; i < (at+n)*q && i+d < len(out); i++ {
				c += float64(in[i]) * float64(out[i+d])
			}
		}
		if c > top {
			top, delay = c, d
		}
	}
	return delay, nil
}

// loudest picks stretches of n samples, by energy, that hold no key or what rings on after one.
func loudest(x []float64, n int, keys []Key, q int) []int {
	type place struct {
		at     int
		energy float64
	}
	var places []place
	for at := 0; at+n <= len(x); at += n {
		keyed := slices.ContainsFunc(keys, func(k Key) bool {
			return int(k.Start)/q < at+n+n/4 && int(k.End)/q > at-n/4
		})
		p := place{at: at}
		for _, v := range x[at : at+n] {
			p.energy += v * v
		}
		if !keyed && p.energy > float64(n) {
			places = append(places, p)
		}
	}
	slices.SortStableFunc(places, func(a, b place) int {
		switch {
		case a.energy > b.energy:
			return -1
		case a.energy < b.energy:
			return 1
		}
		return 0
	})
	var starts []int
	for _, p := range places[:min(stretches, len(places))] {
		starts = append(starts, p.at)
	}
	return starts
}

// correlate adds to sum[lag] the correlation coefficient of x with y[lag:], for every lag that y reaches.
func correlate(x, y, sum []float64) {
	size := 1
	for size < len(x)+len(sum) {
		size *= 2
	}
	y = y[:min(len(y), len(x)+len(sum)-1)]
	a, b := make([]complex128, size), make([]complex128, size)
	xx, yy := 0.0, 0.0
	for i, v := range x {
		a[i] = complex(v, 0)
		xx += v * v
	}
	for i, v := range y {
		b[i] = complex(v, 0)
	}
	fourier(a)
	fourier(b)
	for i := range a {
		a[i] = cmplx.Conj(cmplx.Conj(a[i]) * b[i]) // conjugated, so that the forward transform inverts
	}
	fourier(a)
	for lag := range sum {
		if lag+len(x) > len(y) {
			return
		}
		if lag == 0 {
			for _, v := range y[:len(x)] {
				yy += v * v
			}
		} else {
			yy += y[lag+len(x)-1]*y[lag+len(x)-1] - y[lag-1]*y[lag-1]
		}
		if yy > 1 {
			sum[lag] += real(a[lag]) / float64(size) / math.Sqrt(xx*yy)
		}
	}
}

// fourier is the fast Fourier transform (radix 2, in place) of a power of two of samples.
func fourier(a []complex128) {
	for i, j := 1, 0; i < len(a); i++ {
		bit := len(a) >> 1
		for ; j&bit != 0; bit >>= 1 {
			j ^= bit
		}
		j ^= bit
		if i < j {
			a[i], a[j] = a[j], a[i]
		}
	}
	for size := 2; size <= len(a); size *= 2 {
		step := cmplx.Rect(1, -2*math.Pi/float64(size))
		for at := 0; at < len(a); at += size {
			w := complex(1, 0)
			for k := at; k < at+size/2; k++ {
				u, v := a[k], a[k+size/2]*w
				a[k], a[k+size/2] = u+v, u-v
				w *= step
			}
		}
	}
}
