package adversary

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Attacker is what one way of attacking got out of all the keys, made to guess every one. It holds no digit.
type Attacker struct {
	// Name says how it attacks: Templates, Trained or Edges.
	Name    string `json:"name"`
	Keys    int    `json:"keys"`
	Correct int    `json:"correct"`
	// Accuracy is the share guessed rightly, Interval its 95 % Wilson interval. Chance is the mean accuracy
	// where there is nothing to know: the truth shuffled among the keys, and learnt anew each time.
	Accuracy float64    `json:"accuracy"`
	Interval [2]float64 `json:"interval"`
	Chance   float64    `json:"chance"`
	// Bits is how much of a key is told, in bits per key: the mutual information of guess and truth, adjusted so
	// that it is 0 where the same reckoning gives as much of shuffled truths, and all there is to know where
	// every guess is right. Up to Resolution it is 0 for all that these keys can say:
	// one shuffled truth in twenty gives that much.
	Bits       float64 `json:"bits_per_key"`
	Resolution float64 `json:"bits_resolution"`
	// ByChance is the share of shuffled truths that tell as much or more, by the same measure, counting the true one.
	ByChance float64 `json:"by_chance"`
	// Sigma is by how many of their standard deviations the truth stands out from the shuffled ones, in bits or in
	// guesses that are right, whichever is more.
	Sigma float64 `json:"sigma"`
}

// The names of the attackers.
const (
	Templates = "templates" // fits tones, see Judge; learns nothing
	Trained   = "trained"   // learns from the sound in and around the keys
	Edges     = "edges"     // learns from where masking begins and ends and where flat tones sound, and hears nothing else
)

const (
	shuffles = 99
	// standsOut is a Sigma that no shuffled truth in ten thousand has, small recordings included.
	standsOut = 5
	// keysAPart is how many keys it takes for one more part of the guesses, by confidence, to be told apart.
	keysAPart = 1000
	mostParts = 4
)

// Leaks reports that the guesses follow the truth, and that it is no chance.
func (a Attacker) Leaks() bool { return a.ByChance <= 1.0/(shuffles+1) && a.Sigma > standsOut }

// attackerOf rates guesses. Guess makes them, with how sure it is of each, from a truth to learn from.
func attackerOf(name string, truth []int, symbols int, guess func(truth []int) (guesses []int, margins []float64)) Attacker {
	a := Attacker{Name: name, Keys: len(truth), Interval: wilson(0, 0), Chance: 1 / float64(symbols), ByChance: 1}
	if len(truth) == 0 {
		return a
	}
	told := func(truth []int) (correct int, bits float64) {
		guesses, margins := guess(truth)
		for i, g := range guesses {
			if g == truth[i] {
				correct++
			}
		}
		return correct, information(guesses, margins, truth, symbols)
	}
	correct, bits := told(truth)
	a.Correct = correct
	a.Accuracy = float64(correct) / float64(len(truth))
	a.Interval = wilson(correct, len(truth))

	r := rand.New(rand.NewPCG(5, 6))
	shuffled, null, rights := slices.Clone(truth), make([]float64, shuffles), make([]float64, shuffles)
	for n := range null {
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		correct, null[n] = told(shuffled)
		rights[n] = float64(correct)
	}
	mean, inBits, byBits := apart(bits, null)
	right, inRights, byRights := apart(float64(a.Correct), rights)
	a.Chance = right / float64(len(truth))
	if a.Sigma, a.ByChance = inBits, byBits; inRights > inBits {
		a.Sigma, a.ByChance = inRights, byRights
	}
	slices.Sort(null)
	a.Resolution = null[shuffles*95/100] - mean
	if whole := entropy(truth, symbols); whole > mean {
		a.Bits = min(max(0, whole*(bits-mean)/(whole-mean)), whole)
		a.Resolution *= whole / (whole - mean)
	}
	return a
}

// apart is the mean of a null, by how many of its standard deviations a value is above that, and the share of null and
// value that is no less.
func apart(value float64, null []float64) (mean, sigma, share float64) {
	n, square, as := float64(len(null)), 0.0, 1.0
	for _, v := range null {
		mean += v / n
		if v >= value-1e-12 {
			as++
		}
	}
	for _, v := range null {
		square += (v - mean) * (v - mean) / n
	}
	if square > 0 {
		sigma = (value - mean) / math.Sqrt(square)
	}
	return mean, sigma, as / (n + 1)
}

// entropy is how many bits there are to know of a key.
func entropy(truth []int, symbols int) (bits float64) {
	n := make([]float64, symbols)
	for _, s := range truth {
		n[s] += 1 / float64(len(truth))
	}
	for _, p := range n {
		if p > 0 {
			bits -= p * math.Log2(p)
		}
	}
	return bits
}

// information is the mutual information, in bits, of truth with guesses and how sure each was, as counted, less the
// first order of what counting adds (Miller 1955): it depends on how many symbols are ever guessed, and would
// differ between truths for that alone. Sure guesses are told from others, so that one key told for certain among many of which
// nothing is known isn't drowned.
func information(guesses []int, margins []float64, truth []int, symbols int) float64 {
	parts := min(max(1, len(truth)/keysAPart), mostParts)
	order := make([]int, len(truth))
	for i := range order {
		order[i] = i
	}
	if parts > 1 {
		slices.SortStableFunc(order, func(i, j int) int {
			switch {
			case margins[i] < margins[j]:
				return -1
			case margins[i] > margins[j]:
				return 1
			}
			return 0
		})
	}
	cells := make([]float64, parts*symbols*symbols)
	said, was := make([]float64, parts*symbols), make([]float64, symbols)
	for rank, i := range order {
		g := rank*parts/len(order)*symbols + guesses[i]
		cells[g*symbols+truth[i]]++
		said[g]++
		was[truth[i]]++
	}
	bits, n := 0.0, float64(len(truth))
	for c, count := range cells {
		if count > 0 {
			bits += count / n * math.Log2(count*n/(said[c/symbols]*was[c%symbols]))
		}
	}
	return bits - (filled(cells)-filled(said)-filled(was)+1)/(2*n*math.Ln2)
}

func filled(cells []float64) (n float64) {
	for _, count := range cells {
		if count > 0 {
			n++
		}
	}
	return n
}
