package probe

import (
	"math"

	"github.com/flattone/flattone/audio"
)

// Tones is how many of the eight frequencies were keyed for long enough.
func (l *Leak) Tones() (n int) {
	for i := range frequencies {
		if l.keyed(i) {
			n++
		}
	}
	return n
}

// keyed tells a tone that sounded, and for long enough to be told from noise, from what the others spill.
func (l *Leak) keyed(i int) bool {
	s := l.state
	return s.level[i] >= max(audio.Amplitude(leastToneDBm0), l.loudest()*spill) && s.square[i][0]*s.square[i][0] >= leastWindows*s.fourth[i][0]
}

const (
	leastToneDBm0 = -40
	spill         = 0.16 // 16 dB below the loudest, more than any twist
	leastWindows  = 12   // that are full of it: four that share nothing
)

func (l *Leak) loudest() (most float64) {
	for _, level := range l.state.level {
		most = max(most, level)
	}
	return most
}

// KeyedDBm0 is the level of the loudest of those on the keyed leg.
func (l *Leak) KeyedDBm0() float64 { return audio.DBm0(l.loudest() * l.loudest() / 2) }

// HeardDBm0 is the level of the loudest of them on the other leg, as far as it goes with the keys; and floor that which the noise there would
// seem to have. Level is without as much.
func (l *Leak) HeardDBm0() (level, floor float64) {
	level, floor = least, least
	s := l.state
	for i := range frequencies {
		if !l.keyed(i) {
			continue
		}
		tone := decibels(s.level[i] / audio.ZeroDBm0)
		for d := range delays {
			if s.square[i][d] == 0 {
				continue
			}
			most := 0.0
			for _, p := range s.product[i][d][:l.drifts] {
				most = max(most, abs(p)/s.square[i][d])
			}
			// What doesn't go with the keys, and how much of that is left in a sum of so many products. Of few windows some noise seems to go
			// with the keys, for level and drift are fitted to it.
			square := s.square[i][d] * s.square[i][d]
			rest := max(0, s.both[i][d]-most*most*s.fourth[i][d]) / max(0.25, 1-fitted*overlap*s.fourth[i][d]/square)
			noise := overlap * rest / square
			level = max(level, tone+decibels(math.Sqrt(max(0, most*most-noise))))
			floor = max(floor, tone+decibels(math.Sqrt(noise)))
		}
	}
	return max(least, level), max(least, floor)
}

const (
	// overlap is by what factor windows that overlap by three quarters have more noise in common.
	overlap = 2.7
	// fitted is to how many values the sums are fitted, in windows that share nothing.
	fitted = 2
)
