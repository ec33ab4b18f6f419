package session_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/hw"
)

func TestABarredLineTakesNoCard(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at}))
		r.log.said = nil
		refused := func(codes string) {
			t.Helper()
			if err := r.s.Arm("cap", ""); !errors.Is(err, session.ErrBarred) || !strings.HasSuffix(err.Error(), ": "+codes) {
				t.Errorf("a line with %s in its way says %v", codes, err)
			}
		}
		r.ok(r.s.Bar("two", true))
		r.ok(r.s.Bar("one", true))
		r.ok(r.s.Bar("two", true))
		refused("one, two")
		r.ok(r.s.Bar("one", false))
		refused("two")
		r.ok(r.s.Bar("two", false))
		r.ok(r.s.Bar("two", false))
		r.expect("barred two true", "barred one true", "barred one false", "barred two false")
		r.ok(r.s.Arm("cap", ""))
	})
}

// What stands in the way all of a sudden ends what is being captured, and leaves alone what is complete.
func TestABarEndsACapture(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("")
		r.keys("42")
		r.log.said = nil
		r.ok(r.s.Bar("open", true))
		r.expect("barred open true", "void cap open", "held cap open")
		r.is(session.Held)

		r = newRig(t).finished()
		r.ok(r.s.Bar("open", true))
		r.expect("barred open true")
		r.is(session.Keying)
	})
}

func TestALineMayComeUpBarred(t *testing.T) {
	virtual(t, func(t *testing.T) {
		newRig(t, func(c *session.Config) { c.Bars = []capture.Code{"untuned"} }).expect("idle", "barred untuned true")
	})
}
