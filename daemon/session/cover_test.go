package session_test

import (
	"testing"
	"time"

	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/hw"
)

// It works in every state, is told once, and ends by command, with the call, and when the agent calls for help.
func TestCover(t *testing.T) {
	for name, prepare := range map[string]func(*rig){
		"idle":   func(r *rig) { r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at})) },
		"armed":  func(r *rig) { r.armed("") },
		"keying": func(r *rig) { r.armed("").keys("42") },
		"whole":  func(r *rig) { r.finished() },
		"void":   func(r *rig) { r.armed(""); r.ok(r.s.Cancel(capture.Cancelled)) },
		"held":   func(r *rig) { r.ok(r.s.Hold(capture.LineBroken)) },
		"tuning": func(r *rig) { r.ok(r.s.Tune()) },
	} {
		for how, end := range map[string]func(*rig){
			"by command":    func(r *rig) { r.ok(r.s.Cover(false)) },
			"a call begins": func(r *rig) { r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at})) },
			"a call ends":   func(r *rig) { r.ok(r.s.Edge(hw.Edge{Kind: hw.CallEnded, At: r.path.at})) },
			"112": func(r *rig) {
				r.dial("112")
				r.pass(2 * time.Second)
			},
		} {
			if name == "tuning" && how == "112" { // an installer presses keys
				continue
			}
			t.Run(name+"/"+how, func(t *testing.T) {
				virtual(t, func(t *testing.T) {
					r := newRig(t, helped)
					prepare(r)
					r.pass(3 * time.Second) // no key is near the number
					r.log.said = nil
					r.ok(r.s.Cover(true))
					r.ok(r.s.Cover(true))
					r.expect("covered true")
					if !r.path.covered {
						t.Error("the path isn't covered")
					}
					end(r)
					if n := count(r.log.said, "covered false"); r.path.covered || n != 1 {
						t.Errorf("covered is %v, and it is told %d times that it is over", r.path.covered, n)
					}
				})
			})
		}
	}
}

// A capture goes on under cover, which outlasts it; and so does what only says that nobody tells of calls any more.
func TestACardIsTakenUnderCover(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("number")
		r.ok(r.s.Cover(true))
		r.keys(visa)
		r.ok(r.s.Stored("cap"))
		r.pass(5 * time.Second)
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallPresumed, At: r.path.at}))
		if !r.path.covered || len(r.log.cards) != 1 || count(r.log.said, "covered false") != 0 {
			t.Errorf("covered is %v, %d cards, %q", r.path.covered, len(r.log.cards), r.log.said)
		}
	})
}

// A phone that speaks the keys is covered from arming to two seconds after the last verdict, also between fields.
func TestATalkingKeypadIsCovered(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("")
		r.ok(r.s.Cancel(capture.Cancelled))
		r.pass(5 * time.Second)
		r.log.said = nil
		r.ok(r.s.Arm("cap", "spoken"))
		r.expect("covered true", "armed cap")
		for _, keys := range []string{"42#", visa, "123"} {
			r.pass(5 * time.Second)
			r.keys(keys)
			if !r.path.covered {
				t.Error("a key is heard")
			}
		}
		r.ok(r.s.Stored("cap"))
		r.pass(1700 * time.Millisecond)
		if !r.path.covered {
			t.Error("the last key may be heard")
		}
		r.log.said = nil
		r.pass(400 * time.Millisecond)
		r.expect("covered false")
	})
}

// Whoever must hear the caller uncovers him, and his next key covers him again: before its slot, in which that is told.
func TestATalkingKeypadIsCoveredAgain(t *testing.T) {
	virtual(t, func(t *testing.T) {
		for name, key := range map[string]func(*rig){
			"a key":       func(r *rig) { r.path.key('4') },
			"unclear key": func(r *rig) { r.path.key('4'); r.path.events[0].Kind, r.path.events = path.Unclear, r.path.events[:1] },
		} {
			r := newRig(t).armed("spoken")
			r.ok(r.s.Cover(false))
			r.log.said = nil
			r.pass(10 * time.Second)
			if r.path.covered {
				t.Errorf("%s: the caller isn't heard", name)
			}
			key(r)
			r.pass(60 * time.Millisecond)
			if r.expect(); !r.path.covered {
				t.Errorf("%s: it is heard as it is spoken", name)
			}
			r.pass(200 * time.Millisecond)
			if len(r.log.said) == 0 || r.log.said[0] != "covered true" {
				t.Errorf("%s: it says %q", name, r.log.said)
			}
			// A cover that was asked for outlasts the capture.
			r.ok(r.s.Cover(true))
			r.ok(r.s.Cancel(capture.Cancelled))
			r.pass(5 * time.Second)
			if !r.path.covered {
				t.Errorf("%s: the caller is heard, under cover", name)
			}
			r.stop()
		}
	})
}

// A capture that ends while a key is on its way to its slot leaves no cover behind.
func TestATalkingKeypadIsHeardInTheEnd(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("spoken")
		r.ok(r.s.Cover(false))
		r.path.key('4')
		r.pass(60 * time.Millisecond)
		r.ok(r.s.Cancel(capture.Cancelled))
		r.pass(1900 * time.Millisecond)
		if !r.path.covered {
			t.Error("the key may be heard")
		}
		r.pass(200 * time.Millisecond)
		if r.path.covered {
			t.Error("the caller isn't heard any more")
		}
	})
}

func count(said []string, what string) (n int) {
	for _, s := range said {
		if s == what {
			n++
		}
	}
	return n
}
