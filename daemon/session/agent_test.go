package session_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/hw"
)

func asking(c *session.Config) {
	c.AgentKeys = map[session.Ask]string{session.AskStart: "*#1", session.AskCancel: "*#0"}
}

// agentKeys has the agent press keys, three a second.
func (r *rig) agentKeys(keys string) {
	r.t.Helper()
	for _, k := range []byte(keys) {
		r.path.agentKey(k)
		r.pass(320 * time.Millisecond)
	}
}

const (
	voidLegs = "void cap legs_swapped_or_coupled"
	heldLegs = "held cap legs_swapped_or_coupled"
)

// What an agent may key is told, whatever the line's state, and is no more than that: the session does nothing by itself.
func TestAgentAsks(t *testing.T) {
	for name, prepare := range map[string]func(*rig){
		"no call":  func(*rig) {},
		"idle":     func(r *rig) { r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at})) },
		"armed":    func(r *rig) { r.armed("number") },
		"keying":   func(r *rig) { r.armed("number").keys("42") },
		"complete": func(r *rig) { r.finished() },
		"held":     func(r *rig) { r.ok(r.s.Hold("call_unknown")) },
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				r := newRig(t, asking)
				prepare(r)
				r.log.said = nil
				r.agentKeys("*#1*#0*#1")
				r.expect("asked start", "asked cancel", "asked start")
			})
		})
	}
}

// The keys of an agent who asks are none of the card's, between the caller's and with them.
func TestAgentAsksWhileTheCallerKeys(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t, asking).armed("number")
		var want []string
		for i, k := range []byte(visa) {
			r.path.key(k)
			r.path.agentKey("*#1"[i%3])
			r.pass(300 * time.Millisecond)
			if i == 0 {
				want = append(want, "keying cap")
			}
			if want = append(want, fmt.Sprintf("pan:%d", i+1)); i%3 == 2 {
				want = append(want, "asked start")
			}
		}
		r.expect(append(want, "pan ok", "card cap")...)
	})
}

// A key of any other kind on the agent's leg voids the capture, and holds the line until somebody says so and both legs are quiet.
func TestStrayKeyOnTheAgentsLeg(t *testing.T) {
	for name, test := range map[string]struct {
		agent string
		after time.Duration // its last key, at which the line is still armed; and 200 ms later it is not
		opts  []option
	}{
		"a digit":                                {"4", 160 * time.Millisecond, []option{asking}},
		"a key that begins nothing":              {"#", 160 * time.Millisecond, []option{asking}},
		"a digit where a sequence goes on":       {"*5", 160 * time.Millisecond, []option{asking}},
		"a sequence that begins over":            {"**", 160 * time.Millisecond, []option{asking}},
		"a sequence that isn't keyed to its end": {"*#", 2160 * time.Millisecond, []option{asking}},
		"what would be one, had it been agreed":  {"*", 160 * time.Millisecond, nil},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				r := newRig(t, test.opts...).armed("number")
				for i, k := range []byte(test.agent) {
					if i > 0 {
						r.pass(400 * time.Millisecond)
					}
					r.path.agentKey(k)
				}
				r.pass(test.after)
				r.expect()
				r.is(session.Armed)
				r.pass(200 * time.Millisecond)
				r.expect(voidLegs, heldLegs)
				r.is(session.Held)
				r.keys(visa)
				r.expect()

				r.ok(r.s.Acknowledge())
				for range 5 { // the caller, if it is he, keys on
					r.pass(2 * time.Second)
					r.path.agentKey('4')
				}
				r.pass(2 * time.Second)
				r.is(session.Held)
				r.pass(1100 * time.Millisecond)
				r.expect("idle")
				r.is(session.Idle)
			})
		})
	}
}

// Keys that are no fault: where no card is taken, from before the line was armed, and once the card is complete.
func TestAgentsKeysThatAreNoFault(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t, asking)
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at}))
		r.log.said = nil
		r.agentKeys("4242*#")
		r.path.agentKey('*') // half a sequence
		r.pass(60 * time.Millisecond)
		r.ok(r.s.Arm("cap", "number"))
		r.pass(3 * time.Second)
		r.expect("armed cap")
		r.keys(visa)
		r.log.said = nil
		r.agentKeys("42")
		r.ok(r.s.Stored("cap"))
		r.agentKeys("42")
		r.expect("done cap")
	})
}

// Swapped legs: what is told, and when, is the same for any card, from the first key on.
func TestAFaultOfTheLegsTellsNoKey(t *testing.T) {
	virtual(t, func(t *testing.T) {
		when := func(key byte, onset audio.Position) (at audio.Position) {
			r := newRig(t, asking).armed("number")
			r.path.pass(onset)
			r.path.agentKey(key)
			for len(r.log.said) == 0 {
				r.pass(20 * time.Millisecond)
			}
			r.stop()
			return r.path.at
		}
		for _, onset := range []audio.Position{8000, 8001, 8123, 8799} {
			first := when('0', onset)
			for _, key := range []byte("123456789") {
				if at := when(key, onset); at != first {
					t.Errorf("a fault from frame %d is told at %d and at %d", onset, first, at)
				}
			}
		}
	})
}
