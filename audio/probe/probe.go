// Package probe measures a line that is being installed: what comes back of a known noise and how late ([Probe]), what a
// quiet leg sounds like ([Quiet]), and how much of the keys on one leg leaks onto the other ([Leak]).
//
// It exists so that a line is judged by figures, and those by tests with known echoes, delays and leaks. It is no part of the
// sample path: it runs beside it, on copies. It promises that a figure is drowned by noise towards the bad side, never
// towards the good one. It must never give out which keys it heard: what it keeps of a leg lies in locked memory, and
// what it answers with are levels.
package probe

import (
	"math"
	"math/rand/v2"
	"time"
	"unsafe"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/fourier"
	"github.com/flattone/flattone/audio/locked"
)

// The sound of a probe: noise in the telephone's band, so that no detector takes it for keys and no canceller for a tone.
const (
	Length    = time.Second
	LevelDBm0 = -20.0
	lowHz     = 300.0
	highHz    = 3400.0
	// MostDelay is the latest an echo may come: more than a call by way of a satellite takes.
	MostDelay = 600 * time.Millisecond
)

const (
	// before and after the strongest of an echo's paths the others are taken for the same echo: a hybrid smears by some
	// milliseconds (ITU-T G.168 models them so).
	before = 4 * time.Millisecond
	after  = 12 * time.Millisecond
	// sure is by what factor an echo stands out of the correlation's noise: one in ten thousand million looks would by chance.
	sure = 7.0
)

// Probe is a noise, and finds it again. It isn't safe for concurrent use.
type Probe struct {
	rate      audio.Rate
	sound     []int16
	transform *fourier.Transform
	spectrum  []complex128 // of the sound, conjugated
	memory    []byte       // locked: what buf lies in
	buf       []complex128 // what was heard, and what it has in common with the sound
	peak, own float64      // of the sound's correlation with itself: at its best, and the squares around
}

// Echo is what was heard of a probe.
type Echo struct {
	// Heard: it stands out of the noise. If it doesn't, GainDB is the most it could have, and Frames is 0.
	Heard bool
	// Frames is by how many it came late.
	Frames int
	// GainDB is its level against the probe's own.
	GainDB float64
}

// New makes the probe for a rate, always the same.
func New(rate audio.Rate) (_ *Probe, err error) {
	p := &Probe{rate: rate, sound: noise(rate)}
	p.transform = fourier.New(p.Frames() + rate.Frames(before))
	p.spectrum = make([]complex128, p.transform.Size())
	if p.memory, err = locked.Bytes(p.transform.Size() * int(unsafe.Sizeof(p.buf[0]))); err != nil {
		return nil, err
	}
	p.buf = unsafe.Slice((*complex128)(unsafe.Pointer(unsafe.SliceData(p.memory))), p.transform.Size())
	for i, v := range p.sound {
		p.spectrum[i] = complex(float64(v), 0)
	}
	p.transform.Forward(p.spectrum)
	for i, v := range p.spectrum {
		p.spectrum[i] = complex(real(v), -imag(v))
	}
	p.correlate(p.sound)
	p.peak = real(p.buf[0])
	p.own = p.squares(-rate.Frames(before), rate.Frames(after))
	return p, nil
}

// Close wipes and frees what was heard.
func (p *Probe) Close() error {
	memory := p.memory
	p.memory, p.buf = nil, nil
	return locked.Free(memory)
}

// Sound is what is to be played. Nobody may write to it.
func (p *Probe) Sound() []int16 { return p.sound }

// Frames is how many have to be heard, from the moment when the sound begins.
func (p *Probe) Frames() int { return len(p.sound) + p.rate.Frames(MostDelay) }

// Find looks for the probe in what was heard from the moment when it began: at least [Probe.Frames].
func (p *Probe) Find(heard []int16) Echo {
	heard = heard[:p.Frames()]
	p.correlate(heard)
	lags := p.rate.Frames(MostDelay)
	best := 0
	for k := range lags {
		if math.Abs(real(p.buf[k])) > math.Abs(real(p.buf[best])) {
			best = k
		}
	}
	from, until := best-p.rate.Frames(before), best+p.rate.Frames(after)
	rest := (p.squares(0, from) + p.squares(until, lags)) / float64(lags-(min(until, lags)-max(from, 0)))
	if peak := math.Abs(real(p.buf[best])); peak == 0 || peak < sure*math.Sqrt(rest) {
		return Echo{GainDB: decibels(sure * math.Sqrt(rest) / p.peak)}
	}
	echo := p.squares(from, until) - rest*float64(until-from)
	return Echo{Heard: true, Frames: best, GainDB: decibels(math.Sqrt(echo / p.own))}
}

// correlate leaves in buf how much heard is like the sound, by how late that is.
func (p *Probe) correlate(heard []int16) {
	clear(p.buf)
	for i, v := range heard {
		p.buf[i] = complex(float64(v), 0)
	}
	p.transform.Forward(p.buf)
	for i, v := range p.spectrum {
		p.buf[i] *= v
	}
	p.transform.Inverse(p.buf)
}

// squares is the sum of those of a stretch of buf, whose end holds what comes before its beginning.
func (p *Probe) squares(from, until int) (sum float64) {
	for k := from; k < until; k++ {
		v := real(p.buf[(k+len(p.buf))%len(p.buf)])
		sum += v * v
	}
	return sum
}

// least is how low a figure in decibels goes.
const least = -120

func decibels(gain float64) float64 { return max(least, 20*math.Log10(gain)) }

// noise is white noise through a band-pass: a sinc of either edge, under a Hann window.
func noise(rate audio.Rate) []int16 {
	const seed = 11
	r := rand.New(rand.NewPCG(seed, uint64(rate)))
	half := rate.Frames(4 * time.Millisecond)
	taps := make([]float64, 2*half+1)
	for i := range taps {
		t := float64(i - half)
		taps[i] = (lowPass(t, highHz/float64(rate)) - lowPass(t, lowHz/float64(rate))) * (0.5 + 0.5*math.Cos(math.Pi*t/float64(half+1)))
	}
	white := make([]float64, rate.Frames(Length)+len(taps))
	for i := range white {
		white[i] = r.NormFloat64()
	}
	x, power := make([]float64, rate.Frames(Length)), 0.0
	for i := range x {
		for k, w := range taps {
			x[i] += w * white[i+k]
		}
		power += x[i] * x[i] / float64(len(x))
	}
	level := audio.Amplitude(LevelDBm0)
	scale := math.Sqrt(level * level / 2 / power)
	sound := make([]int16, len(x))
	for i, v := range x {
		sound[i] = int16(math.RoundToEven(min(max(scale*v, math.MinInt16), math.MaxInt16)))
	}
	return sound
}

// lowPass is the response, t frames from its middle, of what passes all below a share of the rate.
func lowPass(t, share float64) float64 {
	if t == 0 {
		return 2 * share
	}
	return math.Sin(2*math.Pi*share*t) / (math.Pi * t)
}
