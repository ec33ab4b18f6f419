package corpus

import (
	"fmt"
	"math"

	"github.com/flattone/flattone/audio/tone"
)

// diagonal are four keys that have every row and every column once.
const diagonal = "159D"

// mitel follows the tests of the Mitel CM7291 tape, side 1, by number.
func (b *book) mitel() {
	for _, law := range []string{"", "u", "a"} {
		b.add("mitel2_decode", "16x10"+law, func(t *track) {
			t.laws = law
			for _, d := range []byte(tone.Keys) {
				for range 10 {
					t.tone(burst{key: d, ms: 50, row: -4, col: -4})
					t.gap(50 + t.uniform(0, 12))
				}
			}
		})
	}
	for _, d := range []byte(diagonal) {
		for _, which := range []string{"lo", "hi"} {
			b.add("mitel3_bandwidth", fmt.Sprintf("%c_%s", d, which), func(t *track) { t.bandwidth(d, which) })
		}
		for _, group := range []string{"norm", "rev"} {
			b.add("mitel4_twist", fmt.Sprintf("%c_%s", d, group), func(t *track) { t.twist(d, group) })
		}
		b.add("mitel5_level", string(d), func(t *track) {
			for l := 0; l >= -60; l-- {
				for range 3 {
					x := float64(l)
					t.tone(burst{key: d, ms: 50, row: x, col: x, group: "level", x: x, expect: expect(l >= -25, l <= -55)})
					t.gap(50 + t.uniform(0, 12))
				}
			}
		})
	}
	b.add("mitel6_guard", "all", func(t *track) {
		for i := 100; i >= 10; i-- {
			x := float64(i) / 2 // 50 to 5 ms
			for range 8 {
				t.tone(burst{key: tone.Keys[t.r.IntN(16)], ms: x, row: -3, col: -3, x: x, group: "dur", expect: expect(x >= 40, x <= 23)})
				t.gap(50 + t.uniform(0, 13))
			}
		}
	})
	for _, snr := range []float64{30, 24, 21, 18, 16, 15, 14, 12, 10, 8, 6} {
		b.add("mitel7_snr", fmt.Sprintf("snr%02.0f", snr), func(t *track) {
			for k := range 160 {
				t.tone(burst{key: tone.Keys[k%16], ms: 50, row: -10, col: -10, x: snr, group: "snr", expect: expect(snr >= 15, false)})
				t.gap(50 + t.uniform(0, 12))
			}
			t.noise(noiseRMS(-7 - snr)) // two tones of -10 dBm0 make -7
		})
	}
}

// bandwidth shifts one tone by up to 5 %; beyond, the neighbour comes near.
func (t *track) bandwidth(d byte, which string) {
	for i := -50; i <= 50; i++ {
		x := float64(i) / 10
		k := burst{key: d, ms: 50, row: -17, col: -17, group: which, x: x, expect: expect(math.Abs(x) <= 1.5, math.Abs(x) >= 3.5)}
		if which == "lo" {
			k.rowOff = x / 100
		} else {
			k.colOff = x / 100
		}
		t.tone(k)
		t.gap(50 + t.uniform(0, 12))
	}
}

// twist weakens one tone by up to 20 dB; norm: the column's.
func (t *track) twist(d byte, group string) {
	for i := range 81 {
		x := float64(i) / 4
		k := burst{key: d, ms: 50, row: -4, col: -4, group: group, x: x}
		if group == "norm" {
			k.col -= x
			k.expect = expect(x <= 8, false)
		} else {
			k.row -= x
			k.expect = expect(x <= 4, false)
		}
		t.tone(k)
		t.gap(50 + t.uniform(0, 12))
	}
}
