package session_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/hw"
)

// tap is what a test has to do with, and says in the rig's log when it is told to.
type tap struct {
	r     *rig
	on    bool
	wrong string
}

// test has the line tested.
func (p *tap) test() error {
	return p.r.s.Test(func() { p.turn(true, mask.Closed) }, func() { p.turn(false, mask.Closed) })
}

// turn is called while the line is shut, and by turns.
func (p *tap) turn(on bool, grade mask.Grade) {
	if p.on == on || p.r.path.asked != grade {
		p.wrong = fmt.Sprintf("on: %v, once more, or with grade %v", on, p.r.path.asked)
	}
	p.on = on
	p.r.log.said = append(p.r.log.said, fmt.Sprintf("tap %v", on))
}

// While a line is tested it is shut: begin is called behind that, and end before it is anything else.
func TestTesting(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		p := &tap{r: r}
		r.log.said = nil
		r.ok(p.test())
		r.expect("testing", "tap true")
		r.is(session.Testing)
		if err := p.test(); !errors.Is(err, session.ErrTesting) {
			t.Errorf("tested twice: %v", err)
		}
		if err := r.s.Tune(); !errors.Is(err, session.ErrTesting) {
			t.Errorf("tuned while it is tested: %v", err)
		}
		if err := r.s.Cancel(capture.Cancelled); !errors.Is(err, session.ErrTesting) {
			t.Errorf("what is cancelled isn't a test: %v", err)
		}
		if err := r.s.Arm("cap", ""); !errors.Is(err, session.ErrNoCall) { // which ends no test
			t.Errorf("armed without a call: %v", err)
		}
		if err := r.s.Tuned(); !errors.Is(err, session.ErrNotTuning) {
			t.Errorf("a test ends as a tuning: %v", err)
		}
		r.is(session.Testing)
		r.ok(r.s.Tested())
		r.expect("tap false", "idle")
		r.is(session.Idle)
		if err := r.s.Tested(); !errors.Is(err, session.ErrNotTuning) {
			t.Errorf("tested without a beginning: %v", err)
		}
	})
}

// A line is tested only while it is idle and in no call, as far as anybody tells of calls.
func TestWhatMayNotBeTested(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		p := &tap{r: r}
		refused := func(what string, want error) {
			t.Helper()
			if err := p.test(); !errors.Is(err, want) || p.on {
				t.Errorf("%s: %v", what, err)
			}
		}
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at}))
		refused("in a call", session.ErrInCall)
		r.ok(r.s.Arm("cap", ""))
		refused("armed", session.ErrBusy)
		r.ok(r.s.Hold(capture.LineBroken))
		refused("held", session.ErrHeld)
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallEnded, At: r.path.at}))
		r.ok(r.s.Tune())
		refused("tuned", session.ErrTuning)
		r.ok(r.s.Tuned())
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallPresumed, At: r.path.at}))
		r.ok(p.test())
	})
}

