package acceptance

import (
	"math"
	"slices"
)

// Name names a figure, in reports and to programs.
type Name string

// The figures.
const (
	MonitorsOpen  Name = "monitors_open"
	CallerDead    Name = "caller_dead"
	AgentDead     Name = "agent_dead"
	CallerFloor   Name = "caller_floor"
	AgentFloor    Name = "agent_floor"
	CallerOffset  Name = "caller_offset"
	AgentOffset   Name = "agent_offset"
	CallerClipped Name = "caller_clipped"
	AgentClipped  Name = "agent_clipped"

	CallerKeys        Name = "caller_keys"
	CallerKeysOnAgent Name = "caller_keys_on_agent"
	SoftestKey        Name = "softest_key"
	LoudestKey        Name = "loudest_key"
	Margin            Name = "margin"

	AgentKeys         Name = "agent_keys"
	AgentKeysOnCaller Name = "agent_keys_on_caller"

	CallerReturn      Name = "caller_return"
	CallerReturnDelay Name = "caller_return_delay"
	CallerToAgent     Name = "caller_to_agent"
	AgentReturn       Name = "agent_return"
	AgentReturnDelay  Name = "agent_return_delay"
	AgentToCaller     Name = "agent_to_caller"

	LoopGain   Name = "loop_gain"
	LoopFrames Name = "loop_frames"
	LoopTime   Name = "loop_time"

	LeakKeyed Name = "leak_keyed"
	LeakTones Name = "leak_tones"
	Leak      Name = "leak"
	LeakFloor Name = "leak_floor"
)

// bound is what a figure has to be.
type bound struct {
	name        Name
	what, unit  string
	least, most float64
}

func (b bound) holds(v float64) bool { return v >= b.least && v <= b.most } // which no NaN does

var none = math.Inf(1)

// bounds are those of every figure, in the order in which they are measured. Levels are those of a telephone line (ITU-T Q.552, G.122) with room for what headsets and
// offices add; what decides whether keys are heard or leak is tight.
var bounds = []bound{
	{MonitorsOpen, "ways open in the cards' mixers past the mask", "", 0, 0},
	{CallerDead, "caller's input dead: every frame the same", "", 0, 0},
	{AgentDead, "agent's input dead: every frame the same", "", 0, 0},
	// The mask's noise follows a line's own no further than this, and above it masks would be heard for what they are.
	{CallerFloor, "caller's line, while nobody speaks", "dBm0", -none, -42},
	{AgentFloor, "agent's side, while nobody speaks", "dBm0", -none, -30},
	{CallerOffset, "caller's line, offset", "%", -2, 2},
	{AgentOffset, "agent's side, offset", "%", -2, 2},
	{CallerClipped, "caller's line, frames at full scale", "", 0, 0},
	{AgentClipped, "agent's side, frames at full scale", "", 0, 0},

	{CallerKeys, "caller's keys, seen on his leg", "", CallerPresses, none},
	{CallerKeysOnAgent, "caller's keys, seen on the agent's leg", "", 0, 0},
	// Both tones together: a receiver must take -25 dBm0 for each (Q.24), and full scale is +3.
	{SoftestKey, "the softest of them", "dBm0", -30, none},
	{LoudestKey, "the loudest of them", "dBm0", -none, 0},
	// What codec_poor goes by too.
	{Margin, "masking margin: least look-ahead left before a key", "ms", 3, none},

	{AgentKeys, "agent's keys, seen on his leg", "", AgentPresses, none},
	{AgentKeysOnCaller, "agent's keys, seen on the caller's leg as his", "", 0, 0},

	{CallerReturn, "echo from the caller's line", "dB", -none, -6},
	{CallerReturnDelay, "its delay", "ms", -none, none},
	{CallerToAgent, "the same sound on the agent's leg", "dB", -none, -40},
	{AgentReturn, "echo from the agent's side", "dB", -none, -6},
	{AgentReturnDelay, "its delay", "ms", -none, none},
	{AgentToCaller, "the same sound on the caller's leg", "dB", -none, -40},

	{LoopGain, "agent's output to his input by cable", "dB", LeastLoopDB, 20},
	{LoopFrames, "round trip through the agent's device", "frames", -none, none},
	{LoopTime, "the same in time", "ms", -none, none},

	{LeakKeyed, "tones at the caller's input", "dBm0", -30, none},
	{LeakTones, "frequencies of eight that were keyed", "", LeakTonesLeast, 8},
	{Leak, "of these past the shut mask, at the agent's output", "dBm0", -none, -85},
	{LeakFloor, "of which noise alone would seem to be", "dBm0", -none, -88},
}

// What the persons at the telephones have to do, at least.
const (
	CallerPresses = 8
	AgentPresses  = 3
	// LeakSeconds is for how long keys have to sound while the mask is shut, LeakTonesLeast how many frequencies a telephone's twelve keys have.
	LeakSeconds    = 5
	LeakTonesLeast = 7
	// LeastLoopDB is how much of a cable's loop has to come back.
	LeastLoopDB = -20
)

// Names are those of all figures that a report must have, in the order in which they are measured.
func Names() (names []Name) {
	for _, b := range bounds {
		names = append(names, b.name)
	}
	return names
}

// boundOf is a figure's.
func boundOf(name Name) bound {
	if i := slices.IndexFunc(bounds, func(b bound) bool { return b.name == name }); i >= 0 {
		return bounds[i]
	}
	return bound{}
}
