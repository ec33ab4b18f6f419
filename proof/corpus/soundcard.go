package corpus

import (
	"fmt"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// soundCard keys come through a card at 48 kHz with hum, DC and a clock that is off, and are brought down to 8 kHz.
func (b *book) soundCard() {
	for k := range 16 {
		ppm := []float64{-100, -50, 50, 100}[k%4]
		name := fmt.Sprintf("%02d_%+.0fppm", k, ppm)
		b.recipes = append(b.recipes, Recipe{"soundcard", func() (*Unit, error) { return throughCard(b.seed, name, ppm), nil }})
	}
}

func throughCard(seed uint64, name string, ppm float64) *Unit {
	const (
		card = audio.Rate48k
		cut  = 3600 // Hz
	)
	t := &track{r: random(seed, "soundcard/"+name)}
	step := float64(card) / float64(Rate) * (1 + ppm*1e-6)
	x := make([]float64, card/5)
	level := t.uniform(-20, -6)
	for _, d := range []byte(t.card()) {
		at := len(x)
		x = append(x, make([]float64, int(t.uniform(0.045, 0.2)*float64(card)))...)
		twist := t.uniform(-2, 4)
		sines, _ := tone.Pair(d, level-twist/2, twist)
		for _, s := range sines {
			off := t.uniform(-0.012, 0.012)
			addSine(x[at:], s.Hz*(1+off), s.DBm0, t.uniform(0, 6), card)
		}
		edges(x[at:], 24)
		t.ev = append(t.ev, Event{Key: d, Start: int(float64(at) / step), End: int(float64(len(x)) / step), Expect: Accept,
			Group: fmt.Sprintf("%+.0fppm", ppm), X: ppm})
		x = append(x, make([]float64, int(t.uniform(0.045, 0.6)*float64(card)))...)
	}
	x = append(x, make([]float64, card/3)...)
	t.x = resample(x, float64(card), float64(card)/step, cut)
	rest := make([]float64, len(x))
	addSine(rest, 50, -35, 0, card)
	addSine(rest, 150, -45, 0, card)
	addNoise(rest, noiseRMS(level+3-35+7.8), t.r) // 7.8 dB: only a sixth of its band is left
	for i := range rest {
		rest[i] += 150
	}
	t.rest = resample(rest, float64(card), float64(card)/step, cut)
	return t.unit("soundcard")
}