// A test gives way to all else, at once.
func TestATestGivesWay(t *testing.T) {
	for name, test := range map[string]struct {
		to   func(*rig) error
		want []string
		is   session.State
	}{
		"a call":                {func(r *rig) error { return r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at}) }, []string{"tap false", "idle"}, session.Idle},
		"a call in its middle":  {func(r *rig) error { return r.s.Edge(hw.Edge{Kind: hw.CallJoined, At: r.path.at}) }, []string{"tap false", "held  call_unknown"}, session.Held},
		"an emergency number":   {func(r *rig) error { r.dial("112"); r.pass(1300 * time.Millisecond); return nil }, []string{"tap false", "idle", "barred emergency_call true"}, session.Idle},
		"a call's end":          {func(r *rig) error { return r.s.Edge(hw.Edge{Kind: hw.CallEnded, At: r.path.at}) }, []string{"tap false", "idle"}, session.Idle},
		"nobody tells any more": {func(r *rig) error { return r.s.Edge(hw.Edge{Kind: hw.CallPresumed, At: r.path.at}) }, []string{"tap false", "idle"}, session.Idle},
		"arming":                {func(r *rig) error { return r.s.Arm("cap", "") }, []string{"tap false", "armed cap"}, session.Armed},
		"holding":               {func(r *rig) error { return r.s.Hold(capture.LineBroken) }, []string{"tap false", "held  line_broken"}, session.Held},
		"a bar":                 {func(r *rig) error { return r.s.Bar("open", true) }, []string{"barred open true", "tap false", "idle"}, session.Idle},
		"a bar that is over":    {func(r *rig) error { return r.s.Bar("open", false) }, nil, session.Testing},
		"sound that stands":     {func(r *rig) error { return r.s.Stands() }, nil, session.Testing},
		"a tone of the network": {func(r *rig) error { return r.s.NetworkSpoke() }, nil, session.Testing},
		"keys on the two sides": {func(r *rig) error { r.path.agentKey('1'); r.keys("42"); return nil }, nil, session.Testing},
		"an arming that fails":  {func(r *rig) error { _ = r.s.Arm("cap", "none"); return nil }, nil, session.Testing},
		"a path that broke": {func(r *rig) error {
			r.path.broken = true
			r.ends = session.ErrBroken
			return r.s.Follow(r.path.at + 160)
		}, []string{"tap false", "held  line_broken"}, session.Held},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				r := newRig(t, helped)
				p := &tap{r: r}
				r.ok(r.s.Hold(capture.LineBroken))
				r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at})) // a line that was opened once is shut again
				r.ok(r.s.Edge(hw.Edge{Kind: hw.CallPresumed, At: r.path.at}))
				r.ok(p.test())
				r.pass(2100 * time.Millisecond) // after which a number may be keyed
				r.log.said = nil
				if err := test.to(r); err != nil && r.ends == nil {
					t.Fatal(err)
				}
				if r.ends != nil {
					r.stop()
				}
				r.expect(test.want...)
				r.is(test.is)
				if dialled := strings.Join(r.dialled, ","); p.wrong != "" || (name == "an emergency number") != (dialled == "112") {
					t.Errorf("%s; to the caller's side goes %q", p.wrong, dialled)
				}
			})
		})
	}
}

// Whatever happens to a line, in whatever order: while a test is on the path is shut and nothing is captured; it is on if, and only if, the line says so.
func TestATestIsNeverOnBesideAnythingElse(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t)
		defer r.stop()
		p := &tap{r: r}
		edge := func(k hw.EdgeKind) func() { return func() { r.s.Edge(hw.Edge{Kind: k, At: r.path.at}) } }
		state := "idle"
		rt.Repeat(map[string]func(*rapid.T){
			"": func(rt *rapid.T) {
				for _, said := range r.log.said {
					if word, _, _ := strings.Cut(said, " "); strings.Contains(" idle armed keying done void held tuning testing ", " "+word+" ") {
						state = word
					}
				}
				r.log.said = nil
				if p.on != (state == "testing") || p.on && r.path.asked != mask.Closed || p.wrong != "" {
					rt.Fatalf("%s: on is %v with grade %v; %s", state, p.on, r.path.asked, p.wrong)
				}
			},
			"test":     func(*rapid.T) { p.test() },
			"tested":   func(*rapid.T) { r.s.Tested() },
			"tune":     func(*rapid.T) { r.s.Tune() },
			"tuned":    func(*rapid.T) { r.s.Tuned() },
			"arm":      func(*rapid.T) { r.s.Arm("cap", "number") },
			"cancel":   func(*rapid.T) { r.s.Cancel(capture.Cancelled) },
			"began":    func(*rapid.T) { edge(hw.CallBegan)() },
			"ended":    func(*rapid.T) { edge(hw.CallEnded)() },
			"joined":   func(*rapid.T) { edge(hw.CallJoined)() },
			"presumed": func(*rapid.T) { edge(hw.CallPresumed)() },
			"bar":      func(*rapid.T) { r.s.Bar("open", true) },
			"unbar":    func(*rapid.T) { r.s.Bar("open", false) },
			"ack":      func(*rapid.T) { r.s.Acknowledge() },
			"key":      func(*rapid.T) { r.keys("4") },
			"time":     func(*rapid.T) { r.pass(4e9) },
		})
	})
}
