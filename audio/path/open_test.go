package path_test

import (
	"fmt"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect/detecttest"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
)

// opensAfter is how many frames after one, at which a path was opened, the agent hears all that the caller says, to the end.
func opensAfter(in, heard []int16, delay, from int) int {
	last := len(heard) - delay
	for last > from && in[last-1] == heard[last-1+delay] {
		last--
	}
	return last - from
}

// A path that is armed, in the run after a card, or closed, is open 7 ms after it was asked to be: every frame from there on goes to the agent as it is, with the delay
// that it always has.
func TestOpenedAtOnce(t *testing.T) {
	for _, rate := range rates {
		for name, c := range map[string]struct {
			grade mask.Grade
			keys  bool
		}{"armed": {mask.Armed, false}, "armed, in a run": {mask.Armed, true}, "closed": {mask.Closed, false}, "closed, with keys before": {mask.Closed, true}} {
			x := noise(7, ms(rate, 4000), -45)
			if c.keys {
				for i, k := range []byte("4111") {
					press(x, rate, k, ms(rate, 500+200*float64(i)), ms(rate, 80), -12, 0)
				}
			}
			p := open(t, path.Config{Rate: rate}, c.grade)
			from := ms(rate, 1600) // 420 ms after the last key: a run is up to 1.1 s long
			before, _ := flowOn(p, x[:from])
			p.Open()
			after, events := flowOn(p, x[from:])
			n := opensAfter(x, append(before, after...), p.Delay(), from)
			t.Logf("%v, %s: open after %d frames, %.1f ms", rate, name, n, float64(n)*1000/float64(rate))
			if n > 7*rate.TickFrames() {
				t.Errorf("%v, %s: open after %d frames", rate, name, n)
			}
			if p.Grade() != mask.Idle || !p.Settled() || len(events) > 0 {
				t.Errorf("%v, %s: then it has grade %v, and %d events", rate, name, p.Grade(), len(events))
			}
		}
	}
}

// flowOn is flow in periods of 10 ms, without the delay at the end.
func flowOn(p *path.Path, x []int16) (out []int16, events []path.Event) {
	out = make([]int16, len(x))
	for at := 0; at < len(x); at += 80 {
		to := min(at+80, len(x))
		p.Write(x[at:to])
		p.Read(out[at:to])
		events = append(events, drain(p)...)
	}
	return out, events
}

// A key that sounds when a path is opened is masked to its end, at whatever moment, level and grade; even where idle lets keys pass. Then it is open.
func TestAKeyThatSoundsWhenOpened(t *testing.T) {
	const rate = audio.Rate8k
	most := 0
	for _, idle := range []mask.Grade{mask.Idle, mask.Pass} {
		for _, grade := range []mask.Grade{mask.Armed, mask.Closed} {
			for _, dBm0 := range []float64{-8, -20, -32} {
				for after := 5.0; after < 100; after += 7 { // ms into the key
					x := noise(uint64(after), ms(rate, 1500), -62)
					start, end := ms(rate, 500), ms(rate, 600)
					press(x, rate, '5', start, end-start, dBm0, 0)
					p := open(t, path.Config{Rate: rate, Idle: idle}, grade)
					from := (start + ms(rate, after)) / 8 * 8
					before, _ := flowOn(p, x[:from])
					p.Open()
					rest, _ := flowOn(p, x[from:])
					heard := append(before, rest...)
					if n := leaked(x, heard, rate, p.Delay(), start, end); n > 0 {
						t.Errorf("%v, then %v: opened %g ms after its onset, %d frames of a key of %g dBm0 are heard", grade, idle, after, n, dBm0)
					}
					most = max(most, opensAfter(x, heard, p.Delay(), end))
				}
			}
		}
	}
	t.Logf("open %d frames after the key's end at the latest", most)
	if most > ms(rate, 220) {
		t.Errorf("open %d frames after a key's end", most)
	}
}

// A caller who talks is heard in full soon after: loose suspicion of speech keeps no line armed.
func TestSpeechWhenOpened(t *testing.T) {
	const rate = audio.Rate8k
	x := loadCall(t, "no-card-just-talk").samples
	most, still := 0, 0
	for from := 8000; from+3*8000 < len(x); from += 8000 {
		p := open(t, path.Config{Rate: rate}, mask.Armed)
		flowOn(p, x[from-8000:from])
		p.Open()
		n := 0
		for ; n < 3*8000 && p.Grade() >= mask.Armed; n += 80 {
			flowOn(p, x[from+n:from+n+80])
		}
		most = max(most, n)
		if n >= 3*8000 {
			still++
		}
	}
	t.Logf("armed masking lasts %d frames at the most, %.0f ms", most, float64(most)/8)
	if still > 0 {
		t.Errorf("at %d moments it lasts 3 s", still)
	}
}

