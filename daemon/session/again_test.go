package session_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/hw"
)

const mastercard = "5555555555554444"

// A field that was taken is keyed anew, and the one that was interrupted after it: the card has what was keyed last. What masks for the sake of the field ends, for the
// agent is about to speak with the caller.
func TestAFieldIsKeyedAnew(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		r.log.fits = func(c *secret.Card) bool {
			return string(c.PAN.Reveal()) == visa && string(c.Expiry.Reveal()) == "1229" && string(c.CVV.Reveal()) == "123"
		}
		r.armed("")
		r.keys(mastercard + "11")
		r.log.said, r.path.fields = nil, ""
		r.ok(r.s.Again(capture.PAN))
		r.expect("expiry:0", "pan:0")
		r.keys("99") // he keys on, and hasn't heard yet
		r.expect()
		r.pass(2 * time.Second)
		r.expect("pan:0")
		if r.path.fields != ")(" {
			t.Errorf("the path's field goes %q", r.path.fields)
		}
		r.keys(visa + "1229")
		r.ok(r.s.Again(capture.Expiry))
		r.pass(2 * time.Second)
		r.keys("1229123")
		if n := len(r.log.said); n == 0 || r.log.said[n-1] != "card cap" || r.log.wrong {
			t.Errorf("no card, or another: %q", r.log.said)
		}
		if r.path.blinked {
			t.Error("the path may miss that a field was closed")
		}
	})
}

// Whatever is keyed in the fifth of a second by which the capture's clock is behind the line's doesn't count either.
func TestAKeyOnItsWayDoesNotCount(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("number")
		r.keys("99")
		r.path.key('9')
		r.pass(20 * time.Millisecond) // it isn't confirmed yet
		r.log.said = nil
		r.ok(r.s.Again(0))
		r.pass(1800 * time.Millisecond)
		r.expect("pan:0", "pan:0")
		r.keys(visa)
		if got := strings.Join(r.log.said, " "); !strings.HasSuffix(got, "pan ok card cap") {
			t.Errorf("it says %q", got)
		}
	})
}

func TestAgainRefuses(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		refused := func(f capture.Field, want error) {
			t.Helper()
			if err := r.s.Again(f); !errors.Is(err, want) {
				t.Errorf("it says %v, and should say %v", err, want)
			}
		}
		refused(0, session.ErrNoCapture)
		r.armed("number")
		refused(capture.CVV, capture.ErrNotAsked)
		r.ok(r.s.Cancel(capture.Cancelled))
		refused(0, session.ErrNoCapture)
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallEnded, At: r.path.at}))
		r.pass(5 * time.Second)
		r.armed("")
		refused(capture.Expiry, capture.ErrNotKeyed)
		r.keys("42")
		r.pass(19300 * time.Millisecond)
		refused(0, nil) // a moment before its time is up
		r.ok(r.s.Cancel(capture.Cancelled))
		r.pass(5 * time.Second)
		r.ok(r.s.Tune())
		refused(0, session.ErrTuning)
	})
}
