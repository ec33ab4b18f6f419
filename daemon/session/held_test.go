package session_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/hw"
)

// A process that ends while a card is keyed leaves the path closed and the mark set; the next one is held.
func TestBeingArmedOutlivesTheProcess(t *testing.T) {
	for name, prepare := range map[string]func(*rig){
		"armed":  func(r *rig) { r.armed("") },
		"keying": func(r *rig) { r.armed("").keys("42") },
		"stored": func(r *rig) { r.finished().ok(r.s.Stored("cap")) },
		"void":   func(r *rig) { r.armed("").ok(r.s.Cancel(capture.Cancelled)) },
		"whole":  func(r *rig) { r.finished() },
		"held":   func(r *rig) { r.ok(r.s.Hold(capture.LineBroken)) },
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				r := newRig(t)
				prepare(r)
				r.stop()
				if r.path.asked != mask.Closed || !r.marked() {
					t.Error("the line is open")
				}
				if c := r.log.card; c != nil && c.PAN.Len() != 0 {
					t.Error("the card isn't wiped")
				}
				for what, err := range map[string]error{
					"arm": r.s.Arm("x", ""), "cancel": r.s.Cancel(capture.Cancelled), "more time": r.s.MoreTime(), "again": r.s.Again(0), "hold": r.s.Hold(capture.LineBroken),
					"acknowledge": r.s.Acknowledge(), "cover": r.s.Cover(true), "stored": r.s.Stored("cap"), "not stored": r.s.NotStored("cap", true),
					"reconnected": r.s.Reconnected(), "follow": r.s.Follow(1e6), "silent": r.s.Silent(1e9), "network spoke": r.s.NetworkSpoke(), "edge": r.s.Edge(hw.Edge{}),
				} {
					if !errors.Is(err, session.ErrStopped) {
						t.Errorf("%s of a stopped session: %v", what, err)
					}
				}
				next := newRig(t, in(r.dir))
				next.expect("held  line_restarted")
				next.is(session.Held)
			})
		})
	}
}

func TestAnIdleSessionLeavesNoMark(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		r.stop()
		if r.marked() || r.path.asked != mask.Idle {
			t.Error("an idle line left a mark, or closed")
		}
		newRig(t, in(r.dir)).expect("idle")
	})
}

func TestTheMarkSaysWhatAndWhen(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("")
		r.keys(visa)
		b, err := os.ReadFile(filepath.Join(r.dir, "desk-1"))
		if err != nil {
			t.Fatal(err)
		}
		id, when, _ := strings.Cut(strings.TrimSuffix(string(b), "\n"), " ")
		if _, err := time.Parse(time.RFC3339, when); id != "cap" || err != nil {
			t.Errorf("the mark holds %q", b)
		}
	})
}

// held is a line that comes up held.
func held(t *testing.T, how string) *rig {
	if how == "unseen call" {
		r := newRig(t)
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallJoined, At: r.path.at}))
		r.expect("idle", "held  call_unknown")
		return r
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "desk-1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return newRig(t, in(dir))
}

func TestHeldCapturesNothingAndTimeAloneDoesNotEndIt(t *testing.T) {
	for _, how := range []string{"unseen call", "mark"} {
		t.Run(how, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				r := held(t, how)
				r.log.said = nil
				r.keys(visa)
				r.pass(10 * time.Minute)
				r.expect()
				if r.path.asked != mask.Closed {
					t.Error("the path is open")
				}
			})
		})
	}
}