// On the agent's leg every frame goes to the caller from the moment on, keys too, and though the leg was shut; but for a key that sounds just then, which stays masked to
// its end.
func TestTheAgentsLegOpensAtOnce(t *testing.T) {
	for _, rate := range rates {
		for _, grade := range []mask.Grade{mask.Armed, mask.Closed} {
			for name, at := range map[string]float64{"between keys": 700, "in a key": 540} {
				x := noise(3, ms(rate, 2000), -40)
				key := func(from float64) (start, end int) {
					start, end = ms(rate, from), ms(rate, from+100)
					press(x, rate, '1', start, end-start, -12, 0)
					return start, end
				}
				start, end := key(500)
				key(900)
				key(1200)
				p, a := openBoth(t, path.Config{Rate: rate}, grade)
				caller, block := make([]int16, len(x)), ms(rate, 10)
				from := ms(rate, at) / block * block
				_, said, _ := converse(p, a, caller[:from], x[:from], block)
				p.Open()
				_, rest, _ := converse(p, a, caller[from:], x[from:], block)
				said = append(said, rest...)
				n := opensAfter(x, said, 0, from)
				t.Logf("%v, %v, %s: open after %d frames", rate, grade, name, n)
				if name == "in a key" {
					n -= end + ms(rate, 100) - from // a hole of the key's is waited for, and its echo
				}
				if n > 0 {
					t.Errorf("%v, %v, %s: open %d frames too late", rate, grade, name, n)
				}
				if n := leaked(x, said, rate, 0, start+ms(rate, 8), end); n > 0 {
					t.Errorf("%v, %v, %s: %d frames of the key before are heard", rate, grade, name, n)
				}
				p.SetGrade(mask.Armed) // and then it is guarded again
				_, said, _ = converse(p, a, caller, x, block)
				if len(detecttest.Keys(t, said, rate)) != 0 {
					t.Errorf("%v, %v, %s: armed again, keys are heard", rate, grade, name)
				}
			}
		}
	}
}

// What is asked for below Armed doesn't bring a tail back.
func TestOpenLastsUntilMoreIsAskedFor(t *testing.T) {
	p := open(t, path.Config{Rate: audio.Rate8k}, mask.Armed)
	flowOn(p, make([]int16, 800))
	p.Open()
	for _, g := range []mask.Grade{mask.Idle, mask.Pass, mask.Idle} {
		p.SetGrade(g)
		if flowOn(p, make([]int16, 80)); p.Grade() != g {
			t.Errorf("asked for %v, it has grade %v", g, p.Grade())
		}
	}
	p.SetGrade(mask.Armed)
	flowOn(p, make([]int16, 80))
	p.SetGrade(mask.Idle)
	if flowOn(p, make([]int16, 4000)); p.Grade() != mask.Armed {
		t.Errorf("armed and lowered, it has grade %v", p.Grade())
	}
}

// Whose a key is that both legs hear: the caller's, coupled into the agent's leg, is told as both's, up to as loud as it is; the agent's, which comes back from the
// caller's line as from any that is accepted, and at any delay, is his alone, also while the caller talks.
func TestKeysThatBothLegsHear(t *testing.T) {
	const rate = audio.Rate8k
	talk := loadCall(t, "no-card-just-talk").samples
	for _, block := range []int{24, 160, 400} {
		for _, delay := range []float64{0, 2, 10, 18} {
			for _, dB := range []float64{0, -3, -6, -12, -18, -24, -30} {
				t.Run(fmt.Sprintf("caller's, block %d, %g ms, %g dB", block, delay, dB), func(t *testing.T) {
					caller, starts, _ := agentsKeys(rate, uint64(block)+uint64(delay), repeats(20), 400, -12)
					agent := noise(9, len(caller), -68)
					mixEcho(agent, caller, ms(rate, delay), dB)
					p, a := openBoth(t, path.Config{Rate: rate}, mask.Armed)
					_, _, events := converse(p, a, caller, agent, block)
					_, agents := byLeg(events)
					for i, e := range agents {
						if !e.Both {
							t.Errorf("key %d of %d is told as the agent's alone", i, len(starts))
						}
					}
				})
			}
			for _, dB := range []float64{-6, -10, -18, -25} {
				for name, said := range map[string][]int16{"silent": nil, "talking": talk} {
					t.Run(fmt.Sprintf("agent's, block %d, %g ms, %g dB, caller %s", block, delay, dB, name), func(t *testing.T) {
						agent, starts, _ := agentsKeys(rate, uint64(block)+uint64(delay), repeats(20), 400, -10)
						caller := noise(9, len(agent), -68)
						for i := range min(len(said), len(caller)) {
							caller[i] += said[i]
						}
						mixEcho(caller, agent, ms(rate, delay), dB)
						p, a := openBoth(t, path.Config{Rate: rate}, mask.Armed)
						_, _, events := converse(p, a, caller, agent, block)
						_, agents := byLeg(events)
						both := 0
						for _, e := range agents {
							if e.Both {
								both++
							}
						}
						if len(agents) != len(starts) || name == "silent" && both > 0 || both > len(starts)/5 {
							t.Errorf("of %d keys %d are told, and %d as both's", len(starts), len(agents), both)
						}
					})
				}
			}
		}
	}
}
