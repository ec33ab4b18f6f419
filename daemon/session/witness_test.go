package session_test

import (
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/session"
)

const unclear = "pan unclear_key"

// Another ear that hears the same keys changes nothing, however late or early it is within a second.
func TestAWitnessAgrees(t *testing.T) {
	for _, late := range []time.Duration{-900 * time.Millisecond, -100 * time.Millisecond, 0, 150 * time.Millisecond, 900 * time.Millisecond} {
		t.Run(late.String(), func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				r := newRig(t).armed("number")
				for range 3 {
					if late < 0 {
						r.ok(r.s.Witnessed())
						r.pass(-late)
					}
					r.path.key('4')
					r.pass(max(late, 0))
					if late >= 0 {
						r.ok(r.s.Witnessed())
					}
					r.pass(3 * time.Second)
				}
				r.expect("keying cap", "pan:1", "pan:2", "pan:3")
			})
		})
	}
}

// A key that only the witness heard is missing here: the field is keyed again, and can be.
func TestAWitnessIsAlone(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("number")
		r.keys("42")
		r.pass(2 * time.Second)
		r.ok(r.s.Witnessed())
		r.pass(1100 * time.Millisecond)
		r.expect("keying cap", "pan:1", "pan:2")
		r.pass(300 * time.Millisecond)
		r.expect(unclear)
		r.pass(5 * time.Second)
		r.log.said = nil
		r.keys(visa)
		if said := r.log.said; len(said) < 2 || said[len(said)-2] != "pan ok" {
			t.Errorf("keyed again, it says %q", said)
		}
	})
}

// Before a field has a key, the agent is only warned: what was heard may be anything.
func TestAWitnessBeforeTheFirstKey(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("number")
		r.ok(r.s.Witnessed())
		r.pass(2 * time.Second)
		r.expect("warn unclear_key")
	})
}

// What the agent keys comes back from a hybrid, and the witness hears it.
func TestAWitnessHearsTheAgent(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t, asking).armed("number")
		r.keys("42")
		r.pass(2 * time.Second)
		for _, k := range []byte("*#1") {
			r.path.agentKey(k)
			r.pass(50 * time.Millisecond)
			r.ok(r.s.Witnessed())
			r.pass(1300 * time.Millisecond)
		}
		r.expect("keying cap", "pan:1", "pan:2", "asked start")
	})
}

// Where no card is taken a witness says nothing; nor of what was keyed before.
func TestAWitnessOutsideACapture(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		r.ok(r.s.Witnessed())
		r.path.key('4')
		r.pass(300 * time.Millisecond)
		r.log.said = nil
		r.armed("number")
		r.ok(r.s.Witnessed()) // late, of the key before
		r.pass(2 * time.Second)
		r.ok(r.s.Witnessed())
		r.ok(r.s.Cancel(capture.Cancelled))
		r.pass(3 * time.Second)
		r.armed("number")
		r.pass(2 * time.Second)
		r.expect()
		r.is(session.Armed)
	})
}

// When it is told that a key is missing says no more of it than a star would: the moment is one of a grid.
func TestAWitnessTellsNoMoment(t *testing.T) {
	virtual(t, func(t *testing.T) {
		when := func(at audio.Position) audio.Position {
			r := newRig(t).armed("number")
			r.keys("42")
			r.path.pass(at)
			r.ok(r.s.Witnessed())
			r.log.said = nil
			for len(r.log.said) == 0 {
				r.pass(20 * time.Millisecond)
			}
			r.stop()
			return r.path.at
		}
		const period = 160 // within which the session is told how far it is
		for _, at := range []audio.Position{4*second + 1, 4*second + 3, 4*second + 200, 4*second + 400, 4*second + 799} {
			if told := when(at); told%slot > period {
				t.Errorf("a key that was missed at %d is told at %d, %d frames after the grid", at, told, told%slot)
			}
		}
	})
}
