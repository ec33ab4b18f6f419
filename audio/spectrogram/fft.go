package spectrogram

import (
	"math"
	"math/bits"
	"math/cmplx"

	"github.com/flattone/flattone/audio"
)

// windowMS is what one spectrum is taken over: long enough to part two DTMF rows (73 Hz), short enough to part
// two keys.
const windowMS = 32

// analyser takes spectra of windows of one leg.
type analyser struct {
	window  []float64 // Hann, scaled so that a sine's peak bin is its amplitude
	twiddle []complex128
	buf     []complex128 // twice the window or more, so that the spectrum is smooth
	hz      float64      // between bins
}

func newAnalyser(rate audio.Rate) *analyser {
	n := int(rate) * windowMS / 1000
	size := 1 << bits.Len(uint(2*n-1))
	a := &analyser{
		window:  make([]float64, n),
		twiddle: make([]complex128, size/2),
		buf:     make([]complex128, size),
		hz:      float64(rate) / float64(size),
	}
	for i := range a.window {
		a.window[i] = (1 - math.Cos(2*math.Pi*(float64(i)+0.5)/float64(n))) * 2 / float64(n)
	}
	for i := range a.twiddle {
		a.twiddle[i] = cmplx.Exp(complex(0, -2*math.Pi*float64(i)/float64(size)))
	}
	return a
}

// peak raises each power to that of the window whose middle is at frame centre, where that is higher. power[i]
// is that of bin i. What lies outside x is silence.
func (a *analyser) peak(power []float64, x []int16, centre int) {
	clear(a.buf)
	from := centre - len(a.window)/2
	silent := true
	for i := max(0, -from); i < min(len(a.window), len(x)-from); i++ {
		a.buf[i] = complex(a.window[i]*float64(x[from+i]), 0)
		silent = silent && x[from+i] == 0
	}
	if silent {
		return
	}
	a.transform()
	for i := range power {
		re, im := real(a.buf[i]), imag(a.buf[i])
		power[i] = max(power[i], (re*re+im*im)/2)
	}
}

// transform is the fast Fourier transform of buf in place: Cooley and Tukey's, radix 2.
func (a *analyser) transform() {
	x, n := a.buf, len(a.buf)
	shift := 64 - bits.Len(uint(n-1))
	for i := range x {
		if j := int(bits.Reverse64(uint64(i)) >> shift); i < j {
			x[i], x[j] = x[j], x[i]
		}
	}
	for half := 1; half < n; half *= 2 {
		for k := range half {
			w := a.twiddle[k*n/(2*half)]
			for i := k; i < n; i += 2 * half {
				even, odd := x[i], x[i+half]*w
				x[i], x[i+half] = even+odd, even-odd
			}
		}
	}
}
