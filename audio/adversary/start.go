package adversary

import (
	"errors"
	"math"

	"github.com/flattone/flattone/audio/tone"
)

const (
	latestStart = 10_000 // ms that are searched
	sureStart   = 5.0    // standard deviations by which the place found stands out
	trackMS     = 8      // what a track's value at one ms is measured over
	ownMS       = 250    // around a place, that are its own
	leastKeys   = 4      // pressed, that make a rhythm
)

// A mask may begin some time before a key, or after it, and flat tones come later still. Only the keys' own tones
// tell their place to the scale on which their rise is measured.
const (
	onsetMS = 20
	looseMS = 120
)

var errNoStart = errors.New("nothing in the recording follows the keys' rhythm")

// findStart answers, for a recording alone, at which of its frames the clock of the keys began, and how many ms
// before a key's start to look for it because that is rough. The keys' rhythm is looked for in what the
// recording does at each of them: keys' tones, a mask's tone, or loudness begin or end.
func findStart(out []int16, keys []Key, rate, q int) (frames int, headMS float64, err error) {
	if len(keys) < leastKeys {
		return 0, 0, errNoStart
	}
	y, low := lower(out, q), float64(rate)/float64(q)
	starts, ends, last := make([]int, len(keys)), make([]int, len(keys)), 0
	for i, k := range keys {
		starts[i] = int(float64(k.Start) * 1000 / float64(rate))
		ends[i] = int(math.Ceil(float64(k.End) * 1000 / float64(rate)))
		last = max(last, ends[i])
	}
	lags := min(latestStart, int(float64(len(y))*1000/low)-last)
	if lags < 1 {
		return 0, 0, errors.New("the recording is shorter than the keys are")
	}
	best, place := sureStart, -1
	for i, track := range tracks(y, low) {
		fall := i == loudTrack // a mask may be more quiet than what it replaces, or louder
		if z, lag := outstanding(rises(track, starts, onsetMS), lags, fall); i == keyTrack && z > sureStart {
			// The keys' own tones are believed before all else.
			return max(0, lag-onsetMS/2) * rate / 1000, onsetMS, nil
		}
		for _, change := range [][]float64{rises(track, starts, onsetMS), rises(track, starts, looseMS), fills(track, starts, ends)} {
			if z, lag := outstanding(change, lags, fall); z > best {
				best, place = z, lag
			}
		}
	}
	if place < 0 {
		return 0, 0, errNoStart
	}
	return max(0, place-looseMS/2) * rate / 1000, looseMS, nil
}

// The places among tracks of that of the keys' tones, and of loudness.
const (
	keyTrack  = 0
	loudTrack = 2
)

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

// meanOf is a track's mean over the ms from one to another, as if it began anew where it ends.
func meanOf(track []float64, from, to int) float64 {
	n := len(track) - 1
	sum := func(ms int) float64 {
		turn := ms / n
		if ms < 0 {
			turn--
		}
		return float64(turn)*track[n] + track[ms-turn*n]
	}
	return (sum(to) - sum(from)) / max(1, float64(to-from))
}

// rises is by how much a track rises at all keys together, for each lag there is in it.
func rises(track []float64, starts []int, scale int) []float64 {
	change := make([]float64, len(track)-1)
	for l := range change {
		for _, s := range starts {
			change[l] += meanOf(track, s+l, s+l+scale) - meanOf(track, s+l-scale, s+l)
		}
	}
	return change
}

// fills is by how much a track is higher in keys than in the pauses between them.
func fills(track []float64, starts, ends []int) []float64 {
	change := make([]float64, len(track)-1)
	for l := range change {
		for k := 1; k < len(starts); k++ {
			change[l] += meanOf(track, starts[k]+l, ends[k]+l) - meanOf(track, ends[k-1]+l, starts[k]+l)
		}
	}
	return change
}

// outstanding finds the greatest change at any of the first lags, and by how many standard deviations it stands out
// from those farther off, which no recording can have.
func outstanding(change []float64, lags int, fall bool) (sigma float64, lag int) {
	size := func(v float64) float64 {
		if fall {
			return math.Abs(v)
		}
		return v
	}
	for l, v := range change[:lags] {
		if size(v) > size(change[lag]) {
			lag = l
		}
	}
	n, sum, square := 0.0, 0.0, 0.0
	for l, v := range change {
		if off := max(l-lag, lag-l); min(off, len(change)-off) > ownMS {
			n, sum, square = n+1, sum+v, square+v*v
		}
	}
	spread := math.Sqrt(max(0, square/n-sum/n*sum/n))
	if n == 0 || spread == 0 {
		return 0, 0
	}
	return size(change[lag]-sum/n) / spread, lag
}
