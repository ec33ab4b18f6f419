package corpus

import (
	"fmt"
	"math"
	"slices"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// Sent are the recipes that are sent through channels: keys on a quiet line, and with a library keys over speech and speech alone.
func Sent(seed uint64, l *Library, cards int) []Recipe {
	b := &book{seed: seed}
	for k := range cards {
		b.add("keys", fmt.Sprintf("%03d", k), func(t *track) {
			level := t.uniform(-24, -5)
			for _, d := range []byte(t.card()) {
				key := t.handset(d, t.uniform(50, 200), level)
				key.group = levelGroup(level)
				t.tone(key)
				t.gap(math.Exp(t.uniform(math.Log(50), math.Log(800))))
			}
			t.noise(noiseRMS(t.uniform(-62, -50)))
		})
	}
	if l == nil {
		return b.recipes
	}
	for k := range cards {
		b.add("keys_speech", fmt.Sprintf("%03d", k), func(t *track) {
			level := t.uniform(-20, -5)
			for _, d := range []byte(t.card()) {
				key := t.handset(d, t.uniform(60, 200), level)
				key.group = levelGroup(level)
				t.tone(key)
				t.gap(t.uniform(200, 800))
			}
			t.rest = l.speech.random(len(t.x), level+3-t.uniform(5, 25), t.r)
		})
	}
	for _, v := range voices {
		b.recipes = append(b.recipes, Recipe{"talkoff_sent", func() (*Unit, error) {
			r := l.voices[v]
			at := random(seed, "talkoff_sent/"+v).IntN(r.total)
			return &Unit{Category: "talkoff_sent", PCM: quantize(r.cut(at, part/2, talkLevel))}, nil
		}})
	}
	return b.recipes
}

// levelGroup is the series of a level: steps of 5 dB.
func levelGroup(dBm0 float64) string { return fmt.Sprintf("%+03.0fdB", 5*math.Floor(dBm0/5)) }

// Arrived is the unit as a channel let it out, with its truth delay frames later.
func (u *Unit) Arrived(channel string, pcm []int16, delay int) *Unit {
	a := &Unit{Category: u.Category + " " + channel, PCM: pcm, Events: slices.Clone(u.Events)}
	for i := range a.Events {
		a.Events[i].Start += delay
		a.Events[i].End += delay
	}
	if u.Sounds == nil {
		return a
	}
	x := make([]float64, len(pcm))
	for i, v := range pcm {
		x[i] = float64(v)
	}
	a.Sounds = audible(x)
	for i := range a.Sounds {
		a.Sounds[i] = a.Sounds[i] && i >= delay && i-delay < len(u.Sounds) && u.Sounds[i-delay]
	}
	return a
}

// Probe is a sound whose delay can be found exactly: all keys, at random distances.
func Probe() []int16 {
	t := start(1, "probe")
	for _, d := range []byte(tone.Keys + tone.Keys) {
		t.tone(burst{key: d, ms: t.uniform(50, 100), row: -15, col: -15})
		t.gap(t.uniform(50, 150))
	}
	t.noise(audio.Amplitude(-50))
	return t.unit("").PCM
}
