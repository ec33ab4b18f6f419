package line

import (
	"errors"
	"math"
	"sync/atomic"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/ring"
)

// bridge joins the two sides of a line: the caller's sound takes the [path.Path], the agent's goes straight
// across, past the [path.Agent]. Each side's turn runs on its port's thread.
//
//	caller's port --turn--> path (look-ahead, mask) --turn--> agent's port
//	caller's port <--turn-- back ring (no look-ahead) <-- path's agent <--turn-- agent's port
type bridge struct {
	path  *path.Path
	other *path.Agent
	back  *ring.Ring
	cue   cue
	// agent is the mean square of the agent's leg, smoothed; float64 bits.
	agent atomic.Uint64
}

// backFrames is what the agent's side may run ahead of the caller's.
const backFrames = path.MaxBlock

func newBridge(p *path.Path, rate audio.Rate) (*bridge, error) {
	back, err := ring.New(backFrames)
	if err != nil {
		return nil, err
	}
	other, err := path.NewAgent(p)
	if err != nil {
		return nil, errors.Join(err, back.Close())
	}
	b := &bridge{path: p, other: other, back: back}
	b.cue.init(rate)
	return b, nil
}

// Close wipes and frees. Both ports must have stopped.
func (b *bridge) Close() error { return errors.Join(b.back.Close(), b.other.Close()) }

// callerTurn is the caller's hw.Turn.
func (b *bridge) callerTurn(in, out []int16) {
	b.path.Write(in)
	n := copy(out, b.back.Head(len(out)))
	b.back.Release(n)
	clear(out[n:])
	b.cue.mix(out, b.path.Position()-audio.Position(len(out)))
}

// agentTurn is the agent's hw.Turn.
func (b *bridge) agentTurn(in, out []int16) {
	b.path.Read(out)
	room := b.back.Tail(len(in))
	n := copy(room, in)
	b.other.Pass(room[:n])
	b.back.Commit(n)
	b.back.Judge(b.back.Written())
	b.meter(in)
}

// meter follows the agent's level with a time constant of about five periods.
func (b *bridge) meter(in []int16) {
	if len(in) == 0 {
		return
	}
	sum := 0.0
	for _, v := range in {
		sum += float64(v) * float64(v)
	}
	was := math.Float64frombits(b.agent.Load())
	b.agent.Store(math.Float64bits(was + 0.2*(sum/float64(len(in))-was)))
}

func (b *bridge) agentLevel() float64 { return audio.DBm0(math.Float64frombits(b.agent.Load())) }
