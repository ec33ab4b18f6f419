package adversary

import (
	"math"
	"slices"

	"github.com/flattone/flattone/audio"
)

// Report is the attacker's verdict on one recording. It holds no digit and nothing that names one.
type Report struct {
	// Keys is how many keys were attacked, Readable of how many the output names the symbol or at least
	// one of its two tones, beyond [Threshold].
	Keys     int `json:"keys"`
	Readable int `json:"readable"`
	// Correct is how many keys the attacker named rightly when made to guess every one; Accuracy is their
	// share, Chance what blind guessing gives, Interval the 95 % Wilson interval around Accuracy.
	Correct  int        `json:"correct"`
	Accuracy float64    `json:"accuracy"`
	Chance   float64    `json:"chance"`
	Interval [2]float64 `json:"interval"`
	// ByChance is the probability that blind guessing names as many or more.
	ByChance float64 `json:"by_chance"`
	// Decoys is how many keys seemed readable, but were read as something that has nothing to do with what was
	// pressed: the mask itself is made of keys' tones. They don't count as readable.
	Decoys int `json:"decoys"`
	// LeakedMS is for how many milliseconds, over all keys, the output moved with the caller's clean tone; a
	// blind attacker can't know.
	LeakedMS int  `json:"leaked_ms"`
	Blind    bool `json:"blind"`
	// DelayFrames is by how many frames the output lags the input, or a recording the clock of the keys; given
	// or found. HeadMS is how long before its start a key was looked for: long where the delay is rough.
	DelayFrames int     `json:"delay_samples"`
	HeadMS      float64 `json:"head_ms"`
	// MaskToneHz is the mask's tone, given or found; 0 if it has none.
	MaskToneHz float64 `json:"mask_tone_hz"`
	// Attackers are the rated ways of attacking: Judge's templates; the caller may add those of Learn.
	Attackers []Attacker `json:"attackers"`
	// Rows are the keys in order.
	Rows []Row `json:"-"`
}

// sure is how improbable a complete mask must be for a recording to be called leaking.
const sure = 1e-4

// Leaks reports whether the mask is broken: a key can be read, or so many guesses are right that it is no chance,
// or the guesses of another attacker follow the truth.
func (r Report) Leaks() bool {
	return r.Readable > 0 || r.Guessed() || slices.ContainsFunc(r.Attackers, Attacker.Leaks)
}

// Guessed reports that so many guesses by templates are right that it is no chance.
func (r Report) Guessed() bool { return r.ByChance < sure }

// Row is the verdict on one key.
type Row struct {
	Start    audio.Position // of the key, in the caller's input
	Frames   int            // its length
	Readable bool
	Correct  bool
	// LogRatio is the log likelihood ratio, in nats, of the attacker's reading against the next best one
	// that differs in row, or in column, whichever is greater.
	LogRatio float64
	// WindowMS is the length of the window that the reading rests on.
	WindowMS float64
	LeakedMS int
}

// wilson is the 95 % score interval of a share (Wilson 1927); with no trials, everything.
func wilson(hits, trials int) [2]float64 {
	if trials == 0 {
		return [2]float64{0, 1}
	}
	const z = 1.959964
	n := float64(trials)
	p := float64(hits) / n
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n)) / (1 + z*z/n)
	return [2]float64{max(0, middle-half), min(1, middle+half)}
}

// AtLeast is the probability of hits or more in so many trials of probability p each.
func AtLeast(hits, trials int, p float64) (tail float64) {
	if p >= 1 {
		return 1
	}
	logFactorial := func(n int) float64 { l, _ := math.Lgamma(float64(n) + 1); return l }
	for i := hits; i <= trials; i++ {
		ways := logFactorial(trials) - logFactorial(i) - logFactorial(trials-i)
		tail += math.Exp(ways + float64(i)*math.Log(p) + float64(trials-i)*math.Log1p(-p))
	}
	return min(1, tail)
}
