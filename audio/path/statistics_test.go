package path_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/adversary"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/tone"
)

// The short form runs with every test, the long one with make campaign.
var (
	statisticPairs = flag.Int("interference-pairs", 0, "pairs of calls for each setting that are compared byte for byte; 0 for a few")
	statisticCalls = flag.Int("interference-calls", 0, "calls of 16 keys for each setting whose bits a key are measured; 0 for a few")
)

// shielded are the settings under which two calls must sound the same, rhythm and all.
func shielded(t *testing.T, test func(t *testing.T, cfg path.Config, seed uint64)) {
	for _, lookAhead := range []time.Duration{shortest, usual} {
		for _, shield := range []mask.Shield{mask.Run, mask.Field} {
			t.Run(fmt.Sprintf("%v/%v", lookAhead, shield), func(t *testing.T) {
				t.Parallel()
				test(t, path.Config{Rate: audio.Rate8k, LookAhead: lookAhead, Shield: shield}, uint64(lookAhead)*uint64(shield))
			})
		}
	}
}

// pairs is how many pairs a setting takes, and how many of them may differ: one of 1000.
func pairs(few int) (n, odd int) {
	if *statisticPairs == 0 {
		return repeats(few), 0
	}
	return *statisticPairs, *statisticPairs / 1000
}

// Two calls that differ only in rhythm sound the same, as long as each key stays in its slot: every key but the first
// comes some milliseconds earlier or later, and lasts as long, or the pause is longer. The first key's place, and the
// slot in which the last one ended, are told; so are slots. Onsets within 3 ms of a slot's border are left out: the box
// finds an onset to that.
func TestRhythmDoesNotShowWithinSlots(t *testing.T) {
	shielded(t, func(t *testing.T, cfg path.Config, seed uint64) {
		n, odd := pairs(25)
		differ := 0
		for i := range n {
			if !sameRhythm(t, seed+uint64(i), cfg) {
				differ++
			}
		}
		t.Logf("%d of %d pairs sound the same", n-differ, n)
		if differ > odd {
			t.Errorf("%d of %d pairs differ", differ, n)
		}
	})
}

// slotOf is the slot of the grid that a frame lies in, and whether it is clear of the borders.
func slotOf(at int) (slot int, clear bool) {
	const frames, near = 800, 24 // at 8 kHz: 100 ms, and 3 ms
	off := at % frames
	return at / frames, off > near && off < frames-near
}

func sameRhythm(t *testing.T, seed uint64, cfg path.Config) bool {
	r := rand.New(rand.NewPCG(seed, 5))
	a := noise(seed, 8000*8, -62)
	b := slices.Clone(a)
	level, twist := -25+22*r.Float64(), -6+10*r.Float64()
	at, end := 4000+r.IntN(800), 0
	for k := range 16 {
		key, length := tone.Keys[r.IntN(16)], ms(cfg.Rate, 45+60*r.Float64())
		there, lasts := at, length
		for tries := 0; k > 0; tries++ {
			there = at + r.IntN(ms(cfg.Rate, 30)) - ms(cfg.Rate, 15)
			lasts = length + r.IntN(ms(cfg.Rate, 16)) - ms(cfg.Rate, 8)
			const wait = 480 // a key's slot is the first that begins 60 ms after its onset
			one, clearA := slotOf(at + wait)
			other, clearB := slotOf(there + wait)
			endA, endsClearA := slotOf(at + length)
			endB, endsClearB := slotOf(there + lasts)
			if one == other && clearA && clearB && lasts >= ms(cfg.Rate, 42) && (k < 15 || endA == endB && endsClearA && endsClearB) {
				break
			}
			at += tries % 2 // where a key lies badly, both move on
		}
		press(a, cfg.Rate, key, at, length, level, twist)
		press(b, cfg.Rate, key, there, lasts, level, twist)
		end = max(at+length, there+lasts)
		at = end + ms(cfg.Rate, 62+160*r.Float64()*r.Float64())
	}
	end = min(len(a), end+8000*6/5) // past the end of the run
	outA, slotsA, _ := heard(t, a[:end], cfg)
	outB, slotsB, _ := heard(t, b[:end], cfg)
	if len(slotsA) != 16 || len(slotsB) != 16 {
		t.Errorf("pair %d: %d and %d keys of 16", seed, len(slotsA), len(slotsB))
	}
	return slices.Equal(outA, outB) && slices.Equal(slotsA, slotsB)
}

// With a louder background, what is told of a key stays below a hundredth of a bit, as far as the attackers that
// learn can tell: of keys as they are dialled, and of keys that each begin a run and end it, whose mask shows at both ends.
// Few calls tell little (see the Resolution), and what is not beyond chance is no error.
func TestLoudBackgroundsTellLittle(t *testing.T) {
	const bound = 0.01 // bits a key
	for _, row := range backgrounds(t) {
		t.Run(row.name, func(t *testing.T) {
			shielded(t, func(t *testing.T, cfg path.Config, seed uint64) {
				calls := repeats(20)
				if *statisticCalls > 0 {
					calls = *statisticCalls
				}
				for _, pause := range []float64{0, 1300} {
					if pause > 0 && cfg.Shield != mask.Run {
						continue // a field is one run
					}
					var cases []adversary.Case
					for n := range calls {
						cases = append(cases, keyedCall(t, seed+uint64(n), 0, pause, cfg, row.add))
					}
					attackers, err := adversary.Learn(cases...)
					if err != nil {
						t.Fatal(err)
					}
					for _, a := range attackers {
						t.Logf("from %g ms between keys: %s: %.4f bits a key (resolution %.4f, %.1f sigma), %.2f %% right of %d, chance %.2f %%",
							45+pause, a.Name, a.Bits, a.Resolution, a.Sigma, 100*a.Accuracy, a.Keys, 100*a.Chance)
						if a.Bits > bound && a.Leaks() {
							t.Errorf("from %g ms between keys: %s learns %.4f bits a key", 45+pause, a.Name, a.Bits)
						}
					}
				}
			})
		})
	}
}

