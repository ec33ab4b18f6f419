package adversary

import (
	"math"
	"slices"

	"github.com/flattone/flattone/audio/tone"
)

const (
	steadyMS    = 20   // windows in which a mask's tone is looked for
	steadyShare = 0.95 // of a window's energy, in one frequency: a vowel or a key has more than one
	steadyBin   = 8    // Hz: windows that agree so far are of one tone
	steadyLeast = 15   // windows, 150 ms in all, that make a tone the mask's
	nearShare   = 0.9  // of a few ms, where the tone is known
	edgeDirtMS  = 5    // by a tone's edges, where its level isn't known
	faintPower  = 100  // mean square below which nothing is called a tone
)

// steadyTone finds the one tone that a mask sounds, if it sounds one: the frequency at which most windows of
// the recording hold a single sine. It answers 0 if there is none. One of a key's two tones is never taken for the
// mask's: it may be what a mask lets through.
func steadyTone(y []float64, rate float64) float64 {
	n := int(steadyMS * rate / 1000)
	var found []float64
	for at := 0; at+n <= len(y); at += n / 2 {
		x := y[at : at+n]
		if energyOf(x) < faintPower*float64(n) || !swings(x) {
			continue
		}
		if hz, share := sineOf(x, rate); share > steadyShare && !isKeys(hz) {
			found = append(found, hz)
		}
	}
	slices.Sort(found)
	from, most := 0, 0
	for i, j := 0, 0; i < len(found); i++ {
		for found[i]-found[j] > steadyBin {
			j++
		}
		if i-j+1 > most {
			from, most = j, i-j+1
		}
	}
	if most < steadyLeast {
		return 0
	}
	return found[from+most/2]
}

// swings reports that x may be a single sine, at little cost: of one, each sample with the next but one is a fixed
// multiple of that between.
func swings(x []float64) bool {
	var both, own, sum float64
	for i := 1; i+1 < len(x); i++ {
		around := x[i-1] + x[i+1]
		both, own, sum = both+around*x[i], own+x[i]*x[i], sum+around*around
	}
	// Noise of a share s leaves up to 6 s of the energy.
	return sum-both*both/max(own, 1) < 7*(1-steadyShare)*own
}

func isKeys(hz float64) bool {
	return slices.ContainsFunc(slices.Concat(tone.Rows[:], tone.Cols[:]), func(key float64) bool {
		return math.Abs(hz/key-1) < senderError
	})
}

// sineOf is the sine that explains most of x, between 200 and 3600 Hz, and its share of x's energy.
func sineOf(x []float64, rate float64) (hz, share float64) {
	const step = 20.0
	at := func(hz float64) float64 {
		s, c := phasor(x, 2*math.Pi*hz/rate, -float64(len(x)-1)/2)
		return s*s + c*c
	}
	top := 0.0
	for f := 200.0; f <= 3600; f += step {
		if e := at(f); e > top {
			top, hz = e, f
		}
	}
	for d := step / 2; d > 0.05; d /= 2 {
		for _, f := range [...]float64{hz - d, hz + d} {
			if e := at(f); e > top {
				top, hz = e, f
			}
		}
	}
	return hz, 2 * top / (float64(len(x)) * max(energyOf(x), 1))
}

// cancelSteady takes a tone of one frequency out of y, in place, wherever it sounds alone and however long it does.
// It answers how much noise, as power, to expect at each sample for what was taken out there.
func cancelSteady(y []float64, rate, hz float64) (dirt []float64) {
	dirt = make([]float64, len(y))
	n := int(8 * rate / 1000)
	if hz == 0 || len(y) < n {
		return dirt
	}
	w := 2 * math.Pi * hz / rate
	sounds := make([]bool, len(y))
	for at := 0; at+n <= len(y); at++ {
		x := y[at : at+n]
		e := energyOf(x)
		if e < faintPower*float64(n) {
			continue
		}
		s, c := phasor(x, w, -float64(n-1)/2)
		if 2*(s*s+c*c) > nearShare*float64(n)*e {
			for i := at; i < at+n; i++ {
				sounds[i] = true
			}
		}
	}
	for at := 0; at < len(y); at++ {
		if !sounds[at] {
			continue
		}
		end := at
		for end < len(y) && sounds[end] {
			end++
		}
		cancelStretch(y, dirt, at, end, w, int(10*rate/1000), int(edgeDirtMS*rate/1000))
		at = end
	}
	return dirt
}

// cancelStretch takes the tone out of y[at:end) in blocks, within each of which its level may rise or fall.
func cancelStretch(y, dirt []float64, at, end int, w float64, block, edge int) {
	blocks := max(1, (end-at)/block)
	loudest := 0.0
	for b := range blocks {
		from, to := at+(end-at)*b/blocks, at+(end-at)*(b+1)/blocks
		power := energyOf(y[from:to]) / float64(to-from)
		loudest = max(loudest, power)
		takeSine(y[from:to], w)
		for i := from; i < to; i++ {
			dirt[i] = flatDirt * power
		}
	}
	for i := max(0, at-edge); i < min(len(y), end+edge); i++ {
		if i < at+edge || i >= end-edge {
			dirt[i] = max(dirt[i], loudest)
		}
	}
}

// takeSine fits a sine whose two quadratures change linearly to x, and subtracts it.
func takeSine(x []float64, w float64) {
	var g [4]float64
	m := newMatrix(len(g))
	var right, fit [4]float64
	middle, half := float64(len(x)-1)/2, max(1, float64(len(x))/2)
	at := func(i int) [4]float64 {
		u := (float64(i) - middle) / half
		s, c := math.Sincos(w * (float64(i) - middle))
		return [4]float64{c, s, u * c, u * s}
	}
	for i, v := range x {
		g = at(i)
		m.addOuter(g[:], 1)
		for j := range g {
			right[j] += v * g[j]
		}
	}
	m.ridge(1e-6 * float64(len(x)))
	m.factor()
	m.solve(right[:], fit[:])
	for i := range x {
		g = at(i)
		x[i] -= dot(g[:], fit[:])
	}
}
