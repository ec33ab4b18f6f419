package line

import (
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/level"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/wire"
)

// A live line tells of each leg what its noise is and how much was clipped, and once each time what is wrong with how it comes in.
func TestLevelsOfALiveLine(t *testing.T) {
	const rate, period = audio.Rate8k, 80
	silent := func(int) int16 { return 0 }
	room := func(dBm0 float64) func(int) int16 {
		r := rand.New(rand.NewPCG(1, 2))
		rms := audio.Amplitude(dBm0) / math.Sqrt2
		return func(int) int16 { return int16(math.Round(rms * r.NormFloat64())) }
	}
	hoot := func(amplitude float64) func(int) int16 {
		return func(at int) int16 {
			return int16(max(math.MinInt16, min(math.MaxInt16, amplitude*math.Sin(2*math.Pi*97*float64(at)/float64(rate)))))
		}
	}
	type stretch struct {
		seconds       int
		caller, agent func(at int) int16
	}
	for name, c := range map[string]struct {
		toAgent float64
		heard   []stretch
		told    []wire.Input
		last    wire.Meters
	}{
		"rooms": {0, []stretch{{20, room(-60), room(-50)}}, nil, wire.Meters{CallerFloorDBm0: -60, AgentFloorDBm0: -50}},
		"a cable is out for a while": {0, []stretch{{15, silent, room(-50)}, {5, room(-60), room(-50)}},
			[]wire.Input{{Leg: "caller", Code: "input_dead"}, {Leg: "caller", Code: "ok"}}, wire.Meters{CallerFloorDBm0: -90, AgentFloorDBm0: -50}},
		"a microphone is muted": {0, []stretch{{15, room(-60), silent}},
			[]wire.Input{{Leg: "agent", Code: "input_dead"}}, wire.Meters{CallerFloorDBm0: -60, AgentFloorDBm0: -90}},
		"an agent is too loud, and then is not": {0, []stretch{{5, room(-60), hoot(40000)}, {70, room(-60), room(-50)}},
			[]wire.Input{{Leg: "agent", Code: "input_clips"}, {Leg: "agent", Code: "ok"}}, wire.Meters{CallerFloorDBm0: -60, AgentFloorDBm0: -50, AgentClipped: 1}},
		"a caller is too loud": {0, []stretch{{6, hoot(40000), room(-50)}},
			[]wire.Input{{Leg: "caller", Code: "input_clips"}}, wire.Meters{CallerFloorDBm0: -1, AgentFloorDBm0: -50, CallerClipped: 1}},
		"a caller is too loud for the gain": {20, []stretch{{6, hoot(8000), room(-50)}},
			[]wire.Input{{Leg: "caller", Code: "gain_clips"}}, wire.Meters{CallerFloorDBm0: -9, AgentFloorDBm0: -50, ToAgentClipped: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newTestBridge(t, rate)
				b.path.SetGrade(mask.Armed)
				b.toAgent.Set(c.toAgent)
				l := &Line{cfg: config.Line{Rate: rate, Sound: &config.Sound{}}, log: slog.New(slog.DiscardHandler), path: b.path, bridge: b,
					link: newLink("", wire.Hello{}, nil)}
				var told []wire.Input
				l.told.say = func(m wire.Message) { told = append(told, m.(wire.Input)) }
				l.link.queue = newQueue()
				var last wire.Meters
				ctx, stop := context.WithCancel(t.Context())
				var measuring sync.WaitGroup
				measuring.Go(func() { l.measure(ctx) })
				at := 0
				for _, s := range c.heard {
					for range s.seconds * int(rate) / period {
						caller, agent := make([]int16, period), make([]int16, period)
						for i := range caller {
							caller[i], agent[i] = s.caller(at), s.agent(at)
							at++
						}
						b.period(caller, agent)
						time.Sleep(10 * time.Millisecond)
						select {
						case o := <-l.link.queue.waits:
							last = o.message.(wire.Meters)
						default:
						}
					}
				}
				stop()
				measuring.Wait()
				if !slices.Equal(told, c.told) {
					t.Errorf("told %+v, want %+v", told, c.told)
				}
				if math.Abs(last.CallerFloorDBm0-c.last.CallerFloorDBm0) > 1 || math.Abs(last.AgentFloorDBm0-c.last.AgentFloorDBm0) > 1 ||
					(last.CallerClipped > 0) != (c.last.CallerClipped > 0) || (last.AgentClipped > 0) != (c.last.AgentClipped > 0) ||
					(last.ToAgentClipped > 0) != (c.last.ToAgentClipped > 0) || last.ToCallerClipped > 0 {
					t.Errorf("the meters are %+v, want about %+v", last, c.last)
				}
			})
		})
	}
}

// A flattoned that comes later is told how the inputs are.
func TestInputsAreToldAgain(t *testing.T) {
	var said []wire.Message
	say := func(m wire.Message) { said = append(said, m) }
	told := told{say: say}
	told.input(wire.Input{Leg: "caller", Code: "input_dead"})
	told.input(wire.Input{Leg: "caller", Code: "ok"})
	told.input(wire.Input{Leg: "agent", Code: "input_clips"})
	said = nil
	told.again(say, func() {})
	if len(said) != 2 || !slices.Contains(said, wire.Message(wire.Input{Leg: "caller", Code: "ok"})) ||
		!slices.Contains(said, wire.Message(wire.Input{Leg: "agent", Code: "input_clips"})) {
		t.Errorf("told again: %+v", said)
	}
}

// What a device is given is amplified last: the caller's sound and the flat tones that stand for his keys, the agent's sound and the cues.
func TestGainEachWay(t *testing.T) {
	const rate, period = audio.Rate8k, 160
	heard := func(toAgent, toCaller float64) (agentHears, callerHears []int16, b *bridge) {
		b = newTestBridge(t, rate)
		b.path.SetGrade(mask.Armed)
		b.toAgent.Set(toAgent)
		b.toCaller.Set(toCaller)
		b.cue.play(1600)
		said := keyed(visa)
		for at := 0; at+period <= len(said); at += period {
			agent := voice(at, period)
			for i := range agent {
				agent[i] /= 4
			}
			toCaller, toAgent := b.period(said[at:at+period], agent)
			agentHears, callerHears = append(agentHears, toAgent...), append(callerHears, toCaller...)
		}
		return agentHears, callerHears, b
	}
	agent, caller, plain := heard(0, 0)
	if s := plain.path.Stats(); s.MaskedFrames == 0 || slices.Max(agent) < int16(audio.Amplitude(-23)) {
		t.Fatal("no flat tone sounds, so this proves little")
	}
	amplified := func(x []int16, dB float64) []int16 {
		var g level.Gain
		g.Set(dB)
		x = slices.Clone(x)
		g.Apply(x)
		return x
	}
	for _, dB := range [][2]float64{{6, -6}, {-20, 3.5}, {20, 20}} {
		toAgent, toCaller, b := heard(dB[0], dB[1])
		if !slices.Equal(toAgent, amplified(agent, dB[0])) || !slices.Equal(toCaller, amplified(caller, dB[1])) {
			t.Errorf("%+g dB to the agent, %+g to the caller: one of them hears something else", dB[0], dB[1])
		}
		if at := b.path.Meter() - plain.path.Meter(); at != 0 {
			t.Errorf("the gain moves the meter by %.1f dB", at)
		}
	}
}
