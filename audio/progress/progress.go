// Package progress hears that a telephone network speaks, not a person: dial tone, ringing, busy, reorder, and the last of the three notes before an
// announcement (ITU-T E.180 and its supplement 2). Whoever was on the line is gone then.
//
// Such a tone is one frequency of a few, or two of them about as loud, that hold most of the energy, evenly. It sounds for the better part of a second, or
// twice the same with silence between, which music hardly does. Which tone of which country it is doesn't matter here.
//
// It also hears for how long nothing was heard.
//
// It promises no allocation, lock, channel or clock after New. It keeps sums at the tones' frequencies, none of which is a key's, and no sample.
package progress

import (
	"fmt"
	"math"
	"sync/atomic"

	"github.com/flattone/flattone/audio"
)

// frequencies of the tones, in Hz: of dial, ringing, busy and reorder the first seven, of an announcement's third note (1777 to 1800) the last two. Its
// first two notes lie beside frequencies of keys.
var frequencies = [...]float64{350, 400, 425, 440, 450, 480, 620, 1775, 1805}

const noteHz = 1700 // above it there is only the note

const (
	windowMS = 32   // in which two tones 80 Hz apart are told apart
	share    = 0.7  // of the energy that they hold: 15 Hz beside the nominal frequency they still do
	alike    = 4    // most ratio of two tones' powers: 6 dB
	even     = 1.25 // most ratio of the energy of a window to that of the first: 1 dB,
	beating  = 3    // and of two tones, which may beat as slowly as a window is long
	apart    = 40   // Hz between two tones, at the least
	near     = 25   // Hz by which the tones of a window may seem to move

	burst  = 6   // windows of a sound, at the least: the shortest lasts 225 ms
	steady = 27  // and of one that needs no second
	within = 24  // windows from the end of a sound to the beginning of the second, at the most
	calm   = 0.1 // least energy between them, at the most
)

// floor is the least mean square: of a tone of -45 dBm0. Below quiet, of -50, is silence: more than what an idle line and its devices make
// (below -60), and less than a room with somebody in it, as telephones pick it up.
var floor, quiet = square(audio.Amplitude(-45)) / 2, square(audio.Amplitude(-50)) / 2

func square(v float64) float64 { return v * v }

// Listener listens to one leg. One thread writes; Heard and Silent may be asked from anywhere.
type Listener struct {
	frames int // of a window
	weigh  []float64
	turn   [len(frequencies)]float64 // 2 cos of each frequency's advance by a frame
	gain   float64                   // power of a tone from its sum's square, to the energy as it is weighed

	at       int
	energy   float64
	sums     [len(frequencies)][2]float64 // Goertzel's
	position audio.Position

	now, before sound   // the one under way, and the last burst
	since       int     // windows since that,
	least       float64 // and the least energy among them

	heard  atomic.Int64 // one past the last window of a tone, 0 for none
	silent atomic.Int64 // frames on end without a sound, in whole windows
}

// tone is what holds a window: the middle of one frequency or of two, 0 if there is none.
type tone struct {
	hz  float64
	two bool
}

// sound is windows on end that one tone holds.
type sound struct {
	tone
	loud    float64 // energy of the first of them
	windows int
}

// goes reports whether a window of some energy is of the same sound.
func (s *sound) goes(t tone, energy float64) bool {
	most := even
	if t.two || s.two {
		most = beating
	}
	return math.Abs(t.hz-s.hz) <= near && energy <= most*s.loud && s.loud <= most*energy
}

// New makes a listener for a supported rate.
func New(rate audio.Rate) (*Listener, error) {
	if !rate.Supported() {
		return nil, fmt.Errorf("progress: a rate of %v isn't supported: use 8000, 16000, 44100 or 48000", rate)
	}
	l := &Listener{frames: int(rate) * windowMS / 1000}
	l.weigh = make([]float64, l.frames)
	var sum, squares float64
	for i := range l.weigh { // Hann
		w := 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(l.frames))
		l.weigh[i] = w
		sum, squares = sum+w, squares+w*w
	}
	l.gain = 2 * squares / (sum * sum)
	for i, f := range frequencies {
		l.turn[i] = 2 * math.Cos(2*math.Pi*f/float64(rate))
	}
	return l, nil
}

// Write takes the next frames of the leg.
func (l *Listener) Write(x []int16) {
	for len(x) > 0 {
		n := min(len(x), l.frames-l.at)
		for i, v := range x[:n] {
			weighed := float64(v) * l.weigh[l.at+i]
			l.energy += weighed * weighed
			for k := range l.sums {
				s := &l.sums[k]
				s[0], s[1] = weighed+l.turn[k]*s[0]-s[1], s[0]
			}
		}
		x = x[n:]
		l.position += audio.Position(n)
		if l.at += n; l.at == l.frames {
			l.judge(l.tone())
			l.still()
			l.at, l.energy, l.sums = 0, 0, [len(frequencies)][2]float64{}
		}
	}
}

// Heard is one past the last window in which a tone of the network was sure to sound, in frames since the first; 0 if none did.
func (l *Listener) Heard() audio.Position { return audio.Position(l.heard.Load()) }

// Silent is for how many frames nothing was heard by now.
func (l *Listener) Silent() int64 { return l.silent.Load() }

// hann is its mean square.
const hann = 3. / 8

// still counts a window without a sound.
func (l *Listener) still() {
	if l.energy >= quiet*hann*float64(l.frames) {
		l.silent.Store(0)
		return
	}
	l.silent.Add(int64(l.frames))
}

// judge takes what holds a window.
func (l *Listener) judge(t tone) {
	if t.hz == 0 || !l.now.goes(t, l.energy) {
		if l.now.windows >= burst {
			l.before, l.since, l.least = l.now, 0, l.energy
		}
		l.now = sound{tone: t, loud: l.energy}
	}
	l.since++
	l.least = min(l.least, l.energy)
	if t.hz == 0 {
		return
	}
	l.now.windows++
	if n := l.now.windows; n >= steady || n >= burst && (t.hz > noteHz || l.second()) {
		l.heard.Store(int64(l.position))
	}
}

// second reports whether the sound under way is the burst before once more, with silence between.
func (l *Listener) second() bool {
	return l.before.windows > 0 && l.since-l.now.windows <= within && l.least <= calm*l.before.loud && l.before.goes(l.now.tone, l.now.loud)
}

// tone is what holds the window.
func (l *Listener) tone() tone {
	if l.energy < floor*hann*float64(l.frames) {
		return tone{}
	}
	var power [len(frequencies)]float64 // shares of the energy
	for k, s := range l.sums {
		power[k] = (s[0]*s[0] + s[1]*s[1] - l.turn[k]*s[0]*s[1]) * l.gain / l.energy
		if power[k] >= share {
			return tone{hz: frequencies[k]}
		}
	}
	best, most := tone{}, share
	for a, p := range power {
		for b := a + 1; b < len(power); b++ {
			q := power[b]
			if frequencies[b]-frequencies[a] >= apart && p+q >= most && p <= alike*q && q <= alike*p {
				best, most = tone{(p*frequencies[a] + q*frequencies[b]) / (p + q), true}, p+q
			}
		}
	}
	return best
}
