package line

import (
	"context"
	"math"
	"time"

	"github.com/flattone/flattone/audio/level"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/wire"
)

// meterEvery is how often levels are told.
const meterEvery = time.Second / level.BlocksPerSecond

// jumpsTold is how many ticks lie at least between two words of devices that were brought into step: bad ones must be, many times a second.
const jumpsTold = 10 * level.BlocksPerSecond

// measure tells the levels ten times a second, and once a second how the inputs of a live line are.
func (l *Line) measure(ctx context.Context) error {
	tick := time.NewTicker(meterEvery)
	defer tick.Stop()
	var before path.Stats
	jumps := int64(2) // both ways, when the devices begin
	callers, agents, apart := input{leg: "caller"}, input{leg: "agent"}, clocks{}
	callerStill, agentStill := &l.bridge.callerStill, &l.bridge.agentStill
	if l.phones.caller != nil {
		callerStill = nil
	}
	if l.phones.agent != nil {
		agentStill = nil
	}
	steady := 0 // ticks since it was told that the devices were brought into step
	for ticks := 1; ; ticks++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := l.path.Stats()
		masked := 0
		if frames := now.Frames - before.Frames; frames > 0 {
			masked = int(1000 * (now.MaskedFrames - before.MaskedFrames) / frames)
		}
		if now.Faults > before.Faults {
			l.log.Error("the sample path had to stand in for what it did not get", "faults", now.Faults)
		}
		before = now
		n, ppm := l.bridge.jumps()
		if steady++; n > jumps && steady >= jumpsTold {
			jumps, steady = n, 0
			l.log.Warn("the two devices were brought into step anew, after a gap in the sound of either", "times", n, "ppm", round(ppm))
		}
		b := l.bridge
		m := wire.Meters{CallerDBm0: round(l.path.Meter()), AgentDBm0: round(b.agent.Level()), MaskedPermille: min(1000, masked),
			CallerFloorDBm0: whole(l.path.Floor()), AgentFloorDBm0: whole(b.agent.Floor()), CallerClipped: now.Clipped, AgentClipped: b.agent.Clipped(),
			ToAgentClipped: b.toAgent.Clipped(), ToCallerClipped: b.toCaller.Clipped()}
		l.link.say(m)
		if l.cfg.Live() && ticks%level.BlocksPerSecond == 0 { // recordings may be silent as they please
			callers.apart = apart.second(ppm)
			l.judge(&callers, m.CallerClipped, m.ToAgentClipped, callerStill)
			l.judge(&agents, m.AgentClipped, m.ToCallerClipped, agentStill)
		}
	}
}

// judge tells how a leg's input is, when that has changed. Of a modem, still is nil: there is nothing to hear without a call, and a call without sound
// it tells of itself.
func (l *Line) judge(in *input, clipped, gainClipped int64, still *level.Still) {
	before, stood := in.code, time.Duration(0)
	if still != nil {
		stood = l.cfg.Rate.Duration(still.Frames())
	}
	if in.second(clipped, gainClipped, stood); in.code == before {
		return
	}
	if in.code == capture.OK {
		l.log.Info("a leg's sound comes in as it should again", "leg", in.leg)
	} else {
		l.log.Warn("a leg's sound doesn't come in as it should", "leg", in.leg, "code", in.code)
	}
	l.told.input(wire.Input{Leg: in.leg, Code: string(in.code)})
}

// round keeps a tenth of a decibel.
func round(dB float64) float64 { return float64(int(dB*10)) / 10 }

// whole is a floor to the decibel; 0, which none can be, stands for one that isn't known.
func whole(dBm0 float64) float64 {
	if math.IsInf(dBm0, 0) {
		return 0
	}
	return math.Round(min(dBm0, -1))
}