// background is what is heard beneath the keys.
type background struct {
	name  string
	moved int // calls of 1000 in which a flat tone may lie in another slot
	add   func(x []int16, seed uint64)
}

// backgrounds are louder than the room noise over which nothing shows at all.
func backgrounds(t *testing.T) []background {
	talk := loadCall(t, "no-card-just-talk").samples
	return []background{
		{"noise of -50 dBm0", 1, func(x []int16, seed uint64) { mix(x, noise(seed, len(x), -50), 1) }},
		{"noise of -45 dBm0", 1, func(x []int16, seed uint64) { mix(x, noise(seed, len(x), -45), 1) }},
		{"noise of -40 dBm0", 1, func(x []int16, seed uint64) { mix(x, noise(seed, len(x), -40), 1) }},
		{"speech of -30 dBm0", 5, func(x []int16, seed uint64) {
			mix(x, noise(seed, len(x), -62), 1)
			from := int(seed * 2654435761 % uint64(len(talk)))
			said := slices.Concat(talk[from:], talk[:from], talk)
			mix(x, said, talkGain(talk, -30))
		}},
	}
}

// From the first key of a field to its verdict nothing shows under the shield Field, whatever is heard beneath, but how many keys
// there were, and in which slot each began: from the first key's end on, pairs of calls that differ only in the digits are the same byte
// for byte, but where a key begins at the border of two slots under speech. Where that hides its edge, its onset is found from the
// tone, to a fraction of a millisecond that depends on the key: today that moves a key in three calls of 1000.
func TestAFieldHidesItsDigitsWhole(t *testing.T) {
	const slot, sounding = 800, 480 // frames, of which so many sound
	for _, row := range backgrounds(t) {
		for _, lookAhead := range []time.Duration{shortest, usual} {
			t.Run(fmt.Sprintf("%s/%v", row.name, lookAhead), func(t *testing.T) {
				t.Parallel()
				cfg := path.Config{Rate: audio.Rate8k, LookAhead: lookAhead, Shield: mask.Field}
				n, _ := pairs(20)
				moved := 0
				for i := range n {
					// Two calls of one seed differ in the digits alone.
					a := keyedCall(t, uint64(i), 0, 0, cfg, row.add)
					b := keyedCall(t, uint64(i), 1, 0, cfg, row.add)
					if slices.Equal(a.In, b.In) {
						t.Fatal("the calls don't differ")
					}
					same := true
					for at := int(a.Keys[0].End) + a.DelayFrames; at < len(a.Out); at++ {
						if a.Out[at] != b.Out[at] {
							same = false
							if (at-a.DelayFrames)%slot >= sounding {
								t.Fatalf("pair %d differs at frame %d, where no flat tone can be", i, at)
							}
						}
					}
					if !same {
						moved++
					}
				}
				t.Logf("%d of %d pairs sound the same, in the others a flat tone lies one slot on", n-moved, n)
				if moved > n*row.moved/1000 {
					t.Errorf("in %d of %d pairs a flat tone lies in another slot", moved, n)
				}
			})
		}
	}
}

// keyedCall is a call of sixteen keys over a background, as the agent heard it. Which keys they are goes with the card
// alone. Between them lie pauseMS, and some more.
func keyedCall(t *testing.T, seed, card uint64, pauseMS float64, cfg path.Config, background func(x []int16, seed uint64)) adversary.Case {
	t.Helper()
	r, keyed := rand.New(rand.NewPCG(seed, 6)), rand.New(rand.NewPCG(seed, 7+card))
	x := make([]int16, 8000*8+16*ms(cfg.Rate, pauseMS))
	background(x, seed)
	c := adversary.Case{Rate: cfg.Rate, FlatTone: adversary.OurFlatTone()}
	at := 4000 + r.IntN(800)
	level, twist := -25+22*r.Float64(), -6+10*r.Float64()
	for range 16 {
		key, length := tone.Keys[keyed.IntN(16)], ms(cfg.Rate, 45+60*r.Float64())
		press(x, cfg.Rate, key, at, length, level, twist)
		d, _ := audio.NewDigit(key)
		c.Keys = append(c.Keys, adversary.Key{Symbol: d, Start: audio.Position(at), End: audio.Position(at + length)})
		at += length + ms(cfg.Rate, pauseMS+45+160*r.Float64()*r.Float64())
	}
	c.In = x[:min(len(x), at+8000*6/5)]
	out, _, _ := heard(t, c.In, cfg)
	c.Out, c.DelayFrames = out, cfg.Rate.Frames(cfg.LookAhead)
	return c
}

func mix(x, y []int16, gain float64) {
	for i := range x {
		x[i] = int16(max(-32768, min(32767, float64(x[i])+gain*float64(y[i]))))
	}
}

// talkGain brings speech to a level, while it is spoken: reckoned from its louder half.
func talkGain(x []int16, dBm0 float64) float64 {
	var blocks []float64
	for at := 0; at+800 <= len(x); at += 800 {
		p := 0.0
		for _, v := range x[at : at+800] {
			p += float64(v) * float64(v) / 800
		}
		blocks = append(blocks, p)
	}
	slices.Sort(blocks)
	p := 0.0
	for _, b := range blocks[len(blocks)/2:] {
		p += b / float64(len(blocks)-len(blocks)/2)
	}
	return math.Pow(10, (dBm0-audio.DBm0(p))/20)
}