func TestWaysOutOfHeld(t *testing.T) {
	edge := func(k hw.EdgeKind) func(*rig) {
		return func(r *rig) { r.ok(r.s.Edge(hw.Edge{Kind: k, At: r.path.at})) }
	}
	acknowledge := func(r *rig) { r.ok(r.s.Acknowledge()) }
	for _, how := range []string{"unseen call", "mark", "by a fault"} {
		for name, way := range map[string]struct {
			before, after func(*rig)
		}{
			"call ends":         {func(r *rig) { r.pass(time.Second) }, edge(hw.CallEnded)},
			"call begins":       {func(r *rig) { r.pass(time.Second) }, edge(hw.CallBegan)},
			"acknowledged late": {func(r *rig) { r.pass(time.Minute) }, func(r *rig) { acknowledge(r); r.pass(20 * time.Millisecond) }},
			"acknowledged, then calm": {func(r *rig) {
				acknowledge(r)
				r.pass(2 * time.Second)
				r.path.suspicion = r.path.at
				r.pass(2980 * time.Millisecond)
			}, func(r *rig) { r.pass(40 * time.Millisecond) }},
			"not calm from the start": {func(r *rig) { acknowledge(r); r.pass(2900 * time.Millisecond) }, func(r *rig) { r.pass(120 * time.Millisecond) }},
		} {
			t.Run(how+"/"+name, func(t *testing.T) {
				virtual(t, func(t *testing.T) {
					var r *rig
					if how == "by a fault" {
						r = newRig(t).armed("")
						r.ok(r.s.Hold(capture.LineBroken))
						r.expect("void cap line_broken", "held cap line_broken")
					} else {
						r = held(t, how)
						r.log.said = nil
					}
					way.before(r)
					r.expect()
					if r.path.asked != mask.Closed {
						t.Error("the path is open")
					}
					way.after(r)
					r.expect("idle")
					r.is(session.Idle)
					if err := r.s.Acknowledge(); !errors.Is(err, session.ErrNotHeld) {
						t.Errorf("acknowledge what isn't held: %v", err)
					}
				})
			})
		}
	}
}

// After an acknowledgement the call goes on, and can be armed.
func TestAnAcknowledgedCallCanBeArmed(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := held(t, "unseen call")
		r.ok(r.s.Acknowledge())
		r.pass(4 * time.Second)
		r.ok(r.s.Arm("cap", ""))
		r.keys("4")
		r.is(session.Keying)
	})
}

func TestHoldWhileACardIsHandedOver(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).finished()
		r.ok(r.s.Hold(capture.LineBroken))
		r.expect("held cap line_broken")
		r.is(session.Held)
		if r.log.card.PAN.Len() != 0 {
			t.Error("the card isn't wiped")
		}
		if err := r.s.Stored("cap"); !errors.Is(err, session.ErrNoCapture) {
			t.Errorf("stored: %v", err)
		}
	})
}

// A path that broke is cured by a new process alone: the line is held, the session ends, and the next one comes up
// held.
func TestABrokenPathEndsTheSession(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*rig)
		says    []string
	}{
		"idle":    {func(*rig) {}, []string{"held  line_broken"}},
		"armed":   {func(r *rig) { r.armed("") }, []string{"void cap line_broken", "held cap line_broken"}},
		"keying":  {func(r *rig) { r.armed("").keys("42") }, []string{"void cap line_broken", "held cap line_broken"}},
		"whole":   {func(r *rig) { r.finished() }, []string{"held cap line_broken"}},
		"stored":  {func(r *rig) { r.finished().ok(r.s.Stored("cap")) }, []string{"held cap line_broken"}},
		"held":    {func(r *rig) { r.ok(r.s.Hold(capture.Fault)) }, []string{"held  line_broken"}},
		"an edge": {func(r *rig) { r.path.at += 8 }, []string{"held  line_broken"}},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				r := newRig(t)
				r.pass(2 * time.Second)
				c.prepare(r)
				r.log.said, r.ends = nil, session.ErrBroken
				r.path.broken = true
				if name == "an edge" {
					r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at}))
				} else {
					r.pass(20 * time.Millisecond)
				}
				r.stop()
				r.expect(c.says...)
				r.is(session.Held)
				if err := r.s.Arm("x", ""); !errors.Is(err, session.ErrStopped) {
					t.Errorf("arm: %v", err)
				}
				newRig(t, in(r.dir)).expect("held  line_restarted")
			})
		})
	}
}

// A mark that can't be written refuses the command, and leaves nothing that would hold the next process.
func TestAMarkThatCannotBeWrittenArmsNothing(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at}))
		r.ok(os.MkdirAll(r.dir, 0o700))
		r.ok(os.Symlink("/dev/full", filepath.Join(r.dir, "desk-1")))
		if err := r.s.Arm("cap", ""); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("arm: %v", err)
		}
		r.is(session.Idle)
		r.expect("idle")
		r.ok(r.s.Arm("cap", ""))
		r.expect("armed cap")
	})
}
