package mask

import (
	"math"
	"math/rand/v2"
	"sync"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/level"
	"github.com/flattone/flattone/audio/tone"
)

// fill makes the noise that stands where the caller was. A sample of it is a function of its position and of
// a level in steps of 3 dB; the level follows the background between the words, learnt in blocks of one slot
// of which neither the three before nor the three after held anything masked. Only of those, too, the noise floor is
// taken and the clipping counted, since of a key both would depend on which one it was.
type fill struct {
	gain    int32    // of the noise, fixed-point: gainBits behind the point
	square  float64  // its mean square
	level   float64  // that of the background
	sum     int64    // of what was heard of this block,
	power   int64    // and of its squares, and a flat tone's
	clipped int      // frames of it that were clipped
	masked  int      // frames of it that were masked whole
	clean   int64    // blocks on end of which none was
	late    [4]block // the last of them
	meter   float64

	clips level.Clips
	floor level.Floor
	total int64 // frames that were clipped
}

// block is what is kept of one until it may be learnt from.
type block struct {
	square  float64 // mean square, without what is constant
	clipped int
}

const (
	away       = 3    // blocks between what is learnt and anything masked
	follow     = 0.5  // how fast the level follows down,
	rise       = 1.02 // and up, a block
	levelSteps = 3.0  // dB
	gainBits   = 20
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
	f.square = math.Pow(10, steps*levelSteps/10)
	// Two neighbouring uniform values in +-32768, averaged, have a mean square of 32768^2/6.
	f.gain = int32(math.Sqrt(f.square*6) / 32768 * (1 << gainBits))
}

// replace writes noise over a tick, whose first sample is at a position of the input.
func (f *fill) replace(hiss *hiss, x []int16, at int64) {
	gain := f.gain
	for i, v := range hiss[at&(hissFrames-1):][:len(x)] {
		x[i] = int16((int32(v)*gain + 1<<(gainBits-1)) >> gainBits)
	}
}

// hiss is a fixed random sequence of values in +-32767: each is the mean of two neighbours of a uniform one, so that it is softer on high.
// It begins again after 8 s at 8 kHz, too long for an ear to tell. Its beginning stands at its end once more, for a tick that lies across.
type hiss [hissFrames + audio.MostTickFrames]int16

const hissFrames = 1 << 16

var theHiss = sync.OnceValue(func() *hiss {
	var h hiss
	r := rand.New(rand.NewPCG(hissFrames, uint64(audio.MostTickFrames))) // any seed
	first := r.IntN(1<<16) - 1<<15
	before := first
	for i := range hissFrames {
		v := r.IntN(1<<16) - 1<<15
		if i == hissFrames-1 {
			v = first
		}
		h[i] = int16((before + v) / 2)
		before = v
	}
	copy(h[hissFrames:], h[:])
	return &h
})

// learn takes each tick as it leaves that isn't masked whole.
func (f *fill) learn(x []int16) {
	sum, squares := level.Sums(x)
	f.sum += sum
	f.power += squares
	f.clipped += f.clips.Count(x, squares)
}

// whole takes the n-th block, which is over, of so many frames.
func (f *fill) whole(n int64, frames float64) {
	f.meter = (float64(f.power) + float64(f.masked)*f.square) / frames
	mean := float64(f.sum) / frames
	if f.clean++; f.masked > 0 {
		f.clean = 0
	}
	if f.clean > 2*away {
		f.track(f.late[(n-away)&3])
	}
	f.late[n&3] = block{f.meter - mean*mean, f.clipped}
	f.sum, f.power, f.clipped, f.masked = 0, 0, 0, 0
}

func (f *fill) track(b block) {
	if b.square < f.level {
		f.set(f.level + follow*(b.square-f.level))
	} else {
		f.set(min(f.level*rise, b.square))
	}
	f.floor.Add(b.square)
	f.total += int64(b.clipped)
}

// Meter is the mean square of what left in the last whole slot of 100 ticks: of what the agent hears, so it
// tells no more than that. Noise and flat tones are reckoned, by how loud they are made.
func (m *Masker) Meter() float64 { return m.state.fill.meter }

// Floor is the mean square of the noise floor, +Inf while it isn't known, and Clipped how many frames were clipped: of what was heard at least
// 300 ms away from anything masked, and told so much later, so that neither tells a key.
func (m *Masker) Floor() float64 { return m.state.fill.floor.Lowest() }

// Clipped is told as Floor is.
func (m *Masker) Clipped() int64 { return m.state.fill.total }

// tones are the flat tones made so far, by how they were asked for: lines of one rate mostly share one.
var tones sync.Map

// flatTone is one flat tone with raised-cosine edges. Nobody may write to it.
func flatTone(rate audio.Rate, sine tone.Sine) []int16 {
	type asked struct {
		rate audio.Rate
		sine tone.Sine
	}
	key := asked{rate, sine}
	made, ok := tones.Load(key)
	if !ok {
		tick := rate.TickFrames()
		made, _ = tones.LoadOrStore(key, tone.Append(make([]int16, 0, toneTicks*tick), rate, toneTicks*tick, edgeTicks*tick, sine))
	}
	return made.([]int16)
}
