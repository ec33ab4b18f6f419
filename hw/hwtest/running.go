package hwtest

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/hw"
)

const (
	// materialFrames is several turns of any interface and no whole number of them.
	materialFrames = 4001
	// goalFrames is how long a line runs to have played the material, the silence before it included.
	goalFrames = 3 * materialFrames
)

func noise(frames int, seed uint64) []int16 {
	r := rand.New(rand.NewPCG(seed, 0))
	x := make([]int16, frames)
	for i := range x {
		x[i] = int16(r.Uint32())
	}
	return x
}

// running is a Rig whose ports are driven, and what was seen of them.
type running struct {
	Rig
	material      Material
	caller, agent *side
	// turned, if set, is called at the end of each turn.
	turned func(s *side)
	faults chan string // the first one is kept
}

// side is one port. Its plain fields belong to the port's thread until done is closed.
type side struct {
	name    string
	port    hw.Port
	rate    audio.Rate
	cancel  context.CancelFunc
	in      []int16 // what the far end said
	out     []int16 // what the turns filled
	longest int     // turn, in frames
	filled  int     // frames
	err     error

	turns   atomic.Int64
	busy    atomic.Bool
	stopped atomic.Bool
	goal    chan struct{} // closed when goalFrames have been played
	done    chan struct{} // closed when Run has returned
}

func open(t *testing.T, s Suite) *running {
	t.Helper()
	m := Material{Caller: noise(materialFrames, 1), Agent: noise(materialFrames-777, 2)}
	rig := s.Open(t, m)
	if l := rig.Line; l == nil || l.Device == "" || l.Caller == nil || l.Agent == nil || l.Calls == nil || l.Close == nil {
		t.Fatal("the line lacks something that every line has")
	}
	return &running{
		Rig:      rig,
		material: m,
		caller:   newSide("caller", rig.Line.Caller, 3),
		agent:    newSide("agent", rig.Line.Agent, 4),
		faults:   make(chan string, 1),
	}
}

func newSide(name string, port hw.Port, seed uint64) *side {
	return &side{
		name: name,
		port: port,
		rate: port.Rate(),
		in:   make([]int16, 0, 2*goalFrames),
		out:  noise(2*goalFrames, seed),
		goal: make(chan struct{}),
		done: make(chan struct{}),
	}
}

// run starts both sides, each under a context of its own.
func (r *running) run(ctx context.Context) {
	for _, s := range []*side{r.caller, r.agent} {
		var own context.Context
		own, s.cancel = context.WithCancel(ctx)
		go func() {
			defer close(s.done)
			s.err = s.port.Run(own, turn{r, s})
			s.stopped.Store(true)
		}()
	}
}

// runToGoal starts both sides and returns when both have played for long enough.
func (r *running) runToGoal(t *testing.T) {
	t.Helper()
	r.run(t.Context())
	for _, s := range []*side{r.caller, r.agent} {
		select {
		case <-s.goal:
		case <-s.done:
			t.Fatalf("the %s's side stopped by itself: %v", s.name, s.err)
		}
	}
}

// turn is how a side takes its turns.
type turn struct {
	*running
	side *side
}

func (r turn) Take(in []int16) {
	s := r.side
	if s.busy.Swap(true) {
		r.fault("two turns of the " + s.name + "'s side overlap, or one wasn't filled")
	}
	if s.stopped.Load() {
		r.fault("a turn of the " + s.name + "'s side after its Run had returned")
	}
	if len(in) == 0 {
		r.fault("a turn of the " + s.name + "'s side has no frames")
	}
	if s.port.Rate() != s.rate {
		r.fault("the rate of the " + s.name + "'s side has changed")
	}
	switch turns := s.turns.Load(); {
	case !r.Line.OneClock:
	case s == r.caller && r.agent.turns.Load() != turns:
		r.fault("the caller doesn't come first")
	case s == r.agent && (r.caller.turns.Load() != turns || !r.caller.busy.Load()):
		r.fault("the agent's turn isn't within the caller's")
	}
	s.longest = max(s.longest, len(in))
	s.in = append(s.in, in...)
}

func (r turn) Lost(frames int) { r.Take(make([]int16, frames)) }

func (r turn) Fill(out []int16) {
	s := r.side
	if !s.busy.Load() || s.filled+len(out) != len(s.in) {
		r.fault("a turn of the " + s.name + "'s side fills more or less than it took")
	}
	before := s.filled
	turns := s.turns.Add(1)
	if r.Line.OneClock && s == r.caller && r.agent.turns.Load() != turns {
		r.fault("the caller hears before the agent has spoken")
	}
	s.filled = len(s.in)
	clear(out)
	copy(out, s.out[min(before, len(s.out)):])
	if before < goalFrames && len(s.in) >= goalFrames {
		close(s.goal)
	}
	if r.turned != nil {
		r.turned(s)
	}
	s.busy.Store(false)
}

func (r *running) fault(text string) {
	select {
	case r.faults <- text:
	default:
	}
}

// stop ends what runs and checks that it ended well. A test that saw its line end itself has nothing running.
func (r *running) stop(t *testing.T) {
	t.Helper()
	for _, s := range []*side{r.caller, r.agent} {
		if s.cancel != nil {
			s.cancel()
		}
	}
	for _, s := range []*side{r.caller, r.agent} {
		if s.cancel == nil {
			continue
		}
		<-s.done
		if s.err != nil {
			t.Errorf("the %s's side stopped with %v", s.name, s.err)
		}
	}
}

// close gives the devices back, twice, and reports what was seen of the line.
func (r *running) close(t *testing.T) {
	t.Helper()
	for range 2 {
		if err := r.Line.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	select {
	case text := <-r.faults:
		t.Error(text)
	default:
	}
}
