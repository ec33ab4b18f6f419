package mask

import (
	"math"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// fill makes the noise that stands where the caller was. A sample of it is a function of its position and of
// a level in steps of 3 dB; the level follows the background between the words, learnt in blocks of one slot
// of which neither the three before nor the three after held anything masked.
type fill struct {
	gain  float32 // of the noise
	level float64 // mean square of the background
	sum   int64
	power int64
	clean int64      // blocks on end that were heard whole
	late  [4]float64 // mean squares of the last of them
	dirty bool       // this block held something masked
	out   int64      // power of what left in this block, and of the last whole one
	meter float64
}

const (
	away       = 3    // blocks between what is learnt and anything masked
	follow     = 0.5  // how fast the level follows down,
	rise       = 1.02 // and up, a block
	levelSteps = 3.0  // dB
)

var (
	firstLevel = power(-62)
	leastLevel = power(-72)
	mostLevel  = power(-42)
)

// power is the mean square of a sine at a level.
func power(dBm0 float64) float64 { a := audio.Amplitude(dBm0); return a * a / 2 }

func (f *fill) start() { f.set(firstLevel) }

func (f *fill) set(level float64) {
	f.level = min(max(level, leastLevel), mostLevel)
	steps := math.Round(10 * math.Log10(f.level) / levelSteps)
	// Two neighbouring uniform values in +-32768, averaged, have a mean square of 32768^2/6.
	f.gain = float32(math.Pow(10, steps*levelSteps/20) * math.Sqrt(6) / 32768)
}

// replace writes noise over x, whose first sample is at a position of the input.
func (f *fill) replace(x []int16, at int64) {
	before := white(at - 1)
	for i := range x {
		now := white(at + int64(i))
		x[i] = int16(f.gain * float32(before+now) / 2)
		before = now
	}
}

// white is the n-th value of a fixed random sequence, in +-32768: a quarter of a splitmix64 output.
func white(n int64) int32 {
	z := uint64(n>>2)*0x9e3779b97f4a7c15 + 0x243f6a8885a308d3
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return int32(int16(z >> (16 * (n & 3))))
}

// learn takes each tick as it leaves.
func (f *fill) learn(x []int16, t int64, masked bool) {
	var sum, square int64
	for _, v := range x {
		sum += int64(v)
		square += int64(v) * int64(v)
	}
	f.out += square
	f.dirty = f.dirty || masked
	if !masked {
		f.sum += sum
		f.power += square
	}
	if t%slotTicks != slotTicks-1 {
		return
	}
	n := float64(slotTicks * len(x))
	f.meter = float64(f.out) / n
	mean := float64(f.sum) / n
	if f.clean++; f.dirty {
		f.clean = 0
	}
	at := t / slotTicks
	if f.clean > 2*away {
		f.track(f.late[(at-away)&3])
	}
	f.late[at&3] = float64(f.power)/n - mean*mean
	f.sum, f.power, f.out, f.dirty = 0, 0, 0, false
}

func (f *fill) track(block float64) {
	if block < f.level {
		f.set(f.level + follow*(block-f.level))
	} else {
		f.set(min(f.level*rise, block))
	}
}

// Meter is the mean square of what left in the last whole slot of 100 ticks: of what the agent hears, so it
// tells no more than that.
func (m *Masker) Meter() float64 { return m.state.fill.meter }

// flatTone makes one flat tone with raised-cosine edges.
func flatTone(cfg Config, tick int) []int16 {
	return tone.Append(nil, cfg.Rate, toneTicks*tick, edgeTicks*tick, tone.Sine{Hz: cfg.ToneHz, DBm0: cfg.ToneDBm0})
}
