package leak

import "math"

// upper is the expectation of a rare count below which seeing k or fewer has a chance of 5 % (Clopper and Pearson's interval in
// Poisson's limit): 3.0 for none.
func upper(k int) float64 {
	lo, hi := float64(k), float64(k)+10+4*math.Sqrt(float64(k))
	for range 60 {
		mid := (lo + hi) / 2
		if poisson(k, mid) > 0.05 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// poisson is the chance of k or fewer where mean are expected.
func poisson(k int, mean float64) float64 {
	sum := 0.0
	for i := range k + 1 {
		lg, _ := math.Lgamma(float64(i) + 1)
		sum += math.Exp(float64(i)*math.Log(mean) - mean - lg)
	}
	return sum
}
