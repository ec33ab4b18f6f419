package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/hw"
)

func wire(c *session.Config) { c.Wire = true }

// An idle line whose self-test fails is a wire where its owner chose so, and no longer once one passes. It takes no card, and can't be measured.
func TestAnIdleLineThatFailsIsAWire(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t, wire)
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at}))
		r.log.said = nil
		r.ok(r.s.Bar(capture.SelfTestFailed, true))
		r.expect("barred self_test_failed true", "barred bypassed true")
		if r.path.asked != mask.Pass {
			t.Errorf("the path has grade %v", r.path.asked)
		}
		if err := r.s.Arm("cap", ""); !errors.Is(err, session.ErrBarred) {
			t.Errorf("armed, it says %v", err)
		}
		if err := r.s.Tune(); !errors.Is(err, session.ErrBarred) {
			t.Errorf("to be tuned, it says %v", err)
		}
		r.ok(r.s.Bar(capture.SelfTestFailed, false))
		r.expect("barred self_test_failed false", "barred bypassed false")
		r.is(session.Idle)
	})
}

// Without that choice it only takes no card.
func TestAMuteLineIsNoWire(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		r.log.said = nil
		r.ok(r.s.Bar(capture.SelfTestFailed, true))
		r.expect("barred self_test_failed true")
		r.is(session.Idle)
	})
}

// While a card is taken, and until it is over for sure, a line that fails is masked; then it is a wire.
func TestAnArmedLineIsNoWire(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t, wire).armed("")
		r.keys("42")
		r.log.said = nil
		r.ok(r.s.Bar(capture.SelfTestFailed, true))
		r.expect("barred self_test_failed true", "void cap self_test_failed", "held cap self_test_failed")
		r.is(session.Held)
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallEnded, At: r.path.at}))
		r.expect("idle", "barred bypassed true")

		r = newRig(t, wire).finished()
		r.ok(r.s.Bar(capture.SelfTestFailed, true))
		r.is(session.Keying)
		r.ok(r.s.Stored("cap"))
		r.is(session.Done)
		r.log.said = nil
		r.pass(5 * time.Second)
		r.expect("idle", "barred bypassed true")
	})
}

// Whatever holds a wire ends it.
func TestAHeldLineIsNoWire(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t, wire)
		r.ok(r.s.Bar(capture.SelfTestFailed, true))
		r.log.said = nil
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallJoined, At: r.path.at}))
		r.expect("held  call_unknown", "barred bypassed false")
		r.is(session.Held)
	})
}

// A process that finds a mark comes up held, whatever fails.
func TestAMarkIsNoWire(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t, wire).armed("")
		r.stop()
		r = newRig(t, wire, in(r.dir), func(c *session.Config) { c.Bars = []capture.Code{capture.SelfTestFailed} })
		r.expect("held  line_restarted", "barred self_test_failed true")
		r.is(session.Held)
	})
}

// A path that breaks while idle leaves a wire, until a call begins or ends; then the process is another, and whole.
func TestAPathThatBrokeIsAWireUntilTheNextCall(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t, wire)
		r.log.said = nil
		r.path.broken, r.path.through = true, true
		r.pass(time.Minute)
		r.expect("barred line_broken true", "barred bypassed true")
		if r.path.asked != mask.Pass || r.marked() {
			t.Errorf("the path has grade %v, and there is a mark: %v", r.path.asked, r.marked())
		}
		r.ok(r.s.Bar(capture.SelfTestFailed, true)) // as it then is
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallPresumed, At: r.path.at}))
		r.expect("barred self_test_failed true")
		r.ends = session.ErrBroken
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallEnded, At: r.path.at}))
		r.stop()
		newRig(t, wire, in(r.dir)).expect("idle")
	})
}

// A path that broke and lets nothing through is no wire: it was armed by then.
func TestAPathThatBrokeArmedIsHeld(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t, wire).armed("")
		r.path.broken, r.ends = true, session.ErrBroken
		r.pass(20 * time.Millisecond)
		r.stop()
		r.expect("void cap line_broken", "held cap line_broken")
		newRig(t, wire, in(r.dir)).expect("held  line_restarted")
	})
}
