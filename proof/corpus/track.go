package corpus

import (
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// track is a unit in the making: the keys, what else is on the line, and the truth.
type track struct {
	r    *rand.Rand
	x    []float64 // the keys, and what the line makes of them
	rest []float64 // all else; nil until something is added
	ev   []Event
	laws string // codecs at the end of it: u, a
}

// random depends on the seed and the name alone.
func random(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

func start(seed uint64, name string) *track {
	t := &track{r: random(seed, name)}
	t.gap(t.uniform(200, 230))
	return t
}

func (t *track) uniform(a, b float64) float64 { return a + (b-a)*t.r.Float64() }

func (t *track) gap(ms float64) { t.x = append(t.x, make([]float64, frames(ms))...) }

// burst is one key as it is sent.
type burst struct {
	key            byte
	ms             float64
	row, col       float64 // dBm0
	rowOff, colOff float64 // relative errors of frequency
	edge           float64 // ms
	zero           bool    // both tones begin at phase 0; else anywhere
	expect         Expect
	group          string
	x              float64
}

// tone appends a key. Expect is Accept unless it says otherwise.
func (t *track) tone(b burst) *Event {
	at := len(t.x)
	t.gap(b.ms)
	t.add(at, b)
	if b.expect == 0 {
		b.expect = Accept
	}
	t.ev = append(t.ev, Event{Key: b.key, Start: at, End: len(t.x), Expect: b.expect, Group: b.group, X: b.x})
	return &t.ev[len(t.ev)-1]
}

// add sounds a key from frame at on, over what is there.
func (t *track) add(at int, b burst) {
	y := make([]float64, frames(b.ms))
	p1, p2 := 2*math.Pi*t.r.Float64(), 2*math.Pi*t.r.Float64()
	if b.zero {
		p1, p2 = 0, 0
	}
	sines, _ := tone.Pair(b.key, 0, 0)
	addSine(y, sines[0].Hz*(1+b.rowOff), b.row, p1, Rate)
	addSine(y, sines[1].Hz*(1+b.colOff), b.col, p2, Rate)
	edges(y, frames(b.edge))
	for i, v := range y {
		t.x[at+i] += v
	}
}

// signal appends a burst of sines that is no key.
func (t *track) signal(ms float64, group string, x float64, sines ...tone.Sine) {
	at := len(t.x)
	t.gap(ms)
	for _, s := range sines {
		addSine(t.x[at:], s.Hz, s.DBm0, 2*math.Pi*t.r.Float64(), Rate)
	}
	t.other(at, group, x)
}

// other says that what was appended since frame at is no key.
func (t *track) other(at int, group string, x float64) {
	t.ev = append(t.ev, Event{Start: at, End: len(t.x), Expect: Reject, Group: group, X: x})
}

// background is what is on the line beside the keys, as long as they.
func (t *track) background() []float64 {
	t.rest = append(t.rest, make([]float64, len(t.x)-len(t.rest))...)
	return t.rest
}

func (t *track) noise(rms float64) { addNoise(t.background(), rms, t.r) }

func (t *track) echo(ms, dB float64) {
	echo(t.x, frames(ms), dB)
	echo(t.background(), frames(ms), dB)
}

// unit ends the track.
func (t *track) unit(category string) *Unit {
	t.gap(300)
	u := &Unit{Category: category, Events: t.ev, Sounds: audible(t.x)}
	for i, v := range t.background() {
		t.rest[i] = v + t.x[i]
	}
	u.PCM = quantize(t.rest)
	for _, law := range t.laws {
		code(u.PCM, law)
	}
	return u
}

// audible is Unit.Sounds for keys alone. A frame that is exactly zero holds nothing: it lies before a key, or in a hole.
func audible(x []float64) []bool {
	const reach = 8 // frames to either side: two tones that beat are never faint for so long
	least := audio.Amplitude(Faintest)
	sounds := make([]bool, len(x))
	last := -2 * reach
	for i := range min(reach, len(x)) {
		if math.Abs(x[i]) >= least {
			last = i
		}
	}
	for i := range x {
		if j := i + reach; j < len(x) && math.Abs(x[j]) >= least {
			last = j
		}
		sounds[i] = last >= i-reach && x[i] != 0
	}
	return sounds
}

// expect is Accept where ok, Reject where not, else May.
func expect(ok, not bool) Expect {
	switch {
	case ok:
		return Accept
	case not:
		return Reject
	}
	return May
}
