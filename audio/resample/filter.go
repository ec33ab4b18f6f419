package resample

import "math"

// The filter between two frames is a sinc under a Kaiser window, for a number of places between them; in between it goes straight.
const (
	taps   = 32  // a third of a millisecond of delay at 48 kHz, two at 8
	places = 256 // so that the line between two of them is 90 dB from the curve at 3400 Hz, even at 8 kHz
	beta   = 8   // of the window: images are 80 dB down
)

// kernel has the factors of the frames around, the oldest first, for each place and one past the last.
var kernel = newKernel()

func newKernel() *[places + 1][taps]float32 {
	var k [places + 1][taps]float32
	for place := range k {
		sincs(k[place][:], beta, func(i int) float64 { return float64(i-taps/2+1) - float64(place)/places }, taps/2)
	}
	return &k
}

// sincs makes factors of a sinc under a Kaiser window that ends half frames from its middle, at the places at. DC passes as it is.
func sincs(out []float32, beta float64, at func(i int) float64, half float64) {
	var sum float64
	row := make([]float64, len(out))
	for i := range row {
		x := at(i)
		row[i] = sinc(x) * bessel(beta*math.Sqrt(max(0, 1-math.Pow(x/half, 2)))) / bessel(beta)
		sum += row[i]
	}
	for i, v := range row {
		out[i] = float32(v / sum)
	}
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel is the modified Bessel function of the first kind and order zero, by its series.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= x * x / 4 / (k * k)
		sum += term
	}
	return sum
}

// between is the sound at a place in x.
func between(x []float32, at float64) int16 {
	first := int(at)
	place := (at - float64(first)) * places
	i := int(place)
	a, b := &kernel[i], &kernel[i+1]
	var before, after float32
	for k, v := range x[first-taps/2+1:][:taps] {
		before += v * a[k]
		after += v * b[k]
	}
	return sample(before + (after-before)*float32(place-float64(i)))
}

func sample(v float32) int16 {
	return int16(math.RoundToEven(min(max(float64(v), math.MinInt16), math.MaxInt16)))
}
