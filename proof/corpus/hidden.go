package corpus

import (
	"fmt"
	"math"

	"github.com/flattone/flattone/audio/tone"
)

// lineNoise is the level of a quiet line's own noise.
const lineNoise = -62

// hidden are keys that no detector need recognise and that a listener can read all the same.
func (b *book) hidden() {
	for _, ms := range []float64{3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 35, 40} {
		b.hide("sub_short", fmt.Sprintf("%02.0fms", ms), func(t *track, group string) {
			for level := -50.0; level <= 0; level += 5 {
				for _, d := range []byte(tone.Keys) {
					t.tone(burst{key: d, ms: ms, row: level, col: level, expect: Hide, group: group, x: level})
					t.gap(t.uniform(150, 250))
				}
			}
		})
	}
	for level := -50.0; level <= 0; level += 5 {
		b.hide("sub_level", fmt.Sprintf("%+03.0fdB", level), func(t *track, group string) {
			for _, d := range []byte(tone.Keys) {
				for range 12 {
					k := t.handset(d, t.uniform(40, 200), level)
					k.expect, k.group, k.x = Hide, group, level
					t.tone(k)
					t.gap(t.uniform(150, 400))
				}
			}
		})
	}
	for _, twist := range []float64{-15, -12, -9, 9, 12, 15} {
		b.hide("sub_twist", fmt.Sprintf("%+03.0fdB", twist), func(t *track, group string) {
			for k := range 160 {
				top := t.uniform(-25, -3)
				t.tone(burst{key: tone.Keys[k%16], ms: t.uniform(40, 120), row: top - max(0, twist), col: top + min(0, twist), edge: t.uniform(0, 2),
					expect: Hide, group: group, x: twist})
				t.gap(t.uniform(150, 300))
			}
		})
	}
	for _, off := range []float64{2, 2.5, 3, 3.5, 4} {
		b.hide("sub_offfreq", fmt.Sprintf("%.1f%%", off), func(t *track, group string) {
			for k := range 192 {
				row, col := []float64{off, -off, 0}[t.r.IntN(3)], []float64{off, -off}[t.r.IntN(2)]
				if t.r.IntN(2) == 0 {
					row, col = col, row
				}
				level := t.uniform(-25, -5)
				t.tone(burst{key: tone.Keys[k%16], ms: t.uniform(40, 120), row: level, col: level + 1, rowOff: row / 100, colOff: col / 100,
					edge: t.uniform(0, 2), expect: Hide, group: group, x: off})
				t.gap(t.uniform(150, 300))
			}
		})
	}
	b.hide("sub_held", "1to6s", func(t *track, group string) {
		for k := range 32 {
			key := t.handset(tone.Keys[k%16], t.uniform(1000, 6000), t.uniform(-30, -5))
			key.expect, key.group = Hide, group
			t.tone(key)
			t.gap(t.uniform(150, 600))
		}
	})
	for _, how := range []string{"together", "overlapping"} {
		b.hide("sub_fingers", how, (*track).fingers)
	}
	for _, ms := range []float64{20, 60, 150, 300} {
		b.hide("sub_tail", fmt.Sprintf("%03.0fms", ms), func(t *track, group string) { t.tails(ms, group) })
	}
	for _, e := range []struct{ ms, dB float64 }{{30, -20}, {60, -30}, {120, -20}, {120, -35}, {250, -30}, {400, -25}} {
		b.hide("sub_echo", fmt.Sprintf("%03.0fms%+03.0fdB", e.ms, e.dB), func(t *track, group string) {
			for k := range 96 {
				key := t.handset(tone.Keys[k%16], t.uniform(40, 160), t.uniform(-20, -5))
				key.expect, key.group = Hide, group
				t.tone(key)
				t.gap(t.uniform(100, 700))
			}
			t.gap(e.ms)
			t.echo(e.ms, e.dB)
		})
	}
}

// hide adds a unit of keys on a quiet line.
func (b *book) hide(category, group string, fill func(t *track, group string)) {
	b.add(category, group, func(t *track) {
		t.laws = "u"
		fill(t, group)
		t.noise(noiseRMS(lineNoise))
	})
}

// fingers press two keys: within 30 ms of one another, or the second before the first is let go.
func (t *track) fingers(how string) {
	for range 160 {
		first := t.handset(tone.Keys[t.r.IntN(16)], t.uniform(60, 200), t.uniform(-20, -6))
		first.expect, first.group = Hide, how
		e := *t.tone(first)
		second := t.handset(tone.Keys[t.r.IntN(16)], t.uniform(60, 200), (first.row+first.col)/2+t.uniform(-6, 6))
		at := e.Start + frames(t.uniform(0, 30))
		if how == "overlapping" {
			at = e.Start + int(t.uniform(0.4, 0.95)*float64(e.End-e.Start))
		}
		end := at + frames(second.ms)
		t.x = append(t.x, make([]float64, max(0, end-len(t.x)))...)
		t.add(at, second)
		t.ev = append(t.ev, Event{Key: second.key, Start: at, End: end, Expect: Hide, Group: how})
		t.gap(t.uniform(150, 400))
	}
}

// tails die away after their key by 40 dB in so many ms, as in a ringing filter or a hands-free room.
func (t *track) tails(ms float64, group string) {
	for k := range 128 {
		key := t.handset(tone.Keys[k%16], t.uniform(40, 120)+ms, t.uniform(-20, -5))
		key.expect, key.group, key.edge = Hide, group, 0
		e := t.tone(key)
		e.End -= frames(ms)
		for i := range t.x[e.End:] {
			t.x[e.End+i] *= math.Pow(10, -2*float64(i)/float64(frames(ms)))
		}
		t.gap(t.uniform(150, 500))
	}
}
