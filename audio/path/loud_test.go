package path_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/tone"
)

// Whatever is at full scale, none of it is a key: square waves over the band, the rails, noise.
func TestFullScaleIsNoKey(t *testing.T) {
	for _, rate := range []audio.Rate{audio.Rate8k, audio.Rate48k} {
		var x []int16
		add := func(sample func(i int) bool) {
			for i := range ms(rate, 200) {
				if sample(i) {
					x = append(x, math.MaxInt16)
				} else {
					x = append(x, math.MinInt16)
				}
			}
		}
		for hz := 50.0; hz < 3400; hz *= 1.03 {
			add(func(i int) bool { return math.Mod(float64(i)*hz/float64(rate), 1) < 0.5 })
		}
		add(func(int) bool { return true })
		add(func(int) bool { return false })
		random := noise(3, ms(rate, 200), 0)
		add(func(i int) bool { return random[i] > 0 })
		p := open(t, path.Config{Rate: rate}, mask.Armed)
		_, events := flow(p, x, 160)
		for _, e := range events {
			if e.Kind == path.Key {
				t.Errorf("%v: a key at %v", rate, rate.Duration(int64(e.Start)))
			}
		}
		if n := p.Stats().Faults; n != 0 {
			t.Errorf("%v: %d faults", rate, n)
		}
	}
}

// A key that is driven 20 dB into the rails is masked whole, and is a key or unclear, but no other.
func TestOverdrivenKeysDoNotLeak(t *testing.T) {
	const rate = audio.Rate8k
	for i := range len(tone.Keys) {
		t.Run(fmt.Sprint(i), func(t *testing.T) { // by number: no key is printed
			pair, _ := tone.Pair(tone.Keys[i], -10, 0)
			x := noise(4, ms(rate, 500), -50)
			for _, v := range tone.Append(nil, rate, ms(rate, 100), 8, pair[:]...) {
				x = append(x, int16(min(max(20*int(v), math.MinInt16), math.MaxInt16)))
			}
			x = append(x, noise(5, ms(rate, 500), -50)...)
			p := open(t, path.Config{Rate: rate}, mask.Armed)
			out, events := flow(p, x, 160)
			if n := leaked(x, out, rate, p.Delay(), ms(rate, 500), ms(rate, 600)); n > 0 {
				t.Errorf("%d frames of it are heard", n)
			}
			told := 0
			want, _ := audio.NewDigit(tone.Keys[i])
			for _, e := range events {
				if e.Kind == path.Key && e.Digit != want {
					t.Error("it is taken for another")
				}
				if e.Kind == path.Key || e.Kind == path.Unclear {
					told++
				}
			}
			if told != 1 {
				t.Errorf("%d events of it", told)
			}
		})
	}
}
