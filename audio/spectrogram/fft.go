package spectrogram

import (
	"math"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/fourier"
)

// windowMS is what one spectrum is taken over: long enough to part two DTMF rows (73 Hz), short enough to part
// two keys.
const windowMS = 32

// analyser takes spectra of windows of one leg.
type analyser struct {
	window    []float64 // Hann, scaled so that a sine's peak bin is its amplitude
	transform *fourier.Transform
	buf       []complex128 // twice the window or more, so that the spectrum is smooth
	hz        float64      // between bins
}

func newAnalyser(rate audio.Rate) *analyser {
	n := int(rate) * windowMS / 1000
	transform := fourier.New(2 * n)
	a := &analyser{
		window:    make([]float64, n),
		transform: transform,
		buf:       make([]complex128, transform.Size()),
		hz:        float64(rate) / float64(transform.Size()),
	}
	for i := range a.window {
		a.window[i] = (1 - math.Cos(2*math.Pi*(float64(i)+0.5)/float64(n))) * 2 / float64(n)
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
	a.transform.Forward(a.buf)
	for i := range power {
		re, im := real(a.buf[i]), imag(a.buf[i])
		power[i] = max(power[i], (re*re+im*im)/2)
	}
}
