package corpus

import (
	"fmt"
	"math"
	"strings"

	"github.com/flattone/flattone/audio/tone"
)

const ten = "0123456789"

// handset draws a key as real telephones and exchanges send it.
func (t *track) handset(key byte, ms, dBm0 float64) burst {
	twist := t.uniform(-3, 4) // column over row, dB
	return burst{key: key, ms: ms, row: dBm0 - twist/2, col: dBm0 + twist/2, rowOff: t.uniform(-0.015, 0.015), colOff: t.uniform(-0.015, 0.015),
		edge: t.uniform(0, 2), zero: t.r.IntN(2) == 1}
}

// codecs are G.711 once, and in tandem.
func (b *book) codecs() {
	for _, laws := range []string{"u", "a", "ua", "uuu"} {
		for _, l := range []float64{-3, -10, -20, -25, -30, -35, -40} {
			group := fmt.Sprintf("%s%+03.0f", laws, l)
			b.add("codec_g711", group, func(t *track) {
				t.laws = laws
				for k := range 64 {
					t.tone(burst{key: tone.Keys[k%16], ms: 50, row: l - 1, col: l, group: group, expect: expect(l >= -25, false)})
					t.gap(50 + t.uniform(0, 12))
				}
			})
		}
	}
}

func (b *book) dialTone() {
	for _, c := range []struct {
		name string
		hz   []float64
	}{{"us350_440", []float64{350, 440}}, {"eu425", []float64{425}}, {"uk350_450", []float64{350, 450}}} {
		for _, l := range []float64{-25, -20, -15, -10} {
			group := fmt.Sprintf("%s%+03.0f", c.name, l)
			b.add("bg_dialtone", group, func(t *track) {
				t.laws = "u"
				for k := range 64 {
					t.tone(burst{key: tone.Keys[k%16], ms: 60, row: -10, col: -9, group: group})
					t.gap(60 + t.uniform(0, 12))
				}
				for _, hz := range c.hz {
					addSine(t.background(), hz, l, t.uniform(0, 6), Rate)
				}
			})
		}
	}
}

// bridged is the longest hole in ms of lost packets after which a tone still is the same key.
const bridged = 30

// loss loses packets of 20 ms before the box, muted or repeated. What masks one key may hide that the next was suspected late, so
// there are keys that lie apart, too.
func (b *book) loss() {
	b.lose("loss_plc", 60, 200)
	b.lose("loss_apart", 400, 700)
}

// lose has pauses between its keys of from to to ms.
func (b *book) lose(category string, from, to float64) {
	const packet = 160
	for _, mode := range []string{"zero", "repeat"} {
		for _, percent := range []int{1, 3, 5, 10} {
			group := fmt.Sprintf("%s%02d", mode, percent)
			b.add(category, group, func(t *track) {
				t.laws = "u"
				for range 200 {
					k := t.handset(ten[t.r.IntN(10)], t.uniform(80, 200), t.uniform(-20, -6))
					k.group = group
					t.tone(k)
					t.gap(t.uniform(from, to))
				}
				lost := make([]bool, len(t.x)/packet+1)
				for i := range lost {
					lost[i] = t.r.IntN(100) < percent
				}
				conceal(t.x, lost, packet, mode == "repeat")
				for i := range t.ev {
					e := &t.ev[i]
					e.Bridge = longestHole(lost, packet, e.Start, e.End) <= frames(bridged)
				}
			})
		}
	}
}

