package corpus

import (
	"fmt"
	"math"

	"github.com/flattone/flattone/audio/tone"
)

// shortHole is the longest hole in ms after which a tone still is the same key (Q.24, AT&T and NTT).
const shortHole = 10

// q24 follows the tables of Q.24: times, holes, pauses, frequencies, levels, echo.
func (b *book) q24() {
	for _, times := range []struct {
		name    string
		on, off float64
	}{{"att40_40", 40, 40}, {"att93ms", 46, 47}, {"ntt40_30", 40, 30}, {"gr50_45", 50, 45}, {"etsi65_65", 65, 65}} {
		b.add("q24_timing", times.name, func(t *track) {
			t.laws = "u"
			for k := range 200 {
				t.tone(burst{key: tone.Keys[t.r.IntN(16)], ms: times.on, row: -10, col: -9, group: times.name})
				t.gap(times.off)
				if k%20 == 19 {
					t.gap(t.uniform(100, 120))
				}
			}
		})
	}
	for _, hole := range []float64{1, 2, 4, 6, 8, 10, 12, 15, 20, 25, 30, 35} {
		b.add("q24_interrupt", fmt.Sprintf("gap%02.0f", hole), func(t *track) { t.interrupted(hole) })
	}
	b.add("q24_pause", "same", (*track).pauses)
	for _, off := range []float64{0, 0.5, 1.0, 1.5, 1.8, 2.0, 2.5, 3.0, 3.5, 4, 5} {
		b.add("q24_freq_corner", fmt.Sprintf("tol%.1f", off), func(t *track) { t.corners(off) })
	}
	for _, a := range administrations {
		b.add("q24_levels", a.name, func(t *track) { t.levels(a) })
	}
	for _, e := range []struct{ ms, dB float64 }{{5, -10}, {10, -10}, {20, -10}, {20, -16}, {30, -14}, {40, -14}, {10, -6}, {20, -6}} {
		group := fmt.Sprintf("%02.0fms%+03.0fdB", e.ms, e.dB)
		b.add("line_echo", group, func(t *track) {
			t.laws = "u"
			for k := range 96 {
				t.tone(burst{key: tone.Keys[k%16], ms: 50, row: -10, col: -9, group: group})
				t.gap(50 + t.uniform(0, 12))
			}
			t.echo(e.ms, e.dB)
		})
	}
}

// interrupted keys have one hole each.
func (t *track) interrupted(hole float64) {
	t.laws = "u"
	for range 60 {
		d := tone.Keys[t.r.IntN(16)]
		e := t.tone(burst{key: d, ms: 100, row: -10, col: -9, group: fmt.Sprintf("gap%02.0f", hole), x: hole})
		e.Bridge = hole <= shortHole
		at := e.Start + frames(t.uniform(42, 90-hole))
		if hole > 20 {
			at = e.Start + frames(42)
		}
		clear(t.x[at:min(at+frames(hole), e.End)])
		t.gap(t.uniform(80, 95))
	}
}

// pauses has the same key twice, with more and more between: two keys are due from 40 ms on.
func (t *track) pauses() {
	t.laws = "u"
	for _, x := range []float64{10, 15, 20, 25, 30, 35, 40, 45, 50, 60} {
		for range 40 {
			k := burst{key: tone.Keys[t.r.IntN(16)], ms: 60, row: -10, col: -9, group: fmt.Sprintf("pause%02.0f", x), x: x}
			t.tone(k)
			t.gap(x)
			k.expect = expect(x >= 40, false)
			t.tone(k)
			t.gap(t.uniform(120, 135))
		}
	}
}

// corners shifts both tones by off per cent, each way.
func (t *track) corners(off float64) {
	t.laws = "u"
	for _, d := range []byte(tone.Keys) {
		for corner := range 4 {
			for range 2 {
				row, col := float64(corner&1*2-1), float64(corner>>1*2-1)
				t.tone(burst{key: d, ms: 50, row: -12, col: -11, rowOff: row * off / 100, colOff: col * off / 100,
					x: off, group: "both", expect: expect(off <= 1.5, off >= 3.5)})
				t.gap(50 + t.uniform(0, 12))
			}
		}
	}
}

// administration is what a country's network must accept: levels per tone, and how far either tone may exceed the other.
type administration struct {
	name             string
	max, min         float64
	colOver, rowOver float64
}

var administrations = []administration{{"ATT", 0, -25, 4, 8}, {"NTT", -3, -24, 5, 5}, {"Australia", -5, -27, 10, 10}, {"Brazil", -3, -25, 9, 9}, {"Denmark_ETSI", -4, -27, 6, 6}}

// levels draws keys from the corners and the inside of what an administration allows.
func (t *track) levels(a administration) {
	t.laws = "a"
	for _, d := range []byte(tone.Keys) {
		for k := range 12 {
			twist := t.uniform(-a.rowOver, a.colOver)
			switch k {
			case 0, 1, 2:
				twist = a.colOver
			case 3, 4, 5:
				twist = -a.rowOver
			}
			top := t.uniform(a.min+math.Abs(twist), a.max)
			switch k % 3 {
			case 0:
				top = a.max
			case 1:
				top = a.min + math.Abs(twist)
			}
			t.tone(burst{key: d, ms: 50, row: top - max(0, twist), col: top + min(0, twist), group: a.name})
			t.gap(50 + t.uniform(0, 12))
		}
	}
}
