package adversary

import (
	"math"
	"math/rand/v2"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/g711"
	"github.com/flattone/flattone/audio/tone"
)

const (
	rate8k   = audio.Rate8k
	digits   = "0123456789"
	fillDBm0 = -62
)

// scene is a caller who keys, and what the agent hears of it through a fixed delay.
type scene struct {
	r     *rand.Rand
	rate  audio.Rate
	delay int
	in    []float64
	keys  []Key

	rolledOff bool // the fill's spectrum

	out []float64 // set by mask, or by the test; already delayed
}

// newScene keys n symbols of the alphabet: 40 to 250 ms, both tones up to 1.5 % off, twist -2 to +4 dB, random
// phases, abrupt edges, pauses of 60 to 300 ms, noise at noiseDBm0. It begins with a second of "speech".
func newScene(seed uint64, rate audio.Rate, n int, alphabet string, level, noiseDBm0 float64) *scene {
	s := &scene{r: rand.New(rand.NewPCG(seed, 7)), rate: rate, delay: rate.TickFrames() * 30}
	s.in = s.speech(int(rate))
	for range n {
		s.in = append(s.in, make([]float64, s.ms(60, 300))...)
		start, frames := len(s.in), s.ms(40, 250)
		s.in = append(s.in, make([]float64, frames)...)
		symbol := s.r.IntN(len(alphabet))
		digit, _ := audio.NewDigit(alphabet[symbol])
		pair, _ := tone.Pair(alphabet[symbol], level, 0)
		twist := s.within(-2, 4)
		for i, sine := range pair {
			w := 2 * math.Pi * sine.Hz * (1 + s.within(-0.015, 0.015)) / float64(rate)
			a, phase := audio.Amplitude(level+twist*(float64(i)-0.5)), s.within(0, 2*math.Pi)
			for k := range frames {
				s.in[start+k] += a * math.Sin(w*float64(k)+phase)
			}
		}
		s.keys = append(s.keys, Key{Symbol: digit, Start: audio.Position(start), End: audio.Position(start + frames)})
	}
	s.in = append(s.in, make([]float64, int(rate))...)
	s.noise(s.in, noiseDBm0)
	for i, v := range s.in { // what comes from the trunk comes through G.711; what the mask makes does not
		s.in[i] = float64(g711.DecodeMu(g711.EncodeMu(sample(v))))
	}
	s.out = append(make([]float64, s.delay), s.in...)
	return s
}

func (s *scene) within(a, b float64) float64 { return a + (b-a)*s.r.Float64() }

func (s *scene) ms(a, b int) int { return (a + s.r.IntN(b-a+1)) * s.rate.TickFrames() }

func (s *scene) noise(x []float64, dBm0 float64) {
	rms := audio.Amplitude(dBm0) / math.Sqrt2
	for i := range x {
		x[i] += rms * s.r.NormFloat64()
	}
}

// speech is noise through two resonances that wander: loud, coloured and never twice the same.
func (s *scene) speech(n int) []float64 {
	x := make([]float64, n)
	s.noise(x, -25)
	a, b := 0.0, 0.0
	for i := range x {
		w := 2 * math.Pi * (500 + 200*math.Sin(float64(i)/float64(s.rate)*9)) / float64(s.rate)
		x[i], a, b = x[i]*0.1+1.9*math.Cos(w)*a-0.9*b, x[i]*0.1+1.9*math.Cos(w)*a-0.9*b, a
	}
	return x
}

// fill replaces the output from start to end, in frames of the input, by noise: white, or softly rolled off as
// the line's own.
func (s *scene) fill(start, end int) {
	x := s.out[start+s.delay : end+s.delay]
	white := make([]float64, len(x)+1)
	s.noise(white, fillDBm0)
	for i := range x {
		x[i] = white[i]
		if s.rolledOff {
			x[i] = (white[i] + white[i+1]) / math.Sqrt2
		}
	}
}

// flat adds a flat tone to the output at frame at of the input.
func (s *scene) flat(at int) {
	frames := s.rate.Frames(OurFlatTone().Length)
	for i, v := range tone.Append(nil, s.rate, frames, s.rate.Frames(OurFlatTone().Edge), tone.Sine{Hz: OurFlatTone().Hz, DBm0: -22}) {
		s.out[at+s.delay+i] += float64(v)
	}
}

// mask is a complete one: noise from 20 ms before each key to 45 ms past it, and for every key a flat tone in
// noise, in one of the slots of a grid of 100 ms that follow its start.
func (s *scene) mask() {
	ms := s.rate.TickFrames()
	for _, k := range s.keys {
		s.fill(int(k.Start)-20*ms, int(k.End)+45*ms)
	}
	last := 0
	for i, k := range s.keys {
		last = max(last+1, (int(k.Start)+20*ms)/(100*ms)+1)
		at := last * 100 * ms
		if i+1 < len(s.keys) && at+80*ms > int(s.keys[i+1].Start) {
			continue // this grid is full: the next key gets a tone of its own
		}
		s.fill(at-10*ms, at+70*ms)
		s.flat(at)
	}
}

// leak lets a part of each key through the mask: ms milliseconds from its start on, at this gain.
func (s *scene) leak(ms, gain float64) {
	for _, k := range s.keys {
		start := int(k.Start)
		end := min(int(k.End), start+int(math.Round(ms*float64(s.rate)/1000)))
		for i := start; i < end; i++ {
			s.out[i+s.delay] = gain * s.in[i]
		}
	}
}

// sample rounds and clips.
func sample(v float64) int16 { return int16(max(math.MinInt16, min(math.MaxInt16, math.Round(v)))) }

// on is the case to judge.
func (s *scene) on() Case {
	c := Case{Rate: s.rate, DelayFrames: s.delay, Keys: s.keys, FlatTone: OurFlatTone()}
	for _, v := range s.in {
		c.In = append(c.In, sample(v))
	}
	for _, v := range s.out {
		c.Out = append(c.Out, sample(v))
	}
	return c
}
