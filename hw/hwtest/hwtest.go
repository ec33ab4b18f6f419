// Package hwtest is the contract of package hw as a test suite: [TestLine] holds any interface to a telephone
// line, recorded, simulated or real, to the same promises, so that a session that works on one works on all.
//
// What an interface can't be made to show is not asked of it: a [Rig] says what it can. Time is never measured:
// promises are counted in turns, so that the suite holds on a loaded machine, and inside a testing/synctest
// bubble, where a Rig with a clock of its own is best run.
package hwtest

import (
	"testing"

	"github.com/flattone/flattone/hw"
	"go.uber.org/goleak"
)

// Material is what the two far ends say during one test. A rig that can't play it ignores it.
type Material struct{ Caller, Agent []int16 }

// Rig is one interface, opened for one test.
type Rig struct {
	Line *hw.Line
	// Plays: the far ends say the Material as one call, and the line reports that call's edges where it
	// begins and ends, to the frame.
	Plays bool
	// Heard is what each far end heard since the line began, to the bit; nil where nobody can tell. It is
	// called after Close.
	Heard func(t *testing.T) (caller, agent []int16)
	// Again opens the same device once more and closes it if that succeeds; nil where a device can be shared.
	Again func() error
	// Lose takes the device away, during the caller's first turn; nil where that can't be done.
	Lose func(t *testing.T)
}

// Suite is how an interface is tested.
type Suite struct {
	// Open opens the interface afresh. It registers no cleanup for the Line: the suite closes it.
	Open func(t *testing.T, m Material) Rig
	// Within runs a test's body where the interface lives: in a synctest bubble, or as it is (nil).
	Within func(t *testing.T, body func(t *testing.T))
}

// TestLine holds an interface to the contract.
func TestLine(t *testing.T, s Suite) {
	for _, promise := range []struct {
		name string
		kept func(t *testing.T, r *running)
	}{
		{"rates are fixed", ratesAreFixed},
		{"turns are well formed", turnsAreWellFormed},
		{"both sides stop within a turn", bothStop},
		{"nothing runs under an ended context", nothingRunsWhenEnded},
		{"the caller's side can stop alone", callerStopsAlone},
		{"the agent's side can stop alone", agentStopsAlone},
		{"what the far ends say comes in", materialComesIn},
		{"what a turn fills goes out", turnsGoOut},
		{"a call begins and ends once", callBeginsAndEnds},
		{"edges that nobody fetches hold nothing up", edgesHoldNothingUp},
		{"a line that never ran closes", func(*testing.T, *running) {}},
		{"a device has one owner", deviceHasOneOwner},
		{"a lost device ends both sides", lossEndsBothSides},
	} {
		t.Run(promise.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			s.within(t, func(t *testing.T) {
				r := open(t, s)
				promise.kept(t, r)
				r.stop(t)
				r.close(t)
			})
			goleak.VerifyNone(t, before)
		})
	}
}

func (s Suite) within(t *testing.T, body func(t *testing.T)) {
	if s.Within == nil {
		body(t)
		return
	}
	s.Within(t, body)
}
