package adversary

import "math"

const (
	// coherent is the correlation from which a millisecond of output moves with the clean tone. Of noise,
	// one millisecond in a thousand does.
	coherent = 0.9
	// faintest is the gain below which coherence is taken for chance: 40 dB down.
	faintest = 0.01
)

// leakedMS counts the milliseconds of a key in which heard moves with clean, sample by sample.
func leakedMS(clean, heard []float64, rate float64) int {
	leaked := 0
	for ms := 0; ; ms++ {
		at, end := int(float64(ms)*rate/1000), int(float64(ms+1)*rate/1000)
		if end > min(len(clean), len(heard)) {
			return leaked
		}
		if moves(clean[at:end], heard[at:end]) {
			leaked++
		}
	}
}

// moves reports that heard moves with clean.
func moves(clean, heard []float64) bool {
	xx, yy, xy := energyOf(clean), energyOf(heard), dot(clean, heard)
	return xx > 0 && xy > faintest*xx && xy > coherent*math.Sqrt(xx*yy)
}
