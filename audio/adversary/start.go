package adversary

import (
	"errors"
	"math"

	"github.com/flattone/flattone/audio/tone"
)

const (
	latestStart = 10_000 // ms that are searched
	sureStart   = 5.0    // standard deviations by which the place found stands out
	exactStart  = 7.0    // the same, where the keys' own tones tell it: that is believed before all else
	trackMS     = 8      // what a track's value at one ms is measured over
	leastKeys   = 4      // pressed, that make a rhythm
)

// Scales, in ms, on which a recording changes at a key: with the key, or with a flat tone that comes somewhat later.
var startScales = [...]int{20, 120}

var errNoStart = errors.New("nothing in the recording follows the keys' rhythm")

// findStart answers, for a recording alone, at which of its frames the clock of the keys began, and how many ms
// before a key's start to look for it because that is rough. The keys' rhythm is looked for in what the
// recording does at each of them: keys' tones, a mask's tone, or loudness begin or end.
func findStart(out []int16, keys []Key, rate, q int) (frames int, headMS float64, err error) {
	if len(keys) < leastKeys {
		return 0, 0, errNoStart
	}
	y, low := lower(out, q), float64(rate)/float64(q)
	starts, last := make([]int, len(keys)), 0
	for i, k := range keys {
		starts[i] = int(float64(k.Start) * 1000 / float64(rate))
		last = max(last, int(math.Ceil(float64(k.End)*1000/float64(rate))))
	}
	lags := min(latestStart, int(float64(len(y))*1000/low)-last)
	if lags < 1 {
		return 0, 0, errors.New("the recording is shorter than the keys are")
	}
	best, place, scale := sureStart, -1, 0
	for i, track := range tracks(y, low) {
		for _, s := range startScales {
			z, lag := rise(track, starts, s, lags)
			if i == keyTrack && s == startScales[0] && z > exactStart {
				z = math.Inf(1)
			}
			if z > best {
				best, place, scale = z, lag, s
			}
		}
	}
	if place < 0 {
		return 0, 0, errNoStart
	}
	// The keys lie at most half a scale from the place found.
	place = max(0, place-scale/2)
	return place * rate / 1000, float64(scale), nil
}

// keyTrack is the place among tracks of that of the keys' tones.
const keyTrack = 0

// tracks say of each ms of a recording, as sums over those before it, how much of its energy a pair of keys' tones
// has, how much the steady tone, and how loud it is.
func tracks(y []float64, rate float64) [3][]float64 {
	ms := int(float64(len(y)) * 1000 / rate)
	var sums [3][]float64
	for i := range sums {
		sums[i] = make([]float64, ms+1)
	}
	n, hz := int(trackMS*rate/1000), steadyTone(y, rate)
	for t := range ms {
		at := max(0, min(len(y)-n, int((float64(t)+0.5)*rate/1000)-n/2))
		x := y[at:min(len(y), at+n)]
		e := energyOf(x)
		share := func(hz float64) float64 {
			s, c := phasor(x, 2*math.Pi*hz/rate, 0)
			return 2 * (s*s + c*c) / (float64(len(x)) * max(e, float64(len(x))))
		}
		row, column, steady := 0.0, 0.0, 0.0
		for i := range 4 {
			row, column = max(row, share(tone.Rows[i])), max(column, share(tone.Cols[i]))
		}
		if hz > 0 {
			steady = share(hz)
		}
		for i, v := range [...]float64{min(row, column), steady, math.Log(float64(len(x)) + e)} {
			sums[i][t+1] = sums[i][t] + v
		}
	}
	return sums
}

// rise finds the lag at which a track changes most at all keys together, and by how many standard deviations that
// stands out.
func rise(track []float64, starts []int, scale, lags int) (sigma float64, lag int) {
	mean := func(from, to int) float64 {
		from, to = max(0, min(from, len(track)-1)), max(0, min(to, len(track)-1))
		return (track[to] - track[from]) / max(1, float64(to-from))
	}
	change := make([]float64, lags)
	sum, square := 0.0, 0.0
	for l := range change {
		for _, s := range starts {
			change[l] += mean(s+l, s+l+scale) - mean(s+l-scale, s+l)
		}
		sum += change[l]
		square += change[l] * change[l]
		if math.Abs(change[l]) > math.Abs(change[lag]) {
			lag = l
		}
	}
	middle := sum / float64(lags)
	spread := math.Sqrt(max(0, square/float64(lags)-middle*middle))
	if spread == 0 {
		return 0, 0
	}
	return math.Abs(change[lag]-middle) / spread, lag
}
