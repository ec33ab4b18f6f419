package tune

import (
	"math"
	"time"

	"github.com/flattone/flattone/audio/probe"
	"github.com/flattone/flattone/daemon/acceptance"
)

// quiet listens to both legs while nobody speaks.
func (t *tuner) quiet(l *listener) {
	caller, agent := probe.NewQuiet(t.rate), probe.NewQuiet(t.rate)
	want := t.rate.Frames(quietTime)
	for caller.Frames() < want {
		l.tell(int(t.rate.Duration(int64(caller.Frames()))/time.Second), int(quietTime/time.Second))
		x, y, ok := l.next()
		if !ok {
			return
		}
		caller.Write(x)
		agent.Write(y)
	}
	one := map[bool]float64{true: 1}
	t.measured(acceptance.CallerDead, one[caller.Dead()])
	t.measured(acceptance.AgentDead, one[agent.Dead()])
	t.measured(acceptance.CallerFloor, caller.FloorDBm0())
	t.measured(acceptance.AgentFloor, agent.FloorDBm0())
	t.measured(acceptance.CallerOffset, 100*caller.Offset())
	t.measured(acceptance.AgentOffset, 100*agent.Offset())
	t.measured(acceptance.CallerClipped, float64(caller.Clipped()))
	t.measured(acceptance.AgentClipped, float64(agent.Clipped()))
}

// callerKeys waits for keys on the caller's leg. One on the agent's ends it: the legs are swapped or coupled.
func (t *tuner) callerKeys(l *listener) {
	first := t.caller.keys
	t.keys(l, acceptance.CallerPresses, func() (seen, wrong int) { return t.caller.keys - first, t.agent.keys })
	if l.failed != "" {
		return
	}
	t.measured(acceptance.CallerKeys, float64(t.caller.keys-first))
	t.measured(acceptance.CallerKeysOnAgent, float64(t.agent.keys))
	if t.caller.keys > first {
		t.measured(acceptance.SoftestKey, t.caller.softest)
		t.measured(acceptance.LoudestKey, t.caller.loudest)
		t.measured(acceptance.Margin, t.ms(t.caller.margin))
	}
}

// agentKeys waits for keys on the agent's leg. One on the caller's that isn't their echo ends it.
func (t *tuner) agentKeys(l *listener) {
	seen, wrong := t.agent.keys, t.caller.keys
	t.keys(l, acceptance.AgentPresses, func() (int, int) { return t.agent.keys - seen, t.caller.keys - wrong })
	if l.failed != "" {
		return
	}
	t.measured(acceptance.AgentKeys, float64(t.agent.keys-seen))
	t.measured(acceptance.AgentKeysOnCaller, float64(t.caller.keys-wrong))
}

// settleTime is how long after the last press both legs are still listened to: for its end, and for what comes late of it on the wrong one.
const settleTime = 500 * time.Millisecond

// keys waits for so many keys where they belong, or for one where it doesn't.
func (t *tuner) keys(l *listener, want int, count func() (seen, wrong int)) {
	rest := t.rate.Frames(settleTime)
	for rest > 0 {
		x, y, ok := l.next()
		if !ok {
			return
		}
		t.caller.write(x, y)
		t.agent.write(y, nil)
		seen, wrong := count()
		l.tell(seen, want)
		if seen >= want || wrong > 0 {
			rest -= len(x)
		}
	}
}

// echo plays the probe to the caller and then to the agent, and listens on both legs.
func (t *tuner) echo(l *listener) {
	tap := t.deps.Tap
	for i, side := range []struct {
		to, from             *Leg
		back, delay, through acceptance.Name
	}{
		{tap.Caller, tap.Agent, acceptance.CallerReturn, acceptance.CallerReturnDelay, acceptance.CallerToAgent},
		{tap.Agent, tap.Caller, acceptance.AgentReturn, acceptance.AgentReturnDelay, acceptance.AgentToCaller},
	} {
		l.tell(i, 2)
		back, through, ok := t.sound(l, side.to, side.from)
		if !ok {
			return
		}
		t.measured(side.back, back.GainDB)
		t.measured(side.delay, t.ms(back.Frames))
		t.measured(side.through, through.GainDB)
		t.echoDB = back.GainDB // the agent's, in the end
	}
}

const (
	// overEcho is by how much a cable's loop has to be louder than the agent's echo without it.
	overEcho = 6.0
	// Two probes have to agree so far, or the cable was being put in during one.
	alikeDB     = 1.0
	alikeFrames = 2
)

// loop plays the probe to the agent until it comes back by the cable, twice alike.
func (t *tuner) loop(l *listener) {
	before := probe.Echo{}
	for tries := 0; ; tries++ {
		l.tell(min(tries, 1), 2)
		now, _, ok := t.sound(l, t.deps.Tap.Agent, t.deps.Tap.Caller)
		if !ok {
			return
		}
		looped := now.Heard && now.GainDB >= max(acceptance.LeastLoopDB, t.echoDB+overEcho)
		if looped && before.Heard && math.Abs(now.GainDB-before.GainDB) <= alikeDB && max(now.Frames-before.Frames, before.Frames-now.Frames) <= alikeFrames {
			t.loopDB = now.GainDB
			t.measured(acceptance.LoopGain, now.GainDB)
			t.measured(acceptance.LoopFrames, float64(now.Frames))
			t.measured(acceptance.LoopTime, t.ms(now.Frames))
			return
		}
		if before = now; !looped {
			before, tries = probe.Echo{}, -1
		}
	}
}

// leak has the caller key while the mask is shut, and looks for those keys at the agent's input. It goes on until the keys were heard for long
// enough to tell that none gets past, or that some does; what can't be told in the time there is counts as a leak.
func (t *tuner) leak(l *listener) {
	before := t.caller.sounded
	for {
		sounded := t.rate.Duration(int64(t.caller.sounded - before))
		l.tell(int(sounded/time.Second), acceptance.LeakSeconds)
		enough := sounded >= acceptance.LeakSeconds*time.Second && t.leaks.Tones() >= acceptance.LeakTonesLeast
		if enough && t.leakTold() {
			break
		}
		x, y, ok := l.next()
		if !ok && enough && l.failed == TimedOut {
			l.failed = ""
			break
		}
		if !ok {
			return
		}
		t.caller.write(x, nil) // what comes by the cable is no agent's
		t.leaks.Write(x, y)
		if l.torn() { // a gap of a device is no reason: it keeps its place
			t.leaks.Reset()
			before = t.caller.sounded
		}
	}
	level, floor := t.leaks.HeardDBm0()
	t.measured(acceptance.LeakKeyed, t.leaks.KeyedDBm0())
	t.measured(acceptance.LeakTones, float64(t.leaks.Tones()))
	t.measured(acceptance.Leak, level-t.loopDB)
	t.measured(acceptance.LeakFloor, floor-t.loopDB)
}

// leakTold reports whether it can be told that none of the keys gets past the mask, or that some does.
func (t *tuner) leakTold() bool {
	level, floor := t.leaks.HeardDBm0()
	shut := acceptance.Measured(acceptance.Leak, level-t.loopDB).Good && acceptance.Measured(acceptance.LeakFloor, floor-t.loopDB).Good
	return shut || level > floor+certain
}

// certain is by how much a leak has to stand out of what noise would seem to leak to be one: until then the keys go on. The greatest of up to a few
// thousand sums is taken, and the greatest of so many noises exceeds their mean by as much once in a thousand times.
const certain = 12.0
