package path_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect/detecttest"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/tone"
)

// openBoth is a path with its other leg.
func openBoth(t testing.TB, cfg path.Config, grade mask.Grade) (*path.Path, *path.Agent) {
	t.Helper()
	p := open(t, cfg, grade)
	a, err := path.NewAgent(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, a
}

// converse sends both legs through, as a line does: a period of the caller, then as much of the agent.
func converse(p *path.Path, a *path.Agent, caller, agent []int16, block int) (heard, said []int16, events []path.Event) {
	heard, said = make([]int16, len(caller)), slices.Clone(agent)
	for at := 0; at < len(caller); at += block {
		to := min(at+block, len(caller))
		p.Write(caller[at:to])
		a.Pass(said[at:to])
		p.Read(heard[at:to])
		events = append(events, drain(p)...)
	}
	return heard, said, events
}

// byLeg tells what was keyed on the caller's leg from what was on the agent's.
func byLeg(events []path.Event) (callers, agents []path.Event) {
	for _, e := range events {
		if e.Kind == path.AgentKey {
			agents = append(agents, e)
		} else {
			callers = append(callers, e)
		}
	}
	return callers, agents
}

// agentsKeys is a quiet line with keys from a level to 8 dB above it, one in so many milliseconds, and where they lie.
func agentsKeys(rate audio.Rate, seed uint64, n int, everyMS, dBm0 float64) (x []int16, starts, ends []int) {
	r := rand.New(rand.NewPCG(seed, 3))
	x = noise(seed, ms(rate, 200+everyMS*float64(n)), -62)
	for i := range n {
		at, length := ms(rate, 200+everyMS*float64(i)+50*r.Float64()), ms(rate, 45+200*r.Float64()*r.Float64())
		press(x, rate, tone.Keys[r.IntN(16)], at, length, dBm0+8*r.Float64(), -4+8*r.Float64())
		starts, ends = append(starts, at), append(ends, at+length)
	}
	return x, starts, ends
}

// While the line is armed or closed the agent's keys are taken out, also the first in a while: no 10 ms of one are left, and no
// receiver finds one.
func TestAgentsKeysAreTakenOut(t *testing.T) {
	for _, rate := range rates {
		n := repeats(100)
		x, starts, ends := agentsKeys(rate, uint64(rate), n, 3600, -22)
		if found := len(detecttest.Keys(t, x, rate)); found != n {
			t.Fatalf("%v: %d keys of %d before", rate, found, n)
		}
		for _, grade := range []mask.Grade{mask.Armed, mask.Closed} {
			p, a := openBoth(t, path.Config{Rate: rate}, grade)
			_, said, _ := converse(p, a, make([]int16, len(x)), x, ms(rate, 20))
			if found := len(detecttest.Keys(t, said, rate)); found != 0 {
				t.Errorf("%v, %v: %d keys of %d after", rate, grade, found, n)
			}
			longest := 0
			for i := range starts {
				run := 0
				for at := starts[i]; at < ends[i]; at++ {
					if run++; said[at] != x[at] {
						run = 0
					}
					longest = max(longest, run)
				}
			}
			t.Logf("%v, %v: the longest stretch of a key that is left is %.1f ms", rate, grade, float64(longest)*1000/float64(rate))
			if longest >= ms(rate, 10) {
				t.Errorf("%v, %v: %d frames of a key are left", rate, grade, longest)
			}
		}
	}
}

// A caller on the agent's leg, for the two were swapped, keys a card. The head of the first key passes, and nothing from then on until
// 3 s after the last; each key is told, and none is the caller's.
func TestKeysOnTheWrongLeg(t *testing.T) {
	c := loadCall(t, "visa")
	first, last := c.keys[0], c.keys[len(c.keys)-1]
	x := append(slices.Clone(c.samples[:last.End]), noise(3, 5*8000, -50)...)
	for _, grade := range []mask.Grade{mask.Armed, mask.Closed} {
		p, a := openBoth(t, path.Config{Rate: audio.Rate8k}, grade)
		_, said, events := converse(p, a, make([]int16, len(x)), x, 24)
		callers, agents := byLeg(events)
		if len(callers) != 0 || len(agents) != len(c.keys) {
			t.Errorf("%v: %d keys of the caller's, and %d of the agent's of %d", grade, len(callers), len(agents), len(c.keys))
		}
		for i, e := range agents {
			if e.Digit.Reveal() != c.keys[i].Digit[0] || max(int(e.Start)-c.keys[i].Start, c.keys[i].Start-int(e.Start)) > ms(audio.Rate8k, 5) {
				t.Errorf("%v: key %d is another, or elsewhere", grade, i)
			}
		}
		until := last.End + ms(audio.Rate8k, 3000)
		if n := leaked(x, said, audio.Rate8k, 0, first.Start+ms(audio.Rate8k, 8), until); n > 0 {
			t.Errorf("%v: %d frames pass after the first key's head", grade, n)
		}
		if again := until + ms(audio.Rate8k, 100); !slices.Equal(said[again:], x[again:]) {
			t.Errorf("%v: the leg stays shut", grade)
		}
	}
}

// A key that began before the line was armed shuts nothing: an agent who arms it by keys is heard at once.
func TestAnIdleKeyDoesNotShutTheLeg(t *testing.T) {
	const rate = audio.Rate8k
	x := noise(1, 2*8000, -50)
	press(x, rate, '1', 800, 1600, -12, 0)
	p, a := openBoth(t, path.Config{Rate: rate}, mask.Idle)
	_, before, _ := converse(p, a, make([]int16, 1200), x[:1200], 160)
	p.SetGrade(mask.Armed)
	_, after, _ := converse(p, a, make([]int16, len(x)-1200), x[1200:], 160)
	said := append(before, after...)
	if end := 2400; leaked(x, said, rate, 0, 1360, end) > 0 || !slices.Equal(said[end+800:], x[end+800:]) {
		t.Error("the rest of the key passes, or what is said after it doesn't")
	}
}

// When a key on the agent's leg is told to have begun doesn't depend on which it was.
func TestAgentsKeysBeginAlike(t *testing.T) {
	for _, rate := range rates {
		r := rand.New(rand.NewPCG(uint64(rate), 4))
		p, a := openBoth(t, path.Config{Rate: rate}, mask.Armed)
		for n := range repeats(10) {
			at, starts := ms(rate, 200+100*r.Float64()), map[audio.Position]bool{}
			for i := range len(tone.Keys) {
				x := noise(uint64(n), 400*rate.TickFrames(), -62)
				press(x, rate, tone.Keys[i], at, ms(rate, 80), -12, 0)
				began := p.Position()
				_, _, events := converse(p, a, make([]int16, len(x)), x, ms(rate, 5))
				if len(events) != 1 {
					t.Fatalf("%v: a key is told as %d", rate, len(events))
				}
				starts[events[0].Start-began] = true
			}
			if len(starts) != 1 {
				t.Errorf("%v: the same moment is told as %d", rate, len(starts))
			}
		}
	}
}

// Where the line isn't armed the agent's leg is a wire; while the caller's is closed, but for keys.
func TestAgentsLegIsOpen(t *testing.T) {
	keys, _, _ := agentsKeys(audio.Rate8k, 1, 5, 400, -15)
	for _, test := range []struct {
		grade mask.Grade
		x     []int16
	}{{mask.Pass, keys}, {mask.Idle, keys}, {mask.Closed, noise(2, 8000, -30)}} {
		p, a := openBoth(t, path.Config{Rate: audio.Rate8k}, test.grade)
		if _, said, _ := converse(p, a, make([]int16, len(test.x)), test.x, 160); !slices.Equal(said, test.x) {
			t.Errorf("grade %v: the agent's leg was changed", test.grade)
		}
	}
}

// Speech loses next to nothing on it.
func TestAgentsSpeech(t *testing.T) {
	for _, name := range []string{"no-card-just-talk", "visa"} {
		x := loadCall(t, name).samples
		if name == "visa" {
			x = x[:loadCall(t, name).keys[0].Start] // what is said before the first key
		}
		p, a := openBoth(t, path.Config{Rate: audio.Rate8k}, mask.Armed)
		_, said, events := converse(p, a, make([]int16, len(x)), x, 160)
		changed := 0
		for i := range x {
			if said[i] != x[i] {
				changed++
			}
		}
		t.Logf("%s: %.2f %% of speech was replaced", name, 100*float64(changed)/float64(len(x)))
		if changed*100 > len(x) || len(events) != 0 {
			t.Errorf("%s: %d of %d frames of speech were replaced, %d events", name, changed, len(x), len(events))
		}
	}
}

// The agent's leg is the same however it is cut, whatever it carries.
func TestAgentsBlocksDoNotShow(t *testing.T) {
	x, _, _ := agentsKeys(audio.Rate8k, 5, 6, 400, -15)
	p, a := openBoth(t, path.Config{Rate: audio.Rate8k}, mask.Armed)
	_, want, _ := converse(p, a, make([]int16, len(x)), x, 160)
	rapid.Check(t, func(t *rapid.T) {
		p, err := path.New(path.Config{Rate: audio.Rate8k})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		p.SetGrade(mask.Armed)
		a, err := path.NewAgent(p)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		p.Write(make([]int16, 8)) // the grade comes into force
		said := slices.Clone(x)
		for rest := said; len(rest) > 0; {
			n := min(len(rest), rapid.SampledFrom([]int{1, 7, 8, 160, 441, 4096}).Draw(t, "frames"))
			a.Pass(rest[:n])
			rest = rest[n:]
		}
		if !slices.Equal(said, want) {
			t.Error("the output depends on the blocks")
		}
	})
}

// mixEcho adds what comes back of x.
func mixEcho(to, x []int16, delay int, dB float64) {
	gain := math.Pow(10, dB/20)
	for i := delay; i < len(to); i++ {
		to[i] += int16(math.Round(gain * float64(x[i-delay])))
	}
}

// The echo of an agent's key is masked on the caller's leg, and is no event there.
func TestEchoOfTheAgentsKeyIsNoKey(t *testing.T) {
	const rate = audio.Rate8k
	for _, block := range []int{40, 160, 400} {
		for _, delay := range []float64{0, 5, 12, 20, 45, 90} {
			for _, loss := range []float64{-10, -18, -25} {
				t.Run(fmt.Sprintf("block %d, %g ms, %g dB", block, delay, loss), func(t *testing.T) {
					agent, starts, ends := agentsKeys(rate, uint64(block)+uint64(delay), repeats(30), 400, -12)
					caller := noise(9, len(agent), -62)
					mixEcho(caller, agent, ms(rate, delay), loss)
					p, a := openBoth(t, path.Config{Rate: rate, Shield: mask.Keys}, mask.Armed)
					heard, _, events := converse(p, a, caller, agent, block)
					if callers, agents := byLeg(events); len(callers) != 0 || len(agents) != len(starts) {
						t.Errorf("%d events of %d echoes, and %d keys of the agent's", len(callers), len(starts), len(agents))
					}
					for i := range starts {
						start, end := starts[i]+ms(rate, delay), ends[i]+ms(rate, delay)
						if end+p.Delay() < len(heard) && leaked(caller, heard, rate, p.Delay(), start, end) > 0 {
							t.Errorf("echo %d is heard", i)
						}
					}
				})
			}
		}
	}
}

// Whatever else the caller keys, or when, is the caller's: another key while the agent's sounds and comes back, and the same key
// a while after.
func TestCallersKeysBesideTheAgents(t *testing.T) {
	const rate = audio.Rate8k
	for name, test := range map[string]struct {
		key      byte
		at       float64 // ms after the agent's onset
		captured bool
	}{
		"another, first":          {'2', -60, true},
		"another, at once":        {'2', 0, true},
		"another, meanwhile":      {'2', 60, true},
		"another, on the echo":    {'2', 90, true},
		"the same, long before":   {'5', -200, true},
		"the same, in the echo":   {'5', 100, false},
		"the same, long after it": {'5', 120 + 130, true},
	} {
		for _, block := range []int{40, 160} {
			t.Run(fmt.Sprintf("%s, block %d", name, block), func(t *testing.T) {
				agent, caller := noise(1, 12000, -62), noise(2, 12000, -62)
				press(agent, rate, '5', 4000, 960, -12, 0)
				mixEcho(caller, agent, ms(rate, 15), -22)
				press(caller, rate, test.key, 4000+ms(rate, test.at), 640, -9, 0)
				p, a := openBoth(t, path.Config{Rate: rate}, mask.Armed)
				_, _, events := converse(p, a, caller, agent, block)
				var kinds []path.EventKind
				callers, agents := byLeg(events)
				if len(agents) != 1 || agents[0].Digit.Reveal() != '5' || agents[0].Slot != -1 {
					t.Error("the agent's key is told otherwise")
				}
				for _, e := range callers {
					kinds = append(kinds, e.Kind)
					if e.Kind == path.Key && e.Digit.Reveal() != test.key {
						t.Error("another key than the caller's")
					}
				}
				want := []path.EventKind{path.Key, path.KeyEnd}
				if !test.captured {
					want = nil
				}
				if !slices.Equal(kinds, want) {
					t.Errorf("events %v, want %v", kinds, want)
				}
			})
		}
	}
}

// An agent who presses any keys while the caller keys a card, between the caller's and during every other one, adds nothing to it and takes
// nothing away, however they come back.
func TestAgentsKeysBesideACard(t *testing.T) {
	const rate, card = audio.Rate8k, "4242424242424242"
	for _, echo := range []struct{ delay, dB float64 }{{5, -10}, {15, -22}, {45, -18}, {90, -25}} {
		agent := make([]int16, ms(rate, 500*float64(len(card)+2)))
		caller := make([]int16, len(agent))
		for i := range len(card) {
			at := ms(rate, 500*float64(i+1))
			press(caller, rate, card[i], at, 640, -8, 0)
			press(agent, rate, "7319"[i%4], at+ms(rate, 230), 640, -12, 0)
			if i%2 == 1 {
				press(agent, rate, "0856"[i/2%4], at-ms(rate, 10), 640, -12, 0)
			}
		}
		mixEcho(caller, agent, ms(rate, echo.delay), echo.dB)
		p, a := openBoth(t, path.Config{Rate: rate}, mask.Armed)
		_, said, events := converse(p, a, caller, agent, 160)
		callers, agents := byLeg(events)
		n := 0
		for _, e := range callers {
			if e.Kind == path.Key {
				if n == len(card) || e.Digit.Reveal() != card[n] {
					t.Fatalf("%+v: key %d isn't the caller's", echo, n)
				}
				n++
			}
		}
		if n != len(card) || len(callers) != 2*n || len(agents) != n+n/2 || len(detecttest.Keys(t, said, rate)) != 0 {
			t.Errorf("%+v: %d keys of the caller's in %d events, %d of the agent's; %d are heard", echo, n, len(callers), len(agents), len(detecttest.Keys(t, said, rate)))
		}
	}
}

// While the agent keys nothing, the caller's keys are told as without an agent's leg, in the same slots; at the most a period later.
func TestAgentWhoKeysNothingChangesNothing(t *testing.T) {
	c := loadCall(t, "visa")
	talk := loadCall(t, "no-card-just-talk").samples
	agent := slices.Repeat(talk, len(c.samples)/len(talk)+1)[:len(c.samples)]
	alone := open(t, path.Config{Rate: audio.Rate8k}, mask.Armed)
	want := make([]int16, len(c.samples))
	var wanted []path.Event
	for at := 0; at < len(want); at += 160 {
		to := min(at+160, len(want))
		alone.Write(c.samples[at:to])
		alone.Read(want[at:to])
		wanted = append(wanted, drain(alone)...)
	}
	p, a := openBoth(t, path.Config{Rate: audio.Rate8k}, mask.Armed)
	heard, _, events := converse(p, a, c.samples, agent, 160)
	if !slices.Equal(heard, want) {
		t.Error("the agent hears something else")
	}
	for i := range events {
		if late := events[i].Decided - wanted[i].Decided; late < 0 || late > 160 {
			t.Errorf("event %d comes %d frames later", i, late)
		}
		events[i].Decided = wanted[i].Decided
	}
	if !slices.Equal(events, wanted) {
		t.Error("other events")
	}
}

// A caller whose agent's side has stopped still gets every key told, before its slot.
func TestStoppedAgentHoldsNoKeyBack(t *testing.T) {
	c := loadCall(t, "visa")
	p, _ := openBoth(t, path.Config{Rate: audio.Rate8k}, mask.Armed)
	_, events := flow(p, c.samples, 160)
	n := 0
	for _, e := range events {
		if e.Kind != path.Key {
			continue
		}
		n++
		if late := e.Decided - e.Start; late > audio.Position(480+p.Delay()) || e.Slot < e.Decided-audio.Position(p.Delay()) {
			t.Errorf("a key was told after %d frames", late)
		}
	}
	if n != len(c.keys) {
		t.Errorf("%d keys of %d", n, len(c.keys))
	}
}

func TestAgentAllocatesNothing(t *testing.T) {
	x, _, _ := agentsKeys(audio.Rate8k, 1, 5, 400, -15)
	p, a := openBoth(t, path.Config{Rate: audio.Rate8k}, mask.Armed)
	at, out := 0, make([]int16, 160)
	if n := testing.AllocsPerRun(80, func() {
		p.Write(x[at:][:160])
		a.Pass(x[at:][:160])
		p.Read(out)
		drainNothing(p)
		at = (at + 160) % (len(x) - 160)
	}); n != 0 {
		t.Errorf("%g allocations a period", n)
	}
}

func drainNothing(p *path.Path) {
	for _, ok := p.Next(); ok; _, ok = p.Next() {
	}
}
