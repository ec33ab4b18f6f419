package adversary

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Threshold is the log likelihood ratio, in nats, above which a key counts as readable: at most one key in
// ten thousand exceeds it on a complete mask of noise and flat tones.
//
// It was set from 100 000 masked keys (go test -run Threshold -v -calibration-keys 100000), of which one in a
// thousand exceeded 5.31, one in ten thousand 7.62, and one 9.34. That many leave the rarest quantile open by
// half a nat to either side, so the threshold lies one above.
const Threshold = 9

// windowsMS are the lengths of the windows slid over a key. A millisecond or two of clean tone name it.
var windowsMS = [...]float64{1, 1.5, 2, 3, 5, 8, 13, 20}

const (
	headMS      = 2   // a key is looked for from this long before its start
	tailMS      = 250 // to this long past its end: ringing, and echo from the far end of the network
	wholeMS     = 250 // the longest window: a key held longer is fitted in parts
	overlap     = 8   // windows of one length begin an eighth of it apart
	floorWindow = 6   // index into windowsMS of those that measure the fill
	// noEvidence is that for a symbol that no window speaks for.
	noEvidence = -1e9
	// quietest is the least noise assumed, as a power: a sample's rounding.
	quietest = 1.0 / 12
)

// attack reads the keys of one recording. Its reads depend on their order only where nothing at all tells the
// symbols apart, and then the guess is drawn.
type attack struct {
	rate    float64
	symbols []int     // of the alphabet, as places in tone.Keys
	y, dirt []float64 // what was heard, and the noise that cancel left in it
	keys    [][2]int  // start and end of each in y
	colour  *colour   // of the fill
	fill    []*bank   // of windowsMS, for noise of that colour
	white   []*bank   // of windowsMS, for white noise: that of the caller's own line, in what is leaked loud
	draw    *rand.Rand
	headMS  float64 // a key is looked for from this long before its start
}

// guess is what the attacker makes of one key.
type guess struct {
	symbol   int     // place in tone.Keys
	logRatio float64 // nats; see Row.LogRatio
	window   int     // samples
}

// newAttack listens to how the fill sounds under the keys and prepares for it.
func newAttack(y, dirt []float64, rate float64, symbols []int, keys [][2]int, head float64) *attack {
	a := &attack{rate: rate, symbols: symbols, y: y, dirt: dirt, keys: keys, draw: rand.New(rand.NewPCG(1, 2)), headMS: head}
	for _, ms := range windowsMS {
		a.white = append(a.white, newBank(a.samples(ms), rate, nil))
	}
	var r [memory + 1]float64
	r[0] = math.SmallestNonzeroFloat32 // of a silent fill
	for k := range keys {
		noises := a.noises(a.around(k))
		quiet := median(noises, energyOf)
		for _, x := range noises {
			if e := energyOf(x); e > 0 && e <= quiet {
				for lag := range r {
					r[lag] += dot(x[:len(x)-lag], x[lag:]) / e
				}
			}
		}
	}
	a.colour = newColour(r)
	for _, ms := range windowsMS {
		a.fill = append(a.fill, newBank(a.samples(ms), rate, a.colour))
	}
	return a
}

func (a *attack) samples(ms float64) int { return int(math.Round(ms * a.rate / 1000)) }

// around is where key k is looked for: near it, and not under its neighbours.
func (a *attack) around(k int) (from, to int) {
	from, to = max(0, a.keys[k][0]-a.samples(a.headMS)), min(len(a.y), a.keys[k][1]+a.samples(tailMS))
	for i, other := range a.keys {
		if i != k && other[1] <= a.keys[k][0] {
			from = max(from, other[1])
		}
		if i != k && other[0] >= a.keys[k][1] {
			to = min(to, other[0])
		}
	}
	return from, to
}

// noises are windows of the noise between from and to. A key that came through whole is taken out of them, so
// that a fading or filtering mask hides nothing behind its own residue.
func (a *attack) noises(from, to int) (noises [][]float64) {
	b := a.white[floorWindow]
	for at := from; at+b.n <= to; at += b.n / 4 {
		noises = append(noises, b.remains(a.y[at:at+b.n], a.symbols))
	}
	return noises
}

// read attacks key k.
func (a *attack) read(k int) guess {
	start, end := a.keys[k][0], a.keys[k][1]
	from, to := a.around(k)
	y, dirt := a.y[from:to], a.dirt[from:to]
	noises := a.noises(from, to)
	masked := newExcerpt(y, dirt, a.colour, max(quietest, median(noises, func(x []float64) float64 {
		return energyOf(a.colour.whiten(x)) / float64(len(x))
	})))
	loud := newExcerpt(y, dirt, nil, max(quietest, median(noises, func(x []float64) float64 {
		return energyOf(x) / float64(len(x))
	})))
	var best [16]float64
	var window [16]int
	for s := range best {
		best[s] = noEvidence
	}
	try := func(i, at int, price float64) {
		n := a.white[i].n
		switch {
		case at < 0 || at+n > len(y):
		case loud.isLoud(at, n):
			a.white[i].evidence(loud, at, price, a.symbols, &best, &window)
		default:
			a.fill[i].evidence(masked, at, price, a.symbols, &best, &window)
		}
	}
	for i, b := range a.white {
		step := max(1, b.n/overlap)
		price := math.Log(max(1, float64((len(y)-b.n)/step+1)))
		for at := 0; at+b.n <= len(y); at += step {
			try(i, at, price)
		}
		// A leak is as likely to begin with the key, or to end with it, as to lie anywhere else.
		try(i, start-from, 0)
		try(i, end-from-b.n, 0)
	}
	// The key as a whole, or, if it is held, in equal parts.
	parts := 1 + (end-start)/(a.samples(wholeMS)+1)
	if n := (end - start) / parts; n > a.white[len(a.white)-1].n {
		b, whitened := newBank(n, a.rate, nil), masked.whitened(dirt)
		for part := range parts {
			b.evidence(whitened, start-from+part*n, math.Log(float64(parts)), a.symbols, &best, &window)
		}
	}
	return a.decide(best, window)
}

// median is the middle one of the windows' measures, zero of no windows.
func median(windows [][]float64, measure func([]float64) float64) float64 {
	if len(windows) == 0 {
		return 0
	}
	var m []float64
	for _, x := range windows {
		m = append(m, measure(x))
	}
	slices.Sort(m)
	return m[len(m)/2]
}

// decide picks the symbol with the most evidence and rates the choice.
func (a *attack) decide(best [16]float64, window [16]int) guess {
	order := slices.Clone(a.symbols)
	a.draw.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	top := order[0]
	for _, s := range order {
		if best[s] > best[top] {
			top = s
		}
	}
	otherRow, otherColumn := math.Inf(-1), math.Inf(-1)
	for _, s := range a.symbols {
		if s/4 != top/4 {
			otherRow = max(otherRow, best[s])
		}
		if s%4 != top%4 {
			otherColumn = max(otherColumn, best[s])
		}
	}
	return guess{symbol: top, logRatio: best[top] - min(otherRow, otherColumn), window: window[top]}
}
