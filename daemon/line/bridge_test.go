package line

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/resample"
	"github.com/flattone/flattone/daemon/tune"
	"github.com/flattone/flattone/hw"
)

// newTestBridge is a bridge of an idle line that passes everything.
func newTestBridge(t testing.TB, rate audio.Rate) *bridge { return newBridgeOf(t, rate, true) }

func newBridgeOf(t testing.TB, rate audio.Rate, oneClock bool) *bridge {
	t.Helper()
	return newBridgeOver(t, path.Config{Rate: rate, Idle: mask.Pass}, oneClock)
}

func newBridgeOver(t testing.TB, cfg path.Config, oneClock bool) *bridge {
	t.Helper()
	p, err := path.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBridge(p, cfg.Rate, oneClock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	p.SetGrade(mask.Idle)
	return b
}

// oneClock is one period of both sides, as a line on one clock has it; nil is a period that was lost.
func oneClock(b *bridge, caller, agent, callerHears, agentHears []int16) {
	take(callerSide{b}, caller, len(callerHears))
	take(agentSide{b}, agent, len(agentHears))
	agentSide{b}.Fill(agentHears)
	callerSide{b}.Fill(callerHears)
}

func take(turn hw.Turn, in []int16, frames int) {
	if in == nil {
		turn.Lost(frames)
		return
	}
	turn.Take(in)
}

// period is one period of both sides on one clock.
func (b *bridge) period(caller, agent []int16) (callerHears, agentHears []int16) {
	callerHears, agentHears = make([]int16, len(caller)), make([]int16, len(agent))
	oneClock(b, caller, agent, callerHears, agentHears)
	return callerHears, agentHears
}

// voice is sound whose every frame can be told from its neighbours: n frames from frame at on.
func voice(at, n int) []int16 {
	out := make([]int16, n)
	for i := range out {
		out[i] = int16((at+i)*7919%20000 - 10000)
	}
	return out
}

func TestBothSidesHearEachOtherUntouched(t *testing.T) {
	for _, test := range []struct {
		rate   audio.Rate
		period int
	}{{audio.Rate8k, 160}, {audio.Rate8k, 1}, {audio.Rate44k, 309}, {audio.Rate48k, path.MaxBlock}} {
		b := newTestBridge(t, test.rate)
		var agentSaid, callerSaid, callerHeard, agentHeard []int16
		for at := 0; at < 4*path.MaxBlock; at += test.period {
			caller, agent := voice(at, test.period), voice(at+5000, test.period)
			toCaller, toAgent := b.period(caller, agent)
			callerSaid, agentSaid = append(callerSaid, caller...), append(agentSaid, agent...)
			callerHeard, agentHeard = append(callerHeard, toCaller...), append(agentHeard, toAgent...)
		}
		if !slices.Equal(callerHeard, agentSaid) {
			t.Errorf("%v, periods of %d: the caller doesn't hear the agent at once, bit for bit", test.rate, test.period)
		}
		if late := test.rate.Frames(30 * time.Millisecond); !slices.Equal(agentHeard[late:], callerSaid[:len(callerSaid)-late]) {
			t.Errorf("%v, periods of %d: the agent doesn't hear the caller one look-ahead later, bit for bit", test.rate, test.period)
		}
		if f := b.path.Stats().Faults; f != 0 {
			t.Errorf("%v, periods of %d: %d faults", test.rate, test.period, f)
		}
	}
}

// Two devices whose clocks differ: each side hears all of the other's tone, at an even level, and no sooner or later as time goes on.
func TestTwoClocks(t *testing.T) {
	for _, ppm := range []float64{300, -300} {
		synctest.Test(t, func(t *testing.T) {
			b := newBridgeOf(t, audio.Rate48k, false)
			heard := b.apart(60, ppm, func(int, float64) bool { return false })
			if f := b.path.Stats().Faults; f != 0 {
				t.Errorf("%d faults", f)
			}
			for _, way := range []*resample.Joint{b.down, b.up} {
				if jumps, missing := way.Jumps(), way.Missing(); jumps != 1 || missing != 0 {
					t.Errorf("%+.0f ppm: %d jumps, the first included, and %d frames missing", ppm, jumps, missing)
				}
			}
			for side, x := range heard {
				evenTone(t, fmt.Sprintf("%+.0f ppm: side %d", ppm, side), x, time.Second)
			}
		})
	}
}

// A device that stood still for longer than what is held for it, and is back, hears the other side again and is heard.
func TestASideThatStoodStill(t *testing.T) {
	for stood := range 2 {
		synctest.Test(t, func(t *testing.T) {
			b := newBridgeOf(t, audio.Rate48k, false)
			const from, until = 1, 1.4
			heard := b.apart(3, 100, func(side int, at float64) bool { return side == stood && at >= from && at < until })
			for side, x := range heard {
				after := 1700 * time.Millisecond
				if side == stood {
					after -= 400 * time.Millisecond // of which nothing is in x
				}
				evenTone(t, fmt.Sprintf("side %d stood still, side %d", stood, side), x, after)
			}
		})
	}
}

// apart runs both sides for some seconds, the caller's clock ppm faster, each saying a tone of amplitude 10000. A side that stands takes no turn.
func (b *bridge) apart(seconds, ppm float64, stands func(side int, at float64) bool) (heard [2][]int16) {
	const rate, period = audio.Rate48k, 128
	began := time.Now()
	run := func(side int, ppm float64, turn hw.Turn) {
		in, out := make([]int16, period), make([]int16, period)
		length := float64(period) / float64(rate) / (1 + ppm*1e-6)
		for n := range int(seconds / length) {
			time.Sleep(time.Until(began.Add(time.Duration(float64(n+1) * length * 1e9))))
			if stands(side, float64(n+1)*length) {
				continue
			}
			for i := range in {
				in[i] = int16(10000 * math.Sin(2*math.Pi*300/float64(rate)*float64(n*period+i)))
			}
			turn.Take(in)
			turn.Fill(out)
			heard[side] = append(heard[side], out...)
		}
	}
	var sides sync.WaitGroup
	sides.Go(func() { run(0, ppm, callerSide{b}) })
	sides.Go(func() { run(1, 0, agentSide{b}) })
	sides.Wait()
	return heard
}

// evenTone fails unless that tone is in x from a time on.
func evenTone(t *testing.T, who string, x []int16, from time.Duration) {
	t.Helper()
	const rate = audio.Rate48k
	for at := rate.Frames(from); at+480 <= len(x); at += 480 { // three periods of the tone, about
		if level := math.Sqrt(2 * meanSquare(x[at:][:480])); math.Abs(level-10000) > 100 {
			t.Fatalf("%s hears a level of %.0f at %.3f s", who, level, float64(at)/float64(rate))
		}
	}
}

func meanSquare(x []int16) (mean float64) {
	for _, v := range x {
		mean += float64(v) * float64(v) / float64(len(x))
	}
	return mean
}

// A period that the caller's device lost is masked, with what is held before it; one of the agent's is silence. Neither moves anything that follows.
func TestLostPeriods(t *testing.T) {
	b := newTestBridge(t, audio.Rate8k)
	b.path.SetGrade(mask.Armed)
	const period, lost = 160, 20
	var agentHeard, callerHeard []int16
	for n := range 40 {
		caller, agent := voice(n*period, period), voice(n*period, period)
		toCaller, toAgent := make([]int16, period), make([]int16, period)
		if n == lost {
			caller, agent = nil, nil
		}
		oneClock(b, caller, agent, toCaller, toAgent)
		callerHeard, agentHeard = append(callerHeard, toCaller...), append(agentHeard, toAgent...)
	}
	late := audio.Rate8k.Frames(30 * time.Millisecond)
	for i := range period {
		if at := lost*period + i; agentHeard[at+late] == voice(at, 1)[0] && agentHeard[at+late] != 0 || callerHeard[at] != 0 {
			t.Fatalf("frame %d of a lost period is heard", i)
		}
	}
	if at := lost*period - 8; slices.Equal(agentHeard[at+late:][:8], voice(at, 8)) {
		t.Error("what was held before the loss is heard")
	}
	if at := 37 * period; !slices.Equal(agentHeard[at+late:][:period], voice(at, period)) || !slices.Equal(callerHeard[at:][:period], voice(at, period)) {
		t.Error("what follows isn't where it belongs")
	}
}

// Whoever is away is stood in for by silence, and nobody is blocked.
func TestOneSideAlone(t *testing.T) {
	b := newTestBridge(t, audio.Rate8k)
	out := voice(0, 160)
	callerSide{b}.Take(make([]int16, 160))
	callerSide{b}.Fill(out)
	if slices.ContainsFunc(out, func(v int16) bool { return v != 0 }) {
		t.Error("a caller without an agent hears something")
	}
	for range 2 * backFrames / 160 {
		agentSide{b}.Take(voice(0, 160))
		agentSide{b}.Fill(out)
	}
	if n := int(b.back.Written() - b.back.Read()); n > b.back.Frames() {
		t.Errorf("%d frames wait for a caller who is away", n)
	}
}

func TestCueTick(t *testing.T) {
	const period = 160
	loud := slices.Repeat([]int16{math.MaxInt16}, period)
	for name, test := range map[string]struct {
		period int
		asked  map[int]audio.Position // by the period before which it is asked for
		heard  []audio.Position
		agent  func(at, n int) []int16
	}{
		"not asked for":                     {heard: nil},
		"on a period's edge":                {asked: map[int]audio.Position{1: 800}, heard: []audio.Position{800}},
		"across periods":                    {asked: map[int]audio.Position{1: 801}, heard: []audio.Position{801}},
		"within one period":                 {period: 1024, asked: map[int]audio.Position{0: 1200}, heard: []audio.Position{1200}},
		"at the last moment":                {asked: map[int]audio.Position{5: 800}, heard: []audio.Position{800}},
		"too late":                          {asked: map[int]audio.Position{6: 800}, heard: nil},
		"late by a part":                    {asked: map[int]audio.Position{6: 959}, heard: nil},
		"late, and the next in time":        {asked: map[int]audio.Position{6: 800, 7: 1600}, heard: []audio.Position{1600}},
		"the next before the first sounds":  {asked: map[int]audio.Position{1: 800, 5: 1600}, heard: []audio.Position{800, 1600}},
		"the next while the first sounds":   {asked: map[int]audio.Position{1: 840, 6: 1640}, heard: []audio.Position{840, 1640}},
		"the next once the first has ended": {asked: map[int]audio.Position{1: 800, 7: 1600}, heard: []audio.Position{800, 1600}},
		"over a loud agent":                 {asked: map[int]audio.Position{1: 800}, heard: []audio.Position{800}, agent: func(int, int) []int16 { return loud }},
	} {
		t.Run(name, func(t *testing.T) {
			if test.period == 0 {
				test.period = period
			}
			if test.agent == nil {
				test.agent = voice
			}
			b := newTestBridge(t, audio.Rate8k)
			var heard []int16
			var want []int16
			for i := range 4000 / test.period {
				if at, ok := test.asked[i]; ok {
					b.cue.play(at)
				}
				agent := test.agent(i*test.period, test.period)
				toCaller, _ := b.period(make([]int16, test.period), agent)
				heard, want = append(heard, toCaller...), append(want, agent...)
			}
			for _, at := range test.heard {
				for i, v := range b.cue.tick {
					want[int(at)+i] = int16(min(math.MaxInt16, int(want[int(at)+i])+int(v)))
				}
			}
			if !slices.Equal(heard, want) {
				t.Error("the caller doesn't hear the agent, and the ticks that were asked for in time")
			}
		})
	}
}

// A cue must not sound like a key, nor like the end of anything: one soft sine with soft edges, and short enough
// for a slot.
func TestCueTickIsSoftAndShort(t *testing.T) {
	for _, rate := range []audio.Rate{audio.Rate8k, audio.Rate16k, audio.Rate44k, audio.Rate48k} {
		var c cue
		c.init(rate)
		loudest := int16(0)
		for _, v := range c.tick {
			loudest = max(loudest, v, -v)
		}
		if d := rate.Duration(int64(len(c.tick))); d != 20*time.Millisecond {
			t.Errorf("%v: the tick lasts %v", rate, d)
		}
		if limit := audio.Amplitude(cueDBm0); loudest < int16(limit*0.8) || float64(loudest) > limit+1 {
			t.Errorf("%v: the tick's peak is %d, want about %.0f", rate, loudest, limit)
		}
		if first, last := c.tick[0], c.tick[len(c.tick)-1]; max(first, -first, last, -last) > 20 {
			t.Errorf("%v: the tick begins or ends with a click", rate)
		}
	}
}

func TestTurnsAllocateNothing(t *testing.T) {
	for _, test := range []struct {
		rate   audio.Rate
		blocks []int
	}{{audio.Rate8k, []int{1, 80, 160, 240}}, {audio.Rate16k, []int{320}}, {audio.Rate44k, []int{309, 882}}, {audio.Rate48k, []int{64, 480, 960}}} {
		for _, n := range test.blocks {
			b := newTestBridge(t, test.rate)
			b.toAgent.Set(12)
			b.toCaller.Set(-12)
			in, out := voice(0, n), make([]int16, n)
			if n%80 == 0 { // and while it is tuned
				tap, err := tune.NewTap(test.rate)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { tap.Close() })
				b.tap.Store(tap)
			}
			if got := testing.AllocsPerRun(300, func() {
				b.cue.play(b.path.Position() + audio.Position(n/2))
				oneClock(b, in, in, out, out)
			}); got != 0 {
				t.Errorf("%v, periods of %d: %g allocations in a pair of turns", test.rate, n, got)
			}
		}
	}
}

