package adversary

import (
	"math"
	"time"
)

// FlatTone is the sound that a mask puts in place of a key, as far as an attacker needs to know it: place,
// level and phase are found from the recording.
type FlatTone struct {
	Hz float64
	// Length is that of one tone, its raised-cosine edges of length Edge included.
	Length, Edge time.Duration
}

// OurFlatTone is the one that flattone sends.
func OurFlatTone() FlatTone {
	return FlatTone{Hz: 1020, Length: 60 * time.Millisecond, Edge: 5 * time.Millisecond}
}

const (
	flatHop   = 4   // samples between the places tried at first: half a period near 1 kHz
	flatNear  = 0.5 // share of the energy that makes a place worth a closer look
	flatFound = 0.9 // share that makes it a flat tone
	// flatDirt is the noise left where a tone was taken out, as a share of the tone's power: the error of
	// G.711, and ten times that because on a steady tone it gathers in a few lines, of which the seventh and
	// ninth harmonic of 1020 Hz, folded at 8 kHz, lie by two DTMF tones.
	flatDirt = 10 * companding
)

// cancel takes every flat tone out of y, in place. It answers how much noise, as power, to expect at each
// sample for what was taken out there.
func (f FlatTone) cancel(y []float64, rate float64) (dirt []float64) {
	dirt = make([]float64, len(y))
	cos, sin := f.template(rate)
	n := len(cos)
	norm := energyOf(cos) // over many periods the two quadratures are orthogonal, and of one length
	share := func(at int) float64 {
		c, s := project(y[at:at+n], cos, sin)
		return (c*c + s*s) / (norm * max(energyOf(y[at:at+n]), 1))
	}
	for at := 0; n > 0 && at+n <= len(y); at += flatHop {
		if share(at) < flatNear {
			continue
		}
		best, place := 0.0, at
		for p := at; p+n <= len(y) && p < at+n; p++ {
			if s := share(p); s > best {
				best, place = s, p
			}
		}
		if best < flatFound {
			at += n - flatHop // none begins up to there
			continue
		}
		c, s := project(y[place:place+n], cos, sin)
		c, s = c/norm, s/norm
		for k := range n {
			y[place+k] -= c*cos[k] + s*sin[k]
			dirt[place+k] = flatDirt * (c*c + s*s) / 2 * (cos[k]*cos[k] + sin[k]*sin[k])
		}
		at = place + n - flatHop
	}
	return dirt
}

func (f FlatTone) template(rate float64) (cos, sin []float64) {
	n, edge := int(math.Round(f.Length.Seconds()*rate)), int(math.Round(f.Edge.Seconds()*rate))
	cos, sin = make([]float64, n), make([]float64, n)
	for k := range n {
		env := 1.0
		if d := min(k, n-1-k); d < edge {
			env = 0.5 - 0.5*math.Cos(math.Pi*(float64(d)+0.5)/float64(edge))
		}
		s, c := math.Sincos(2 * math.Pi * f.Hz * float64(k) / rate)
		cos[k], sin[k] = env*c, env*s
	}
	return cos, sin
}
