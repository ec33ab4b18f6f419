package corpus

import (
	"fmt"
	"math"
	"slices"
)

// recorded are the categories that need a library, by prefix.
var recorded = []string{"bg_speech", "bg_music", "sub_speaking", "talkoff_"}

// NeedsLibrary reports whether categories that begin with one of the prefixes need recordings.
func NeedsLibrary(prefixes []string) bool {
	return slices.ContainsFunc(recorded, func(c string) bool {
		return Matches(c, prefixes) || slices.ContainsFunc(prefixes, func(p string) bool { return Matches(p, []string{c}) })
	})
}

// Recorded are the recipes that need recordings: keys over speech and music, and talk-off.
func Recorded(seed uint64, l *Library) []Recipe {
	b := &book{seed: seed}
	b.over("bg_speech", &l.speech)
	b.over("bg_music", &l.music)
	b.speaking(l)
	for _, v := range voices {
		b.talkOff("talkoff_speech", l.voices[v], 1)
	}
	b.talkOff("talkoff_music", &l.music, 1)
	for _, v := range voices {
		for _, speed := range []float64{0.85, 0.93, 1.08, 1.18} {
			b.talkOff("talkoff_speed", l.voices[v], speed)
		}
	}
	return b.recipes
}

// over has keys over recordings that are so many dB weaker.
func (b *book) over(category string, r *reel) {
	for _, sir := range []float64{25, 20, 15, 10, 5, 0} {
		for part := range 3 {
			group := fmt.Sprintf("sir%02.0f", sir)
			b.add(category, fmt.Sprintf("%s_%d", group, part), func(t *track) {
				t.laws = "u"
				for range 96 {
					d := ten[t.r.IntN(10)]
					k := t.handset(d, t.uniform(60, 180), -10)
					k.group, k.x = group, sir
					t.tone(k)
					t.gap(t.uniform(60, 300))
				}
				t.rest = r.random(len(t.x), -7-sir, t.r) // two tones of -10 dBm0 make -7
			})
		}
	}
}

// speaking callers press keys of every level in the middle of what they say.
func (b *book) speaking(l *Library) {
	for _, level := range []float64{-25, -20, -15, -10, -5} {
		group := fmt.Sprintf("%+03.0fdB", level)
		b.add("sub_speaking", group, func(t *track) {
			t.laws = "u"
			for range 128 {
				k := t.handset(ten[t.r.IntN(10)], t.uniform(40, 200), level)
				k.expect, k.group, k.x = Hide, group, level
				t.gap(t.uniform(500, 1500))
				t.tone(k)
			}
			t.rest = l.speech.random(len(t.x), talkLevel, t.r)
		})
	}
}

const (
	talkLevel = -15 // dBm0, active level of speech
	part      = 600 * int(Rate)
)

// talkOff has no keys: recordings at a speed, ten minutes at a time.
func (b *book) talkOff(category string, r *reel, speed float64) {
	for at := 0; at < r.total; at += part {
		b.recipes = append(b.recipes, Recipe{category, func() (*Unit, error) {
			x := r.cut(at, min(part, r.total-at), talkLevel)
			if speed != 1 {
				x = resample(x, float64(Rate)*speed, float64(Rate), math.Min(3900*speed, 3900))
			}
			u := &Unit{Category: category, PCM: quantize(x)}
			code(u.PCM, 'u')
			return u, nil
		}})
	}
}