// The ports' threads and the session's goroutine share the bridge. What each side hears is what the other said, in
// order: frames may be missing or come late where the threads don't keep step, but none is torn, repeated
// or moved.
func TestTwoThreads(t *testing.T) {
	const rounds, period = 2000, 160
	b := newTestBridge(t, audio.Rate8k)
	counted := func(k int) []int16 {
		return slices.Repeat([]int16{int16(k + 1)}, period)
	}
	var heard []int16
	var threads sync.WaitGroup
	threads.Go(func() {
		out := make([]int16, period)
		for range rounds {
			callerSide{b}.Take(make([]int16, period))
			callerSide{b}.Fill(out)
			heard = append(heard, out...)
		}
	})
	threads.Go(func() {
		out := make([]int16, period)
		for k := range rounds {
			agentSide{b}.Take(counted(k))
			agentSide{b}.Fill(out)
		}
	})
	threads.Go(func() { // as the session and measure do
		for range rounds {
			b.cue.play(1 << 40)
			b.agent.Level()
		}
	})
	threads.Wait()
	last, run := int16(0), 0
	for _, v := range heard {
		switch {
		case v == 0:
		case v < last:
			t.Fatalf("period %d is heard after %d", v, last)
		case v > last:
			last, run = v, 1
		default:
			if run++; run > period {
				t.Fatalf("period %d is heard longer than it was said", v)
			}
		}
	}
}

func TestAgentsLevel(t *testing.T) {
	b := newTestBridge(t, audio.Rate8k)
	if got := b.agent.Level(); got != -90 {
		t.Errorf("before any sound the level is %g", got)
	}
	square := slices.Repeat([]int16{1000, -1000}, 80)
	for range 50 {
		b.period(square, square)
	}
	if got, want := b.agent.Level(), audio.DBm0(1e6); math.Abs(got-want) > 0.1 {
		t.Errorf("the level is %.1f dBm0, want %.1f", got, want)
	}
	agentSide{b}.Take(nil)
	if math.IsNaN(b.agent.Level()) {
		t.Error("an empty period breaks the meter")
	}
}
