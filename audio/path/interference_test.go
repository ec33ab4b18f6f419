package path_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/tone"
)

// Two calls that differ only in the digits sound the same to the agent: sixteen keys of one rhythm and one
// level over one background of -62 dBm0, abrupt, keyed twice with other digits. Every pair must be
// identical, byte for byte (in the long form 999 of 1000), and so must be the places of the stars and the moments from which it counts as calm, and up to which as speech.
func TestDigitsDoNotShow(t *testing.T) {
	pairs, odd := pairs(50) // for each setting: 300 in all
	for _, lookAhead := range []time.Duration{shortest, usual} {
		for _, shield := range []mask.Shield{mask.Keys, mask.Run, mask.Field} {
			cfg := path.Config{Rate: audio.Rate8k, LookAhead: lookAhead, Shield: shield}
			t.Run(fmt.Sprintf("%v/%v", lookAhead, shield), func(t *testing.T) {
				t.Parallel()
				same := 0
				for n := range uint64(pairs) {
					if samePair(t, n+uint64(pairs)*uint64(lookAhead)*uint64(shield), cfg) {
						same++
					}
				}
				t.Logf("%d of %d pairs sound the same", same, pairs)
				if pairs-same > odd {
					t.Errorf("%d of %d pairs sound the same", same, pairs)
				}
			})
		}
	}
}

func samePair(t *testing.T, seed uint64, cfg path.Config) bool {
	r := rand.New(rand.NewPCG(seed, 2))
	a := noise(seed, 8000*8, -62)
	b := slices.Clone(a)
	at := 4000 + r.IntN(800)
	level, twist := -25+22*r.Float64(), -6+10*r.Float64()
	for range 16 {
		length := ms(cfg.Rate, 45+60*r.Float64())
		press(a, cfg.Rate, tone.Keys[r.IntN(16)], at, length, level, twist)
		press(b, cfg.Rate, tone.Keys[r.IntN(16)], at, length, level, twist)
		at += length + ms(cfg.Rate, 45+160*r.Float64()*r.Float64())
	}
	end := min(len(a), at+8000*6/5) // past the end of the run
	outA, slotsA, clocksA := heard(t, a[:end], cfg)
	outB, slotsB, clocksB := heard(t, b[:end], cfg)
	if len(slotsA) != 16 {
		t.Errorf("pair %d: %d keys of 16", seed, len(slotsA))
	}
	return slices.Equal(outA, outB) && slices.Equal(slotsA, slotsB) && clocksA == clocksB
}

func heard(t *testing.T, samples []int16, cfg path.Config) (out []int16, slots []audio.Position, clocks [2]audio.Position) {
	p, err := path.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.SetGrade(mask.Armed)
	p.OpenField(true)
	out, events := flow(p, samples, 160)
	for _, e := range events {
		if e.Kind != path.KeyEnd {
			slots = append(slots, e.Slot)
		}
	}
	return out, slots, [2]audio.Position{p.CalmFrom(), p.LastSpeech()}
}
