package line

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/level"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/resample"
	"github.com/flattone/flattone/audio/ring"
	"github.com/flattone/flattone/daemon/recording"
	"github.com/flattone/flattone/daemon/tune"
)

// bridge joins the two sides of a line: the caller's sound takes the [path.Path], the agent's goes straight
// across, past the [path.Agent]. Each side's turn runs on its port's thread.
//
//	caller's port --Take--> path (look-ahead, mask) --down--> --Fill--> agent's port
//	caller's port <--Fill-- <--up-- back ring (no look-ahead) <-- path's agent <--Take-- agent's port
//
// Where the sides share a clock, down and up are not there, and samples pass bit for bit.
type bridge struct {
	path     *path.Path
	other    *path.Agent
	back     *ring.Ring
	down, up *resample.Joint
	now      func() time.Duration // since some moment
	ears     *ears                // nil where nobody listens
	cue      cue
	bell     bell
	speech   speech
	dialer   dialer
	// The two legs as they come in: the path knows what else may be told of the caller's.
	agent                   *level.Meter
	callerStill, agentStill level.Still
	// What a device is given is amplified last, flat tones, cues and ringing with it.
	toAgent, toCaller level.Gain
	// tap, while the line is tuned, hears what comes in on either leg and has its own sounds played.
	tap atomic.Pointer[tune.Tap]
	// recorded is what the agent's device gives and gets, for who records it; nil where nobody does.
	recorded *recording.Tap
}

// backFrames is what the agent's side may run ahead of the caller's.
const backFrames = path.MaxBlock

func newBridge(p *path.Path, rate audio.Rate, oneClock bool) (*bridge, error) {
	back, err := ring.New(backFrames)
	if err != nil {
		return nil, err
	}
	other, err := path.NewAgent(p)
	if err != nil {
		return nil, errors.Join(err, back.Close())
	}
	began := time.Now()
	b := &bridge{path: p, other: other, back: back, now: func() time.Duration { return time.Since(began) }, agent: level.NewMeter(rate)}
	b.cue.init(rate)
	b.bell.init(rate)
	b.dialer.rate = rate
	if !oneClock {
		b.down, b.up = resample.New(rate, p), resample.New(rate, returning{back})
	}
	return b, nil
}

// returning is the back ring, as its reader sees it.
type returning struct{ ring *ring.Ring }

func (r returning) Position() audio.Position { return r.ring.Judged() }

// Read fills out whole: with silence, where there is nothing yet.
func (r returning) Read(out []int16) {
	n := copy(out, r.ring.Head(len(out)))
	r.ring.Release(n)
	clear(out[n:])
}

// Close wipes and frees. Both ports must have stopped.
func (b *bridge) Close() error { return errors.Join(b.back.Close(), b.other.Close()) }

// callerSide and agentSide are a bridge as their port takes turns with it.
type (
	callerSide struct{ *bridge }
	agentSide  struct{ *bridge }
)

func (b callerSide) Take(in []int16) {
	if tap := b.tap.Load(); tap != nil {
		tap.Caller.Take(in)
	}
	b.path.Write(in)
	b.callerStill.Write(in)
	if b.ears != nil {
		b.ears.callers.Write(in)
	}
	b.taken()
}

func (b callerSide) Lost(frames int) {
	if tap := b.tap.Load(); tap != nil {
		tap.Caller.Lost(frames)
	}
	b.path.Lost(frames)
	b.taken()
}

func (b callerSide) taken() {
	if b.down != nil {
		b.down.Wrote(b.now())
	}
}

func (b callerSide) Fill(out []int16) {
	if b.up != nil {
		b.up.Read(out, b.now())
	} else {
		returning{b.back}.Read(out)
	}
	b.cue.mix(out, b.path.Position()-audio.Position(len(out)))
	b.dialer.mix(out)
	b.toCaller.Apply(out)
	if tap := b.tap.Load(); tap != nil {
		tap.Caller.Fill(out)
	}
}

func (b agentSide) Take(in []int16) {
	if b.recorded != nil {
		b.recorded.Take(in)
	}
	if tap := b.tap.Load(); tap != nil {
		tap.Agent.Take(in)
	}
	room := b.back.Tail(len(in))
	copy(room, in)
	b.pass(room)
	b.agent.Write(in)
	b.agentStill.Write(in)
	if b.ears != nil {
		b.ears.agents.Write(in)
	}
}

// Lost passes silence.
func (b agentSide) Lost(frames int) {
	if b.recorded != nil {
		b.recorded.Lost(frames)
	}
	if tap := b.tap.Load(); tap != nil {
		tap.Agent.Lost(frames)
	}
	room := b.back.Tail(frames)
	clear(room)
	b.pass(room)
}

func (b agentSide) pass(room []int16) {
	b.other.Pass(room)
	b.back.Commit(len(room))
	b.back.Judge(b.back.Written())
	if b.up != nil {
		b.up.Wrote(b.now())
	}
}

func (b agentSide) Fill(out []int16) {
	if b.down != nil {
		b.down.Read(out, b.now())
	} else {
		b.path.Read(out)
	}
	b.speech.instead(out)
	b.bell.mix(out)
	b.toAgent.Apply(out)
	if tap := b.tap.Load(); tap != nil {
		tap.Agent.Fill(out)
	}
	if b.recorded != nil {
		b.recorded.Fill(out) // last: nothing is recorded but what the agent gets
	}
}

// jumps is how often the two devices had to be brought into step anew, and ppm by how much the caller's clock is fast; both are 0 on one clock.
func (b *bridge) jumps() (n int64, ppm float64) {
	if b.down == nil {
		return 0, 0
	}
	return b.down.Jumps() + b.up.Jumps(), b.down.PPM()
}
