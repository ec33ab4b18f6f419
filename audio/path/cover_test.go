package path_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/tone"
)

// covered sends samples through p in step, in blocks of up to most frames, and covers it once from frames were written until upto were. The output has as many
// frames as went in.
func covered(p *path.Path, samples []int16, from, upto, most int) (out []int16, events []path.Event) {
	out = make([]int16, len(samples))
	for at := 0; at < len(samples); {
		to := min(at+most, len(samples))
		for _, edge := range []int{from, upto} {
			if at < edge && edge < to {
				to = edge
			}
		}
		p.Cover(at >= from && at < upto)
		p.Write(samples[at:to])
		p.Read(out[at:to])
		events = append(events, drain(p)...)
		at = to
	}
	return out, events
}

// Of two loud sounds that have no frame in common one comes in before, one while and one after the line is covered. From the tick on after that in which it was said, nothing
// of the caller leaves, not even what was held; and what is heard first afterwards came in when it was no longer covered, at the latest two ticks later.
func TestCoverIsExact(t *testing.T) {
	for _, rate := range rates {
		for _, grade := range []mask.Grade{mask.Pass, mask.Idle, mask.Armed} {
			for _, most := range []int{1, 37, 160, 441} {
				t.Run(fmt.Sprintf("%v/%v/%d", rate, grade, most), func(t *testing.T) {
					p := open(t, path.Config{Rate: rate, Idle: mask.Idle}, grade)
					r := rand.New(rand.NewPCG(uint64(rate), uint64(most)))
					in, tick := noise(3, int(rate)*3/5, -12), rate.TickFrames()
					from := int(rate)/5 + r.IntN(tick)
					upto := int(rate)*2/5 + r.IntN(tick)
					out, _ := covered(p, in, from, upto, most)
					in = slices.Concat(make([]int16, p.Delay()), in)[:len(out)] // as it would have left
					begins := from/tick*tick + tick
					if !slices.Equal(out[:begins], in[:begins]) {
						t.Errorf("something was replaced before the %d frames were written after which it was covered", from)
					}
					if p.Delay()%tick != 0 {
						begins += tick // whole ticks are let out, so part of one waits to leave
					}
					ends := upto + p.Delay()
					if loud := slices.IndexFunc(out[begins:ends], func(v int16) bool { return v > 300 || v < -300 }); loud >= 0 {
						t.Errorf("frame %d came through, of a line covered from %d to %d", begins+loud, from, upto)
					}
					if ends += 2 * tick; !slices.Equal(out[ends:], in[ends:]) {
						t.Errorf("the caller isn't heard from two ticks on after the cover")
					}
					if most := int64(2*tick + p.Delay() + upto - from); p.Stats().MaskedFrames > most || p.Stats().MaskedFrames < int64(upto-from) {
						t.Errorf("%d frames are said to be masked, at most %d were", p.Stats().MaskedFrames, most)
					}
				})
			}
		}
	}
}

// Two calls that differ only in what is said while the line is covered sound the same to the agent: to the bit while it is, and afterwards, but where that is suspected
// of being a key: then for as long as a run lasts.
func TestCoveredSpeechDoesNotShow(t *testing.T) {
	rate := audio.Rate8k
	talk := [2][]int16{loadCall(t, "no-card-just-talk").samples, loadCall(t, "visa").samples[:5*8000]} // before its keys
	for _, c := range []struct {
		grade, idle mask.Grade
		same        int  // from so many frames after the end of what was covered
		held        bool // what is held when the cover begins differs, too: a suspicion of that would mask what left before
	}{{mask.Idle, mask.Pass, 0, true}, {mask.Idle, mask.Idle, 0, false}, {mask.Armed, mask.Idle, 2 * 8000, false}, {mask.Closed, mask.Idle, 0, true}} {
		for _, lookAhead := range []time.Duration{shortest, usual, mask.MaxLookAhead} {
			for n := range uint64(repeats(20)) {
				r := rand.New(rand.NewPCG(n, 7))
				from, upto := 3*8000+r.IntN(8000), 6*8000+r.IntN(8000)
				var outs [2][]int16
				for i := range outs {
					p := open(t, path.Config{Rate: rate, LookAhead: lookAhead, Idle: c.idle}, c.grade)
					in := noise(n, 12*8000, -58)
					begins := from
					if c.held {
						begins += 2*rate.TickFrames() - p.Delay()
					}
					for j := begins; j < upto; j++ {
						in[j] += talk[i][(j+int(n)*1000)%len(talk[i])]
					}
					outs[i], _ = covered(p, in, from, upto, 1+r.IntN(160))
				}
				ends := upto + rate.Frames(lookAhead)
				if !slices.Equal(outs[0][:ends], outs[1][:ends]) || !slices.Equal(outs[0][ends+c.same:], outs[1][ends+c.same:]) {
					t.Errorf("grade %v, idle %v, look-ahead %v, call %d: what was said shows", c.grade, c.idle, lookAhead, n)
				}
			}
		}
	}
}

// However often and wherever a line is covered and uncovered, whatever the blocks: two loud sounds that differ only in the frames that came in meanwhile sound the
// same.
func TestNothingCoveredIsEverHeard(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rate := rapid.SampledFrom(rates).Draw(rt, "rate")
		cfg := path.Config{Rate: rate, Idle: mask.Pass, LookAhead: rapid.SampledFrom([]time.Duration{shortest, 17 * time.Millisecond, usual}).Draw(rt, "look-ahead")}
		var legs [2]*path.Path
		for i := range legs {
			p, err := path.New(cfg)
			if err != nil {
				rt.Fatal(err)
			}
			defer p.Close()
			p.SetGrade(mask.Idle)
			legs[i] = p
		}
		tick := rate.TickFrames()
		blocks := rapid.SliceOfN(rapid.IntRange(1, 4*tick), 60, 200).Draw(rt, "blocks")
		var length int
		for _, n := range blocks {
			length += n
		}
		sounds := [2][]int16{noise(1, length, -10), noise(2, length, -10)}
		var outs [2][]int16
		on, at := false, 0
		for _, n := range blocks {
			on = on != (rapid.IntRange(0, 7).Draw(rt, "turn") == 0)
			for i, p := range legs {
				said := sounds[0]
				if on {
					said = sounds[i]
				}
				p.Cover(on)
				p.Write(said[at : at+n])
				out := make([]int16, n)
				p.Read(out)
				outs[i] = append(outs[i], out...)
			}
			at += n
		}
		if !slices.Equal(outs[0], outs[1]) {
			rt.Fatal("what was covered shows")
		}
	})
}

// Keys are captured and have their flat tones all the same, where they would without the cover.
func TestKeysUnderCover(t *testing.T) {
	x := noise(5, 3*8000, -60)
	for i, key := range []byte(tone.Keys[:5]) {
		press(x, audio.Rate8k, key, 6000+i*2000, 640, -15, 1)
	}
	_, want := covered(open(t, path.Config{Rate: audio.Rate8k}, mask.Armed), x, len(x), len(x), 160)
	out, got := covered(open(t, path.Config{Rate: audio.Rate8k}, mask.Armed), x, 4000, 20000, 160)
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("%d keys and ends are told under cover, %d without", len(got), len(want))
	}
	for _, e := range got {
		if e.Kind == path.Key && !sounds(out[int(e.Slot)+240+80:][:320]) {
			t.Error("a key under cover has no flat tone")
		}
	}
}

// sounds reports whether there is more than noise in a stretch.
func sounds(x []int16) bool {
	return slices.ContainsFunc(x, func(v int16) bool { return v > 1000 })
}
