package session_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/flattone/flattone/audio/locked/lockedtest"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/hw"
)

// number keys a Visa number of random digits but the last, which lies nowhere else, and returns what it keyed, masked,
// and the last digit.
func (r *rig) number() (masked []byte, check byte) {
	sum := 0
	for i := range 15 {
		d := byte('4')
		if i > 0 {
			d = byte('0' + rand.IntN(10))
		}
		masked = append(masked, d^lockedtest.Mask)
		n := int(d - '0')
		if i%2 == 0 { // ISO/IEC 7812-1, annex B: every second one, the last but one the first
			n = 2*n/10 + 2*n%10
		}
		sum += n
		r.path.key(d)
		r.pass(200 * time.Millisecond)
	}
	return masked, byte('0' + (10-sum%10)%10)
}

// Whatever way a capture ends, nothing of it stays in memory.
func TestNothingThatWasKeyedStays(t *testing.T) {
	complete := func(way func(*rig)) func(*rig, byte) {
		return func(r *rig, check byte) {
			r.path.key(check)
			r.pass(200 * time.Millisecond)
			if r.log.card == nil {
				r.t.Fatal("the card isn't complete")
			}
			way(r)
		}
	}
	keying := func(way func(*rig)) func(*rig, byte) { return func(r *rig, _ byte) { way(r) } }
	for name, end := range map[string]func(*rig, byte){
		"the process stops":   keying(func(r *rig) { r.stop() }),
		"cancelled":           keying(func(r *rig) { r.ok(r.s.Cancel(capture.Cancelled)) }),
		"the call ends":       keying(func(r *rig) { r.ok(r.s.Edge(hw.Edge{Kind: hw.CallEnded, At: r.path.at})) }),
		"a fault":             keying(func(r *rig) { r.path.faults++; r.pass(20 * time.Millisecond) }),
		"held":                keying(func(r *rig) { r.ok(r.s.Hold(capture.Fault)) }),
		"the path breaks":     keying(func(r *rig) { r.path.broken, r.ends = true, session.ErrBroken; r.pass(20 * time.Millisecond) }),
		"refused":             keying(func(r *rig) { r.keys("#") }),
		"started again":       keying(func(r *rig) { r.keys("**") }),
		"no key for too long": keying(func(r *rig) { r.pass(21 * time.Second) }),
		"stored":              complete(func(r *rig) { r.ok(r.s.Stored("cap")) }),
		"not stored":          complete(func(r *rig) { r.ok(r.s.NotStored("cap", true)) }),
		"no answer":           complete(func(r *rig) { r.sleep(31 * time.Second) }),
		"held when complete":  complete(func(r *rig) { r.ok(r.s.Hold(capture.Fault)) }),
		"stops when complete": complete(func(r *rig) { r.stop() }),
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				r := newRig(t).armed("number")
				pan, check := r.number()
				if n := lockedtest.Copies(t, pan)[0]; n != 1 {
					t.Fatalf("%d copies of a number that is being keyed, want 1", n)
				}
				end(r, check)
				if n := lockedtest.Copies(t, pan)[0]; n != 0 {
					t.Errorf("%d copies of the number are left", n)
				}
			})
		})
	}
}
