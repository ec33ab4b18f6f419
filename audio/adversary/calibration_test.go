package adversary

import (
	"flag"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/flattone/flattone/audio/tone"
)

// The count with which Threshold was set is stated there; the short form runs with every test.
var calibrationKeys = flag.Int("calibration-keys", 400, "masked keys from which the threshold is computed again")

// maskedRatios attacks n completely masked keys and answers their likelihood ratios in order of size.
func maskedRatios(t *testing.T, n int) []float64 {
	t.Helper()
	const batch, workers = 100, 2
	ratios := make([]float64, (n+batch-1)/batch*batch)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := w * batch; i < len(ratios); i += workers * batch {
				alphabet := digits
				if w == 1 {
					alphabet = tone.Keys
				}
				s := newScene(uint64(1000+i), rate8k, batch, alphabet, -10, -60)
				s.rolledOff = i/batch%4 < 2
				s.mask()
				r, err := Judge(s.on())
				if err != nil {
					t.Error(err)
				}
				for k, row := range r.Rows {
					ratios[i+k] = row.LogRatio
				}
			}
		})
	}
	all.Wait()
	slices.Sort(ratios)
	return ratios
}

// fitError is by how much the fitted tail may fall short, in nats: of 100 000 keys it gave 7.29 where counting
// gave 7.62.
const fitError = 0.5

// tailQuantile is the value that a share p of what ratios were drawn from exceeds: the upper end of its one-sided
// 95 % confidence interval. Beyond the 90th percentile the tail is fitted by an exponential (the
// peaks-over-threshold method of extreme value theory, with the shape that the log of a likelihood ratio has),
// so that p may be far rarer than one in len(ratios).
func tailQuantile(ratios []float64, p float64) float64 {
	tail := ratios[len(ratios)*90/100:]
	mean := 0.0
	for _, v := range tail {
		mean += (v - tail[0]) / float64(len(tail))
	}
	mean *= 1 + 1.645/math.Sqrt(float64(len(tail)))
	return tail[0] + mean*math.Log(float64(len(tail))/float64(len(ratios))/p)
}

// TestThresholdIsWhereAMaskIsReadOnceInTenThousand repeats, in short, the computation behind Threshold.
func TestThresholdIsWhereAMaskIsReadOnceInTenThousand(t *testing.T) {
	t.Parallel()
	ratios := maskedRatios(t, *calibrationKeys)
	if len(ratios) >= 100_000 {
		// Enough to count, without any fit.
		t.Logf("of %d masked keys one in 10 000 exceeds %.2f, one in 1000 %.2f, the most is %.2f", len(ratios),
			ratios[len(ratios)-len(ratios)/10_000], ratios[len(ratios)-len(ratios)/1000], ratios[len(ratios)-1])
	}
	need := tailQuantile(ratios, 1e-4) + fitError
	t.Logf("%d masked keys: the fitted tail, with its error, exceeds %.2f once in 10 000", len(ratios), need)
	if need > Threshold {
		t.Errorf("a mask is called readable too often: the threshold should be %.2f, it is %v", need, float64(Threshold))
	}
	if need < Threshold/2 {
		t.Errorf("the threshold is blunt: %v, where %.2f would do", float64(Threshold), need)
	}
}
