package selftest

import (
	"math"
	"math/rand/v2"

	"github.com/flattone/flattone/audio"
)

const (
	// keyDBm0 is how loud each tone of the key is: as telephones send it.
	keyDBm0 = -10
	// noiseDBm0 is the noise in which it lies, and after which the mask makes its own.
	noiseDBm0 = -60
	// mostDBm0 is what may be found of a tone where the key was: of 50 ms of the mask's noise it finds -78 dBm0 in the mean at 8 kHz, and less at
	// more; that 16 dB above it are found without a leak happens once in 10^17 times. It is 52 dB below the key: as much as a single frame of the 400
	// at 8 kHz would leave, where a listener needs a millisecond and more.
	mostDBm0 = -62
)

// level is that of a frequency in x, in dBm0.
func level(x []int16, rate audio.Rate, hz float64) float64 {
	turn := 2 * math.Pi * hz / float64(rate)
	step := complex(math.Cos(turn), -math.Sin(turn))
	sum, at := complex(0, 0), complex(1, 0)
	for _, v := range x {
		sum += at * complex(float64(v), 0)
		at *= step
	}
	amplitude := 2 * math.Hypot(real(sum), imag(sum)) / float64(len(x))
	return audio.DBm0(amplitude * amplitude / 2)
}

// noise is the background of a telephone line, always the same.
func noise(n int) []int16 {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	x := make([]int16, n)
	for i := range x {
		x[i] = int16(math.Round(audio.Amplitude(noiseDBm0) / math.Sqrt2 * r.NormFloat64()))
	}
	return x
}

// vowels are two resonances each, in Hz: of ah and of ee.
var vowels = [][2]float64{{730, 1090}, {300, 2200}}

// speech is a man's voice that says a vowel after the other: the harmonics of a pitch that glides, through two resonances. It begins and ends silent, so
// that it may be said over and over.
func speech(rate audio.Rate, n int) []int16 {
	const (
		pitchHz, glideHz = 105, 30
		widthHz          = 90   // of a resonance
		highestHz        = 3400 // of the harmonics
		loud             = 2000 // of the harmonic that lies in one
	)
	x, phase := make([]int16, n), 0.0
	for i := range x {
		part := float64(i) * float64(len(vowels)) / float64(n)
		vowel, along := vowels[int(part)], part-math.Floor(part)
		pitch := pitchHz + glideHz*along
		phase += 2 * math.Pi * pitch / float64(rate)
		sum, before, sine, twice := 0.0, 0.0, math.Sin(phase), 2*math.Cos(phase)
		for h := 1; float64(h)*pitch < highestHz; h++ {
			gain := 0.0
			for _, hz := range vowel {
				off := (float64(h)*pitch - hz) / widthHz
				gain += 1 / (1 + off*off)
			}
			sum += gain / math.Sqrt(float64(h)) * sine
			before, sine = sine, twice*sine-before
		}
		x[i] = int16(loud * sum * math.Sin(math.Pi*along) * math.Sin(math.Pi*along))
	}
	return x
}
