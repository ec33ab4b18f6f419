package detect

import (
	"math"

	"github.com/flattone/flattone/audio"
)

const (
	shortWindows = 3     // windows that confirm a clean tone
	longWindows  = 5     // windows that confirm one under speech or music
	shortDoubt   = 1.6   // the most doubt that confirms, by windows
	longDoubt    = 2.0   // recorded speech starts at 2.2
	hopeless     = 100   // the doubt of what is no pair at all
	windowShare  = 0.60  // of the energy of each window: less is no pair
	steadyLevel  = 0.09  // least ratio of a tone's powers in two windows,
	wholeLevel   = 0.5   // and for a short confirmation, so that all its windows were full
	maxJitter    = 0.8   // rad
	offFrequency = 0.026 // of the nominal frequency
	// What doubt is made of: the share that isn't explained, and for each tone its relative distance from
	// the nominal frequency, the jitter of its phase in rad, and the change of its level in dB; twist in dB
	// beyond what is easy.
	doubtShare  = 10
	doubtOff    = 12.5
	doubtJitter = 0.5
	doubtLevel  = 0.05
	doubtTwist  = 0.06
	easyTwist   = 5
)

// confirmFloor is the least of either tone, as a squared amplitude: -44 dBm0.
var confirmFloor = float32(audio.Amplitude(-44) * audio.Amplitude(-44))

const confirmTwist = 16 // 12 dB

// stretch is a pair in windows end to end, the newest first.
type stretch struct {
	key               int
	windows           int
	rows, cols        [longWindows]pair
	energy, explained float32
}

// extend takes windows before the first until there are so many, and reports whether the pair explains enough of each.
func (s *stretch) extend(p *plan, e *ear, windows int) bool {
	for ; s.windows < windows; s.windows++ {
		end := e.ticks - int64(s.windows*eightTicks)
		f := e.fitAt(p, end, s.key)
		if f.share < windowShare {
			return false
		}
		energy := e.energy(band, eightTicks, end)
		s.energy += energy
		s.explained += f.share * energy
		s.rows[s.windows], s.cols[s.windows] = f.row, f.col
	}
	return true
}

// judge tells the pair's levels, and doubt: 0 for a pair of pure tones, rising with all that else was heard.
func (s *stretch) judge(p *plan, steady float32) (row, col, doubt float32) {
	at := s.key / 4
	row, rowDoubt := steadiness(s.rows[:s.windows], steady, p.stride[at], frequencies[at])
	at = 4 + s.key%4
	col, colDoubt := steadiness(s.cols[:s.windows], steady, p.stride[at], frequencies[at])
	if row*row > confirmTwist*col*col || col*col > confirmTwist*row*row {
		return 0, 0, hopeless
	}
	twist := abs(decibel(col * col / (row * row)))
	return row, col, doubtShare*(1-s.explained/s.energy) + rowDoubt + colDoubt + doubtTwist*max(0, twist-easyTwist)
}

// steadiness judges one frequency by its amplitudes in windows end to end, the newest first: steady in level, and
// in phase as a frequency near the nominal one.
func steadiness(a []pair, steady float32, stride pair, frequency float64) (level, doubt float32) {
	low, high, sum := a[0].power(), a[0].power(), float32(0)
	for _, v := range a {
		low, high, sum = min(low, v.power()), max(high, v.power()), sum+v.power()
	}
	if low < confirmFloor || low < steady*high {
		return 0, hopeless
	}
	var room [longWindows - 1]float64
	advances := room[:len(a)-1]
	var mean float64
	for i := range advances {
		advances[i] = advance(a[i], a[i+1].turned(stride))
		mean += advances[i] / float64(len(advances))
	}
	var jitter float64
	for _, s := range advances {
		jitter = max(jitter, 2*math.Abs(s-mean))
	}
	off := math.Abs(mean) / (2 * math.Pi * frequency * eightTicks / 1000)
	if off > offFrequency || jitter > maxJitter {
		return 0, hopeless
	}
	return float32(math.Sqrt(float64(sum) / float64(len(a)))),
		doubtOff*float32(off) + doubtJitter*float32(jitter) + doubtLevel*decibel(high/low)
}

func decibel(ratio float32) float32 { return 10 * float32(math.Log10(float64(ratio))) }

func abs(v float32) float32 { return max(v, -v) }

// advance is the angle from b to a.
func advance(a, b pair) float64 {
	return math.Atan2(float64(a.c*b.s-a.s*b.c), float64(a.c*b.c+a.s*b.s))
}

func amplitude(p pair) float32 { return sqrt(p.power()) }

func sqrt(v float32) float32 { return float32(math.Sqrt(float64(v))) }
