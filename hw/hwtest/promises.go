package hwtest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/hw"
)

func ratesAreFixed(t *testing.T, r *running) {
	for _, s := range []*side{r.caller, r.agent} {
		if !s.rate.Supported() {
			t.Errorf("the %s's side has %v", s.name, s.rate)
		}
	}
	r.runToGoal(t) // each turn checks the rate
	r.stop(t)
	for _, s := range []*side{r.caller, r.agent} {
		if s.port.Rate() != s.rate {
			t.Errorf("the rate of the %s's side has changed", s.name)
		}
	}
}

// turnsAreWellFormed: each turn checks its lengths, its order, and that it is alone.
func turnsAreWellFormed(t *testing.T, r *running) { r.runToGoal(t) }

func bothStop(t *testing.T, r *running) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	agentBefore := int64(0)
	r.turned = func(s *side) {
		if s == r.caller && s.turns.Load() == 10 {
			agentBefore = r.agent.turns.Load()
			cancel()
		}
	}
	r.run(ctx)
	<-r.caller.done
	<-r.agent.done
	if n := r.caller.turns.Load(); n > 11 {
		t.Errorf("%d turns of the caller's side after the end", n-10)
	}
	if n := r.agent.turns.Load() - agentBefore; n > 2 { // the one it was in, and one
		t.Errorf("%d turns of the agent's side after the end", n)
	}
}

func nothingRunsWhenEnded(t *testing.T, r *running) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.run(ctx)
	for _, s := range []*side{r.caller, r.agent} {
		<-s.done
		if n := s.turns.Load(); n > 1 {
			t.Errorf("%d turns of the %s's side", n, s.name)
		}
	}
}

func callerStopsAlone(t *testing.T, r *running) { stopsAlone(t, r, r.caller) }
func agentStopsAlone(t *testing.T, r *running)  { stopsAlone(t, r, r.agent) }

func stopsAlone(t *testing.T, r *running, s *side) {
	r.runToGoal(t)
	s.cancel()
	<-s.done
	if s.err != nil {
		t.Errorf("the %s's side stopped with %v", s.name, s.err)
	}
}

func materialComesIn(t *testing.T, r *running) {
	if !r.Plays {
		return
	}
	r.runToGoal(t)
	r.stop(t)
	began := index(r.caller.in, r.material.Caller)
	if began < 0 {
		t.Fatal("what the caller said did not come in, bit for bit")
	}
	switch at := index(r.agent.in, r.material.Agent); {
	case at < 0:
		t.Error("what the agent said did not come in, bit for bit")
	case r.Line.OneClock && at != began:
		t.Errorf("the agent's recording came in %d frames after the caller's", at-began)
	}
}

// index is where part begins in x, -1 if nowhere.
func index(x, part []int16) int {
	for i := range len(x) - len(part) + 1 {
		if slices.Equal(x[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

func turnsGoOut(t *testing.T, r *running) {
	if r.Heard == nil {
		return
	}
	r.runToGoal(t)
	r.stop(t)
	r.close(t)
	caller, agent := r.Heard(t)
	for _, heard := range []struct {
		side  *side
		heard []int16
	}{{r.caller, caller}, {r.agent, agent}} {
		s := heard.side
		filled := s.out[:min(len(s.in), len(s.out), len(heard.heard))]
		// A line that is stopped within a period may not have played the last turn.
		if len(heard.heard) < len(s.in)-s.longest || !slices.Equal(heard.heard[:len(filled)], filled) {
			t.Errorf("the %s did not hear what the turns filled, bit for bit", s.name)
		}
	}
}

func callBeginsAndEnds(t *testing.T, r *running) {
	if !r.Plays {
		return
	}
	var edges []hw.Edge
	r.turned = func(s *side) {
		if s != r.caller {
			return
		}
		select {
		case e := <-r.Line.Calls:
			edges = append(edges, e)
		default:
		}
	}
	r.runToGoal(t)
	r.stop(t)
	if len(edges) != 2 || edges[0].Kind != hw.CallBegan || edges[1].Kind != hw.CallEnded {
		t.Fatalf("the edges of one call are %v", edges)
	}
	began := audio.Position(index(r.caller.in, r.material.Caller))
	if edges[0].At != began || edges[1].At != began+materialFrames {
		t.Errorf("the call was at %d to %d, and its edges say %d to %d", began, began+materialFrames, edges[0].At, edges[1].At)
	}
}

func edgesHoldNothingUp(t *testing.T, r *running) {
	r.runToGoal(t)
	r.stop(t)
	if !r.Plays {
		return
	}
	if e := <-r.Line.Calls; e.Kind != hw.CallEnded {
		t.Errorf("the last edge is %v", e.Kind)
	}
	select {
	case e, open := <-r.Line.Calls:
		t.Errorf("another edge, %v (channel open: %v)", e.Kind, open)
	default:
	}
}

func deviceHasOneOwner(t *testing.T, r *running) {
	if r.Again == nil {
		return
	}
	if err := r.Again(); !errors.Is(err, hw.ErrBusy) {
		t.Errorf("a second owner gets %v", err)
	}
	r.close(t)
	if err := r.Again(); err != nil {
		t.Errorf("the next owner gets %v", err)
	}
}

func lossEndsBothSides(t *testing.T, r *running) {
	if r.Lose == nil {
		return
	}
	r.turned = func(s *side) {
		if s == r.caller && s.turns.Load() == 1 {
			r.Lose(t)
		}
	}
	r.run(t.Context())
	for _, s := range []*side{r.caller, r.agent} {
		<-s.done
		if !errors.Is(s.err, hw.ErrLost) {
			t.Errorf("the %s's side ended with %v", s.name, s.err)
		}
		s.cancel()
		s.cancel, s.err = nil, nil
	}
}
