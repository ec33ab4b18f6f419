package corpus

import (
	"fmt"
	"math"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// rejects are signals that must not be taken for keys.
func (b *book) rejects() {
	b.add("reject_short", "all", func(t *track) {
		t.laws = "u"
		for _, x := range []float64{5, 8, 10, 12, 15, 18, 20, 22, 23} {
			for k := range 48 {
				t.tone(burst{key: tone.Keys[k%16], ms: x, row: -8, col: -7, expect: Reject, group: fmt.Sprintf("%02.0fms", x), x: x})
				t.gap(t.uniform(80, 95))
			}
		}
	})
	for _, which := range []string{"both", "lo", "hi"} {
		b.add("reject_offfreq", which, func(t *track) { t.offFrequency(which) })
	}
	b.add("reject_single", "dtmf8", func(t *track) {
		t.laws = "u"
		for range 6 {
			for _, hz := range append(tone.Rows[:], tone.Cols[:]...) {
				for _, l := range []float64{-3, -10, -20} {
					t.signal(120, "single", hz, tone.Sine{Hz: hz, DBm0: l})
					t.gap(t.uniform(60, 75))
				}
			}
		}
	})
	b.add("reject_single", "sweep", func(t *track) {
		t.laws = "u"
		for hz := 300.0; hz <= 3400; hz += 25 {
			t.signal(100, "sweep", hz, tone.Sine{Hz: hz, DBm0: -8})
			t.gap(t.uniform(50, 65))
		}
	})
	b.add("reject_twist", "all", func(t *track) {
		t.laws = "u"
		for _, x := range []float64{20, 25, 30} {
			for _, sign := range []float64{-1, 1} {
				for _, d := range []byte(tone.Keys) {
					t.tone(burst{key: d, ms: 80, row: -5 - x*max(0, sign), col: -5 - x*max(0, -sign), expect: Reject,
						group: fmt.Sprintf("%+.0f", sign*x), x: x})
					t.gap(t.uniform(60, 75))
				}
			}
		}
	})
	b.add("reject_signals", "progress", (*track).progress)
	b.add("reject_signals", "fsk", (*track).modems)
	b.add("reject_signals", "noise", func(t *track) {
		t.laws = "u"
		for k := range 6 {
			at := len(t.x)
			t.gap(10000)
			addNoise(t.x[at:], noiseRMS(-22+4*float64(k)), t.r)
			t.other(at, "white", float64(k))
		}
	})
}

// offFrequency shifts one tone or both by 3.5 to 4.5 %; beyond, a neighbour comes near.
func (t *track) offFrequency(which string) {
	t.laws = "u"
	for _, x := range []float64{3.5, 4, 4.5} {
		for _, sign := range []float64{-1, 1} {
			for _, d := range []byte(tone.Keys) {
				for range 2 {
					k := burst{key: d, ms: 100, row: -10, col: -9, expect: Reject, group: fmt.Sprintf("%s%.1f", which, x), x: x}
					if which != "hi" {
						k.rowOff = sign * x / 100
					}
					if which != "lo" {
						k.colOff = sign * x / 100
					}
					t.tone(k)
					t.gap(t.uniform(70, 85))
				}
			}
		}
	}
}

// progress are call progress, fax, special information, alerting and multi-frequency signals.
func (t *track) progress() {
	t.laws = "u"
	send := func(n int, ms, dBm0 float64, group string, hz ...float64) {
		var sines []tone.Sine
		for _, f := range hz {
			sines = append(sines, tone.Sine{Hz: f, DBm0: dBm0})
		}
		for range n {
			t.signal(ms, group, hz[0], sines...)
			t.gap(t.uniform(60, 300))
		}
	}
	send(6, 2000, -13, "dial", 350, 440)
	send(6, 500, -13, "busy", 480, 620)
	send(4, 2000, -16, "ringback", 440, 480)
	send(6, 500, -10, "cng", 1100)
	send(3, 2500, -10, "ced", 2100)
	for _, hz := range []float64{950, 1400, 1800} {
		send(12, 330, -13, "sit", hz)
	}
	send(10, 80, -10, "cas", 2130, 2750)
	pairs := func(hz []float64, n int, ms, dBm0 float64, group string) {
		for i := range hz {
			for _, f := range hz[i+1:] {
				send(n, ms, dBm0, group, hz[i], f)
			}
		}
	}
	pairs([]float64{700, 900, 1100, 1300, 1500, 1700}, 8, 70, -7, "r1mf")
	pairs([]float64{1380, 1500, 1620, 1740, 1860, 1980}, 4, 120, -8, "r2fwd")
	pairs([]float64{1140, 1020, 900, 780, 660, 540}, 4, 120, -8, "r2bwd")
}

// modems shift between two frequencies at random.
func (t *track) modems() {
	t.laws = "u"
	for _, m := range []struct {
		name string
		a, b float64 // Hz
		baud float64
	}{{"bell202", 1200, 2200, 1200}, {"v21lo", 980, 1180, 300}, {"v21hi", 1650, 1850, 300}, {"v23", 1300, 2100, 1200}} {
		for range 3 {
			at := len(t.x)
			phase, mark := 0.0, false
			for i := range frames(4000) {
				if int(float64(i)*m.baud/float64(Rate)) != int(float64(i-1)*m.baud/float64(Rate)) {
					mark = t.r.IntN(2) == 0
				}
				hz := m.a
				if mark {
					hz = m.b
				}
				phase += 2 * math.Pi * hz / float64(Rate)
				t.x = append(t.x, audio.Amplitude(-10)*math.Sin(phase))
			}
			t.other(at, m.name, 0)
			t.gap(200)
		}
	}
}