// longestHole is how many frames in a row of [from, to) were lost.
func longestHole(lost []bool, packet, from, to int) (longest int) {
	run := 0
	for i := from; i < to; i++ {
		run++
		if !lost[i/packet] {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}

// gain are level controls at work, in dB over the time in ms since the key began.
func (b *book) gain() {
	for _, g := range []struct {
		name string
		dB   func(ms, length float64, at int) float64
	}{
		{"up25in40", func(ms, _ float64, _ int) float64 { return -25 + 25*math.Min(1, ms/40) }},
		{"down15in60", func(ms, _ float64, _ int) float64 { return -15 * math.Min(1, ms/60) }},
		{"pump10Hz6dB", func(_, _ float64, at int) float64 { return -3 + 3*math.Sin(2*math.Pi*10*float64(at)/float64(Rate)) }},
		{"slowattack20", func(ms, _ float64, _ int) float64 { return 20 * math.Log10(math.Max(0.001, math.Min(1, ms/20))) }},
		{"decay12dB", func(ms, length float64, _ int) float64 { return -12 * ms / length }},
	} {
		b.add("agc_ramp", g.name, func(t *track) {
			t.laws = "u"
			for k := range 160 {
				key := t.handset(tone.Keys[k%16], t.uniform(80, 160), -8)
				key.group = g.name
				e := t.tone(key)
				for i := e.Start; i < e.End; i++ {
					t.x[i] *= ratio(g.dB(float64(i-e.Start)/8, float64(e.End-e.Start)/8, i))
				}
				t.gap(t.uniform(60, 150))
			}
		})
	}
}

// clipped keys overdrive something by so many dB: hard, soft, or one half more than the other.
func (b *book) clipped() {
	const full = math.MaxInt16
	shape := map[string]func(float64) float64{
		"hard": func(v float64) float64 { return math.Max(-0.9, math.Min(0.9, v)) },
		"soft": math.Tanh,
		"asym": func(v float64) float64 { return math.Max(-0.5, math.Min(0.9, v)) },
	}
	for _, c := range []struct {
		shape string
		dB    float64
	}{{"hard", 3}, {"hard", 6}, {"hard", 9}, {"hard", 12}, {"soft", 6}, {"soft", 12}, {"asym", 6}} {
		group := fmt.Sprintf("%s%02.0f", c.shape, c.dB)
		b.add("clipped", group, func(t *track) {
			t.laws = "u"
			for k := range 96 {
				key := t.handset(tone.Keys[k%16], t.uniform(50, 120), 0)
				key.group = group
				t.tone(key)
				t.gap(t.uniform(50, 150))
			}
			for i, v := range t.x {
				t.x[i] = full * shape[c.shape](v*ratio(c.dB-3)/full)
			}
		})
	}
}

// card draws a number of 16 digits whose check digit holds.
func (t *track) card() string {
	n := []byte("4")
	for len(n) < 15 {
		n = append(n, byte('0'+t.r.IntN(10)))
	}
	sum := 0
	for i, c := range n {
		v := int(c - '0')
		if i%2 == 0 {
			v = v*2%10 + v*2/10
		}
		sum += v
	}
	return string(append(n, byte('0'+(10-sum%10)%10)))
}

// people key card numbers, each in a style and on a line of his own.
func (b *book) people() {
	for k := range 60 {
		category := "human_pan"
		if k >= 40 {
			category = "human_pan_noisy"
		}
		b.add(category, fmt.Sprintf("%02d", k), func(t *track) {
			t.laws = string("ua"[k%2])
			level := t.uniform(-24, -5)
			t.number(level)
			snr := t.uniform(30, 45)
			if strings.HasSuffix(category, "noisy") {
				snr = t.uniform(15, 25)
			}
			t.noise(noiseRMS(level + 3 - snr))
			if t.r.IntN(2) == 0 {
				ms := t.uniform(3, 25)
				t.echo(ms, t.uniform(-30, -16))
			}
		})
	}
}

// number keys a card at a level: by hand, by a telephone that sends all tones alike, or by something between.
func (t *track) number(level float64) {
	style := t.r.IntN(3)
	for _, d := range []byte(t.card()) {
		ms, gap := t.uniform(40, 250), math.Exp(t.uniform(math.Log(40), math.Log(1500)))
		switch style {
		case 1:
			ms = 100
		case 2:
			ms = t.uniform(65, 130)
		}
		k := t.handset(d, ms, level)
		k.group = fmt.Sprintf("style%d", style)
		t.tone(k)
		t.gap(gap)
	}
}
