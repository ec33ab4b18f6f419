package session_test

import (
	"errors"
	"testing"

	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/hw"
)

// While a line is tuned it is shut, whatever is keyed and whichever call comes and goes; nothing is captured or told, and it is idle again after.
func TestTuning(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		r.log.said = nil
		r.ok(r.s.Tune())
		r.expect("tuning")
		if r.path.asked != mask.Closed || r.marked() {
			t.Errorf("it has grade %v, marked %v", r.path.asked, r.marked())
		}
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at}))
		r.keys("4242")
		if err := r.s.Arm("cap", ""); !errors.Is(err, session.ErrTuning) {
			t.Errorf("armed while it is tuned: %v", err)
		}
		if err := r.s.Tune(); !errors.Is(err, session.ErrTuning) {
			t.Errorf("tuned twice: %v", err)
		}
		if err := r.s.Cancel(capture.Cancelled); !errors.Is(err, session.ErrTuning) {
			t.Errorf("what is cancelled isn't a tuning: %v", err)
		}
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallEnded, At: r.path.at}))
		r.ok(r.s.Bar("open", true))
		r.ok(r.s.Bar("open", false))
		r.expect("barred open true", "barred open false")
		r.is(session.Tuning)
		if r.path.asked != mask.Closed {
			t.Error("it is open")
		}
		r.ok(r.s.Tuned())
		r.expect("idle")
		if err := r.s.Tuned(); !errors.Is(err, session.ErrNotTuning) {
			t.Errorf("tuned without a beginning: %v", err)
		}
	})
}

// A line is tuned only while it is idle, and the end of a tuning opens no line that is held meanwhile.
func TestTuningGivesWay(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("")
		if err := r.s.Tune(); !errors.Is(err, session.ErrBusy) {
			t.Errorf("an armed line is tuned: %v", err)
		}
		r.is(session.Armed)
		r.ok(r.s.Hold(capture.LineBroken))
		if err := r.s.Tune(); !errors.Is(err, session.ErrHeld) {
			t.Errorf("a held line is tuned: %v", err)
		}

		r = newRig(t)
		r.ok(r.s.Tune())
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallJoined, At: r.path.at}))
		r.is(session.Held)
		if err := r.s.Tuned(); !errors.Is(err, session.ErrNotTuning) {
			t.Errorf("a held line was tuned: %v", err)
		}
		r.is(session.Held)
	})
}

// A process that ends while its line is tuned leaves nothing behind, and the path closed.
func TestTuningDiesWithItsProcess(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		r.ok(r.s.Tune())
		r.stop()
		if r.path.asked != mask.Closed || r.marked() {
			t.Errorf("it leaves grade %v, marked %v", r.path.asked, r.marked())
		}
		newRig(t, in(r.dir)).expect("idle")
	})
}
