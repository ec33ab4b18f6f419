package probe

import (
	"errors"
	"math"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/audio/tone"
)

// Leak measures how much of the keys on one leg is heard on another. Noise doesn't count, however loud: what counts is
// what goes with the keys, in frequency and in phase, over all the time for which they sound.
//
//	keyed ──▶ eight frequencies, a value a tick ──▶ windows of 256 ticks ──┐
//	heard ──▶ the same                          ──▶ the same               ├─▶ sums of products, by delay and by drift
//
// Each window of the one leg is compared with those of the other at the same time and up to three steps of 64 ticks later,
// which covers every delay of a line. Where the legs have clocks of their own the phase turns by their difference, so the
// sums are kept for several, and the best is taken: that can only make a leak look greater.
//
// A long window parts two DTMF frequencies (73 Hz) by 100 dB and more, but keys shorter than it are softened; so the tones'
// own level is taken from short ones.
type Leak struct {
	tick   int
	turn   [frequencies]complex128 // of a frequency's phase, a frame,
	angle  [frequencies]float64    // and the same as an angle
	hann   [windowTicks]float64
	drifts int
	state  *leakState
	free   func() error
}

const (
	frequencies = 8
	windowTicks = 256
	hopTicks    = windowTicks / 4
	delays      = 4
	shortTicks  = 32
	// mostDrifts is room for clocks up to 400 parts in a million apart.
	mostDrifts = 321
	driftStep  = 2.5e-6 // two minutes of keys lose a decibel halfway between two
)

// leakState is what keys could be read back from: it holds no pointers, see [locked.New].
type leakState struct {
	ticks, frames int
	phase         [frequencies]complex128
	sum           [2][frequencies]complex128              // of the tick under way
	past          [2][frequencies][windowTicks]complex128 // the last ticks, by number
	windows       [frequencies][delays]complex128         // of the keyed leg, by number
	n             int                                     // windows
	// Over all windows: products by delay and drift, the keyed leg's squares and fourth powers, and the squares of both.
	product [frequencies][delays][mostDrifts]complex128
	square  [frequencies][delays]float64
	fourth  [frequencies][delays]float64
	both    [frequencies][delays]float64
	level   [frequencies]float64 // the loudest a tone was, amplitude
}

// NewLeak measures at a rate, where the legs' clocks differ by no more than a share: 0 on one clock.
func NewLeak(rate audio.Rate, apart float64) (*Leak, error) {
	s, free, err := locked.New[leakState]()
	if err != nil {
		return nil, err
	}
	if apart > driftStep*(mostDrifts/2) {
		return nil, errors.Join(errors.New("probe: clocks so far apart can't be compared: use 400 parts in a million at the most"), free())
	}
	l := &Leak{tick: rate.TickFrames(), state: s, free: free, drifts: 1}
	l.drifts += 2 * int(math.Ceil(apart/driftStep))
	for i := range l.turn {
		l.angle[i] = -2 * math.Pi * hz(i) / float64(rate)
		l.turn[i] = turned(l.angle[i])
	}
	l.Reset()
	for i := range l.hann {
		l.hann[i] = (1 - math.Cos(2*math.Pi*(float64(i)+0.5)/windowTicks)) / windowTicks
	}
	return l, nil
}

// hz is a frequency of DTMF, by number.
func hz(i int) float64 {
	if i < len(tone.Rows) {
		return tone.Rows[i]
	}
	return tone.Cols[i-len(tone.Rows)]
}

func turned(angle float64) complex128 { return complex(math.Cos(angle), math.Sin(angle)) }

// Reset forgets all that was heard.
func (l *Leak) Reset() {
	*l.state = leakState{}
	for i := range l.state.phase {
		l.state.phase[i] = 1
	}
}

// Close wipes and frees. It may be called again.
func (l *Leak) Close() error {
	if l.state == nil {
		return nil
	}
	l.state = nil
	return l.free()
}

// Write takes the next frames of both legs, equally many.
func (l *Leak) Write(keyed, heard []int16) {
	s := l.state
	for n := range keyed {
		k, h := complex(float64(keyed[n]), 0), complex(float64(heard[n]), 0)
		for i := range frequencies {
			s.sum[0][i] += s.phase[i] * k
			s.sum[1][i] += s.phase[i] * h
			s.phase[i] *= l.turn[i]
		}
		if s.frames++; s.frames == l.tick {
			s.frames = 0
			l.tickOver()
		}
	}
}

func (l *Leak) tickOver() {
	s := l.state
	for i := range frequencies {
		for leg := range s.past {
			s.past[leg][i][s.ticks%windowTicks] = s.sum[leg][i] / complex(float64(l.tick), 0)
			s.sum[leg][i] = 0
		}
		s.phase[i] /= complex(math.Hypot(real(s.phase[i]), imag(s.phase[i])), 0) // keeps its length over the hours
	}
	if s.ticks++; s.ticks%shortTicks == 0 {
		l.loudness()
	}
	if s.ticks%hopTicks == 0 && s.ticks >= windowTicks {
		l.window()
	}
}

// loudness keeps the level of each tone on the keyed leg, where it fills a short window.
func (l *Leak) loudness() {
	s := l.state
	for i := range frequencies {
		var sum complex128
		for k := range shortTicks { // under a window that is an eighth of the long one
			sum += complex(l.hann[(2*k+1)*windowTicks/shortTicks/2], 0) * s.past[0][i][(s.ticks+k-shortTicks+windowTicks)%windowTicks]
		}
		s.level[i] = max(s.level[i], 2*abs(sum)*windowTicks/shortTicks)
	}
}

func abs(c complex128) float64 { return math.Hypot(real(c), imag(c)) }

// window adds the window that ends now to all sums.
func (l *Leak) window() {
	s := l.state
	now := float64(s.ticks * l.tick)
	for i := range frequencies {
		var keyed, heard complex128
		for k, w := range l.hann {
			at := (s.ticks + k) % windowTicks // the oldest first
			keyed += complex(w, 0) * s.past[0][i][at]
			heard += complex(w, 0) * s.past[1][i][at]
		}
		s.windows[i][s.n%delays] = keyed
		drift := l.angle[i] * now * driftStep // between two
		first, next := turned(-drift*float64(l.drifts/2)), turned(drift)
		for d := range min(delays, s.n+1) {
			k := s.windows[i][(s.n-d)%delays]
			power := real(k)*real(k) + imag(k)*imag(k)
			s.square[i][d] += power
			s.fourth[i][d] += power * power
			s.both[i][d] += power * (real(heard)*real(heard) + imag(heard)*imag(heard))
			p := complex(real(k), -imag(k)) * heard * first
			for e := range l.drifts {
				s.product[i][d][e] += p
				p *= next
			}
		}
	}
	s.n++
}
