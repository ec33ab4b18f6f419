package adversary

import (
	"math"
	"slices"

	"github.com/flattone/flattone/audio/tone"
)

// look is a window that the trained attacker looks at, in ms from a key's start or end.
type look struct {
	fromEnd  bool
	from, to float64
	phase    bool // of the tones, too: a sender that begins them all alike gives away more than their energy
}

var looks = [...]look{
	{from: -20, to: 0}, {from: 0, to: 3}, {from: 0, to: 8, phase: true}, {from: 3, to: 8}, {from: 8, to: 20},
	{from: 0, to: 20, phase: true}, {from: 20, to: 40}, {from: 0, to: 40, phase: true},
	{fromEnd: true, from: -20, to: 0}, {fromEnd: true, from: 0, to: 10}, {fromEnd: true, from: 10, to: 40},
	{fromEnd: true, from: 40, to: 150},
}

// lags are those of the autocorrelation that stand for a fill's colour.
const lags = 4

// features are what the trained attacker sees of key k: in each window, and in the key whole, the energy at the
// keys' eight tones, measured in noise made white and against the fill's level, and the energy of all; where and how
// the phases lie; the fill's colour. What a key is too short or too near to its neighbours for is NaN.
func (a *attack) features(k int) []float64 {
	start, end := a.keys[k][0], a.keys[k][1]
	from, to := a.around(k)
	if before := start - a.samples(20); k == 0 || a.keys[k-1][1] < before {
		from = min(from, max(0, before))
	}
	white := a.colour.whiten(a.y[from:to])
	var m []float64
	noises := a.noises(from, to)
	for _, x := range noises {
		m = append(m, energyOf(a.colour.whiten(x))/float64(len(x)))
	}
	fill := quietest
	if len(m) > 0 {
		slices.Sort(m)
		fill = max(fill, m[len(m)/2])
	}
	f := []float64{math.Log(fill)}
	whole := look{to: 1000 * float64(min(end-start, a.samples(wholeMS))) / a.rate, phase: true}
	for _, l := range append(looks[:], whole) {
		at := start
		if l.fromEnd {
			at = end
		}
		at, n := at+a.samples(l.from), a.samples(l.to)-a.samples(l.from)
		if at < from || at+n > to {
			f = append(f, missing(l)...)
			continue
		}
		x := white[at-from : at-from+n]
		noise := fill
		for _, d := range a.dirt[at : at+n] {
			noise += d / float64(n)
		}
		scale := 1 / (noise * float64(n))
		f = append(f, math.Log(1e-3+energyOf(x)*scale))
		for _, hz := range slices.Concat(tone.Rows[:], tone.Cols[:]) {
			w := 2 * math.Pi * hz / a.rate
			s, c := phasor(x, w, float64(at-start))
			f = append(f, math.Log(1+2*(c*c+s*s)*scale))
			if l.phase {
				r := math.Sqrt(2 * scale)
				f = append(f, math.Asinh(c*r), math.Asinh(s*r))
			}
		}
	}
	x := a.y[start:min(end, start+a.samples(wholeMS), to)]
	own := energyOf(x) + 1e-9
	for lag := 1; lag <= lags; lag++ {
		if lag < len(x) {
			f = append(f, dot(x[lag:], x[:len(x)-lag])/own)
		} else {
			f = append(f, math.NaN())
		}
	}
	return f
}

func missing(l look) []float64 {
	n := 1 + 8
	if l.phase {
		n += 16
	}
	f := make([]float64, n)
	for i := range f {
		f[i] = math.NaN()
	}
	return f
}

// phasor is the inner product of x with sine and cosine of w radians a sample, x's first being the at-th of them.
func phasor(x []float64, w, at float64) (sin, cos float64) {
	turnSin, turnCos := math.Sincos(w)
	s, c := math.Sincos(w * at)
	for _, v := range x {
		sin, cos = sin+v*s, cos+v*c
		s, c = s*turnCos+c*turnSin, c*turnCos-s*turnSin
	}
	return sin, cos
}
