package adversary

import (
	"fmt"
	"slices"
)

// hearing is one recording made ready for every attacker.
type hearing struct {
	attack  *attack // holds what was heard, its delay and the mask's tones taken off
	clean   []float64
	truth   []int    // places in tone.Keys
	spans   [][2]int // the keys in frames of the input
	perTick int      // frames,
	tick    float64  // and samples of what was lowered
	delay   int
	headMS  float64
	maskHz  float64
	masked  []bool // by ticks of the key's clock: the output isn't the input, or sounds like mask
	toned   []bool // by ticks: the mask's tone sounds
}

// hear checks a case, finds its delay if that is asked for, and takes the mask's tones out.
func hear(c Case) (*hearing, error) {
	if !c.Rate.Supported() {
		return nil, fmt.Errorf("judge: %v is not a rate of the sample path: resample both recordings to 8 kHz", c.Rate)
	}
	truth, err := symbolsOf(c.Keys)
	if err != nil {
		return nil, err
	}
	blind := c.In == nil
	q := decimation(c.Rate)
	h := &hearing{truth: truth, perTick: c.Rate.TickFrames(), tick: float64(c.Rate.TickFrames()) / float64(q), delay: c.DelayFrames, headMS: headMS}
	if h.delay == FindDelay {
		if blind {
			h.delay, h.headMS, err = findStart(c.Out, c.Keys, int(c.Rate), q)
		} else {
			h.delay, err = findDelay(c.In, c.Out, c.Keys, int(c.Rate), q)
		}
		if err != nil {
			return nil, fmt.Errorf("judge: find the delay: %w: give it", err)
		}
	}
	if h.delay < 0 {
		return nil, fmt.Errorf("judge: a delay of %d frames: output can't come before input", h.delay)
	}
	for i, k := range c.Keys {
		if k.Start < 0 || k.End <= k.Start {
			return nil, fmt.Errorf("judge: key %d lasts from %d to %d: a key begins at 0 or later and ends after that", i+1, k.Start, k.End)
		}
		if h.delay > len(c.Out)-int(k.End) || !blind && int(k.End) > len(c.In) {
			return nil, fmt.Errorf("judge: key %d ends at frame %d, delayed by %d: the input has %d frames, the output %d: give the recordings whole",
				i+1, k.End, h.delay, len(c.In), len(c.Out))
		}
	}
	out := c.Out[min(h.delay, len(c.Out)):]
	rate := float64(c.Rate) / float64(q)
	heard := lower(out, q)
	spans := make([][2]int, len(c.Keys))
	for i, k := range c.Keys {
		spans[i] = [2]int{int(k.Start) / q, int(k.End) / q}
		h.spans = append(h.spans, [2]int{int(k.Start), int(k.End)})
	}
	dirt := c.FlatTone.cancel(heard, rate)
	h.maskHz = c.FlatTone.Hz
	if hz := steadyTone(heard, rate); hz > 0 {
		h.maskHz = hz
	}
	for i, d := range cancelSteady(heard, rate, h.maskHz) { // where it is cut or bent, it isn't as it is known
		dirt[i] = max(dirt[i], d)
	}
	h.attack = newAttack(heard, dirt, rate, alphabet(truth), spans, h.headMS)
	h.toned = make([]bool, len(out)/h.perTick)
	for t := range h.toned {
		h.toned[t] = dirt[min(int((float64(t)+0.5)*h.tick), len(dirt)-1)] > 0
	}
	if blind {
		h.masked = h.quiet()
	} else {
		h.clean = lower(c.In, q)
		h.masked = h.differs(c.In, out, lower(out, q))
	}
	return h, nil
}

// classes are the truth as places in the alphabet.
func (h *hearing) classes() []int {
	places := make(map[int]int, len(h.attack.symbols))
	for i, s := range h.attack.symbols {
		places[s] = i
	}
	classes := make([]int, len(h.truth))
	for i, s := range h.truth {
		classes[i] = places[s]
	}
	return classes
}

const (
	// exact is the share of ticks that come through bit for bit, below which a codec lies between.
	exact = 0.02
	// motion is how many ticks around one its motion is judged by, where it does. A single tick of noise
	// moves with a tone by chance, and how often depends on the tone: that would be the truth, let in by the back door.
	motion = 4
)

// differs finds the ticks in which the output isn't the input: neither frame for frame nor, where a codec lies
// between, in its motion.
func (h *hearing) differs(in, out []int16, heard []float64) []bool {
	tick := h.perTick
	masked, same := make([]bool, min(len(in), len(out))/tick), 0
	for t := range masked {
		if masked[t] = !slices.Equal(in[t*tick:(t+1)*tick], out[t*tick:(t+1)*tick]); !masked[t] {
			same++
		}
	}
	if float64(same) >= exact*float64(len(masked)) {
		return masked
	}
	for t := range masked {
		at, end := int(float64(max(0, t-motion))*h.tick), int(float64(min(len(masked), t+motion+1))*h.tick)
		masked[t] = !moves(h.clean[at:end], heard[at:end])
	}
	return masked
}
