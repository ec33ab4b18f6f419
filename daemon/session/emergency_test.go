package session_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/hw"
)

var numbers = []string{"112", "911", "999", "000", "15", "1122"}

func helped(c *session.Config) { c.Emergency = numbers }

// dial has the agent key a number, three keys a second, and answers where the last one began.
func (r *rig) dial(number string) (last audio.Position) {
	r.t.Helper()
	for i, k := range []byte(number) {
		if i > 0 {
			r.pass(320 * time.Millisecond)
		}
		last = r.path.at
		r.path.agentKey(k)
	}
	return last
}

// both is a key that the two legs hear as loud.
func (r *rig) both(k byte) {
	r.path.agentKey(k)
	r.path.events[len(r.path.events)-1].Both = true
}

// Whatever the line's state, it is open 1.2 s after the last key of a number began, to a period: what was keyed is void, the mark is gone, and no card is taken. Of a
// complete card the line still waits to hear that it is stored.
func TestAnEmergencyNumberOpensTheLine(t *testing.T) {
	const barred = "barred emergency_call true"
	for name, test := range map[string]struct {
		prepare func(*rig)
		says    []string
		state   session.State
	}{
		"armed":                 {func(r *rig) { r.armed("number") }, []string{"void cap emergency_call", barred, "idle"}, session.Idle},
		"keying":                {func(r *rig) { r.armed("number").keys("4242") }, []string{"void cap emergency_call", barred, "idle"}, session.Idle},
		"complete":              {func(r *rig) { r.finished() }, []string{barred}, session.Keying},
		"done":                  {func(r *rig) { r.finished(); r.ok(r.s.Stored("cap")); r.path.suspicion += 10 * second }, []string{barred, "idle"}, session.Idle},
		"void":                  {func(r *rig) { r.armed(""); r.ok(r.s.Cancel("cancelled")); r.path.suspicion += 10 * second }, []string{barred, "idle"}, session.Idle},
		"held":                  {func(r *rig) { r.ok(r.s.Hold("call_unknown")) }, []string{"idle", barred}, session.Idle},
		"held for a key of his": {func(r *rig) { r.armed("").path.agentKey('4'); r.pass(time.Second) }, []string{"idle", barred}, session.Idle},
		"idle":                  {func(r *rig) { r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at})) }, []string{barred}, session.Idle},
	} {
		for _, number := range numbers {
			t.Run(name+", "+number, func(t *testing.T) {
				virtual(t, func(t *testing.T) {
					r := newRig(t, helped)
					test.prepare(r)
					r.pass(2100 * time.Millisecond)
					r.log.said = nil
					last := r.dial(number)
					r.pass(audio.Rate8k.Duration(int64(last-r.path.at)) + 1180*time.Millisecond)
					if name != "done" && name != "void" { // whose own tail may end
						r.expect()
					}
					r.path.suspicion = min(r.path.suspicion, r.path.at)
					r.pass(20 * time.Millisecond)
					if name != "idle" && !r.path.open || r.marked() {
						t.Errorf("1.2 s after the last key, opened is %v, marked is %v", r.path.open, r.marked())
					}
					r.pass(time.Second)
					r.expect(test.says...)
					passed := name == "idle" || strings.HasPrefix(name, "held") // by itself, or who dialled it isn't known
					if dialled := strings.Join(r.dialled, ","); passed && dialled != "" || !passed && dialled != number {
						t.Errorf("the caller's side hears %q", dialled)
					}
					if test.state == session.Keying {
						r.ok(r.s.Stored("cap"))
						r.pass(time.Second)
						r.expect("done cap", "idle")
					}
					if err := r.s.Arm("cap-2", ""); !errors.Is(err, session.ErrBarred) || !strings.Contains(err.Error(), "emergency_call") {
						t.Errorf("to be armed, it says %v", err)
					}
				})
			})
		}
	}
}

// What may as well be the caller's opens nothing, and while a card is taken holds the line as ever.
func TestWhatIsNoEmergencyNumber(t *testing.T) {
	pause := func(d time.Duration) func(*rig) { return func(r *rig) { r.pass(d) } }
	agent := func(keys string) func(*rig) { return func(r *rig) { r.dial(keys) } }
	caller := func(k byte) func(*rig) { return func(r *rig) { r.path.key(k) } }
	for name, steps := range map[string][]func(*rig){
		"within more keys":             {agent("4112")},
		"before more keys":             {agent("112"), pause(900 * time.Millisecond), agent("4")},
		"after a key":                  {agent("4"), pause(1900 * time.Millisecond), agent("112")},
		"not whole":                    {agent("11"), pause(3 * time.Second)},
		"too slowly":                   {agent("1"), pause(2100 * time.Millisecond), agent("12")},
		"after a key of the caller's":  {caller('4'), pause(1900 * time.Millisecond), agent("112")},
		"between keys of the caller's": {agent("1"), caller('4'), pause(300 * time.Millisecond), agent("12")},
		"before a key of the caller's": {agent("112"), pause(900 * time.Millisecond), caller('4')},
		"that both legs hear": {func(r *rig) {
			r.both('1')
			r.pass(320 * time.Millisecond)
			r.both('1')
			r.pass(320 * time.Millisecond)
			r.both('2')
		}},
		"of which both legs hear a key": {agent("11"), pause(320 * time.Millisecond), func(r *rig) { r.both('2') }},
		"after what asks for something": {agent("*#1"), pause(320 * time.Millisecond), agent("112")},
		"in the midst of that":          {agent("*#"), pause(320 * time.Millisecond), agent("112")},
		"of others":                     {agent("113")},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				r := newRig(t, helped, asking).armed("number")
				r.pass(2100 * time.Millisecond)
				for _, step := range steps {
					step(r)
				}
				r.pass(5 * time.Second)
				if !slices.Contains(r.log.said, heldLegs) || r.path.open || len(r.dialled) > 0 {
					t.Errorf("it is opened %v, dials %q, and says %q", r.path.open, r.dialled, r.log.said)
				}
				r.is(session.Held)
			})
		})
	}
	virtual(t, func(t *testing.T) { // nor does what was keyed, in part, before the line was armed
		r := newRig(t, helped)
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at}))
		r.pass(3 * time.Second)
		r.dial("11")
		r.pass(320 * time.Millisecond)
		r.ok(r.s.Arm("cap", "number"))
		r.log.said = nil
		r.dial("2")
		r.pass(3 * time.Second)
		r.expect(voidLegs, heldLegs)
	})
}

// Cards, dates and codes with an emergency number in them, keyed by the caller on coupled legs, in any grouping: whether the caller's key is heard as his, as
// one of both, or as the agent's alone (the legs are swapped, or the coupling is an amplifier), the line is held with the first key.
func TestCoupledCardsOpenNothing(t *testing.T) {
	cards := []string{"4112911299900011", "5911120009991123", "340001129119991", "6759991120009119119", "2223000048400011", "4000000000000002", "4999112911000112"}
	for coupling, press := range map[string]func(r *rig, k byte){
		"as his, and later the agent's": func(r *rig, k byte) { r.path.key(k); r.pass(40 * time.Millisecond); r.path.agentKey(k) },
		"as both's":                     func(r *rig, k byte) { r.both(k) },
		"as the agent's":                func(r *rig, k byte) { r.path.agentKey(k) },
	} {
		t.Run(coupling, func(t *testing.T) {
			for _, card := range cards {
				for _, pause := range []time.Duration{0, time.Second, 2500 * time.Millisecond} { // before and after each number
					virtual(t, func(t *testing.T) {
						r := newRig(t, helped).armed("number")
						r.pass(2100 * time.Millisecond)
						for i, k := range []byte(card) {
							if i > 0 && i%3 == 1 {
								r.pass(pause)
							}
							press(r, k)
							r.pass(300 * time.Millisecond)
							if i == 1 {
								r.is(session.Held)
							}
							if len(r.log.cards) > 0 {
								t.Fatal("a card is taken")
							}
						}
						if coupling == "as the agent's" {
							return // held: from here on the line can't tell it from an agent who dials
						}
						r.pass(5 * time.Second)
						r.is(session.Held)
						if r.path.open || len(r.dialled) > 0 {
							t.Error("it is opened")
						}
					})
				}
			}
		})
	}
}

// An oracle that looks back from the end, over keys of both legs: the line is opened where, and only where, a number stands alone.
func TestANumberStandsAloneOrNot(t *testing.T) {
	type press struct {
		at     audio.Position
		key    byte
		agents bool
		both   bool
	}
	alone := func(all []press) bool {
		for from := range all {
			for to := from + 1; to <= len(all); to++ {
				var keys []byte
				fits := from == 0 || all[from].at-all[from-1].at > 2*second
				for i, p := range all[from:to] {
					fits = fits && p.agents && !p.both && (i == 0 || p.at-all[from+i-1].at <= 2*second)
					keys = append(keys, p.key)
				}
				if fits && (to == len(all) || all[to].at-all[to-1].at > 9600) && slices.Contains(numbers, string(keys)) {
					return true
				}
			}
		}
		return false
	}
	both := [2]int{}
	rapid.Check(t, func(rt *rapid.T) {
		var all []press
		at := 3 * second
		for range rapid.IntRange(1, 4).Draw(rt, "pieces") {
			piece := rapid.SampledFrom(append([]string{"1", "2", "9", "4", "11"}, numbers...)).Draw(rt, "piece")
			gap := rapid.SampledFrom([]audio.Position{2000, 2400, 8000, 15900, 16100}).Draw(rt, "gap")
			agents := rapid.IntRange(0, 3).Draw(rt, "leg") > 0
			for _, key := range []byte(piece) {
				all = append(all, press{at, key, agents, rapid.IntRange(0, 15).Draw(rt, "both") == 0})
				at += gap
			}
			at += rapid.SampledFrom([]audio.Position{0, 20000}).Draw(rt, "pause")
		}
		opened := false
		virtual(t, func(t *testing.T) {
			r := newRig(t, helped)
			r.ok(r.s.Hold("call_unknown")) // where the first wrong key changes nothing
			for _, p := range all {
				r.pass(audio.Rate8k.Duration(int64(p.at - r.path.at)))
				switch {
				case !p.agents:
					r.path.key(p.key)
				case p.both:
					r.both(p.key)
				default:
					r.path.agentKey(p.key)
				}
			}
			r.pass(5 * time.Second)
			opened = r.path.open
		})
		want := alone(all)
		if opened != want {
			var said []string
			for _, p := range all {
				said = append(said, fmt.Sprintf("%d agents=%v both=%v", p.at, p.agents, p.both))
			}
			rt.Fatalf("opened is %v and should be %v: %s", opened, want, strings.Join(said, "; "))
		}
		both[map[bool]int{true: 1}[want]]++
	})
	if both[0] == 0 || both[1] == 0 {
		t.Errorf("of all trials %d were no number, and %d were one", both[0], both[1])
	}
}

// While the call lasts, no card is taken, and nothing holds the line; then it is as ever. Where nobody tells of calls, somebody says so.
func TestAnEmergencyCallEnds(t *testing.T) {
	for name, test := range map[string]struct {
		end   func(*rig) error
		ended bool
	}{
		"the call ends":        {func(r *rig) error { return r.s.Edge(hw.Edge{Kind: hw.CallEnded, At: r.path.at}) }, true},
		"another begins":       {func(r *rig) error { return r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at}) }, true},
		"somebody says so":     {func(r *rig) error { return r.s.Acknowledge() }, true},
		"the source is lost":   {func(r *rig) error { return r.s.Edge(hw.Edge{Kind: hw.CallPresumed, At: r.path.at}) }, false},
		"and comes back in it": {func(r *rig) error { return r.s.Edge(hw.Edge{Kind: hw.CallJoined, At: r.path.at}) }, false},
		"the network speaks":   {func(r *rig) error { return r.s.NetworkSpoke() }, false},
		"sound stands":         {func(r *rig) error { return r.s.Stands() }, false},
		"the agent's side":     {func(r *rig) error { return r.s.OffHook() }, false},
		"it is quiet":          {func(r *rig) error { r.pass(10 * time.Minute); return r.s.Silent(10 * time.Minute) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				r := newRig(t, helped).armed("")
				r.pass(3 * time.Second)
				r.dial("112")
				r.pass(3 * time.Second)
				r.log.said = nil
				r.ok(test.end(r))
				if test.ended {
					r.expect("barred emergency_call false")
				} else {
					r.expect()
				}
				r.is(session.Idle)
				r.ok(r.s.Edge(hw.Edge{Kind: hw.CallPresumed, At: r.path.at}))
				if err := r.s.Arm("cap-2", ""); test.ended != (err == nil) {
					t.Errorf("to be armed, it says %v", err)
				}
			})
		})
	}
}

// Where a call begins on a line that is armed, held or still masks for the one before, what was keyed is void, and both legs are open at once. A complete card
// is kept until it is stored.
func TestACallThatBeginsIsOpenAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(*rig)
		says    []string
	}{
		"armed":                   {func(r *rig) { r.armed("") }, []string{"void cap call_ended", "idle"}},
		"keying":                  {func(r *rig) { r.armed("").keys("42") }, []string{"void cap call_ended", "idle"}},
		"right after the last":    {func(r *rig) { r.armed("").ok(r.s.Edge(hw.Edge{Kind: hw.CallEnded, At: r.path.at})) }, []string{"idle"}},
		"held":                    {func(r *rig) { r.ok(r.s.Hold("call_unknown")) }, []string{"idle"}},
		"complete":                {func(r *rig) { r.finished() }, nil},
		"stored, and still masks": {func(r *rig) { r.finished(); r.ok(r.s.Stored("cap")) }, []string{"idle"}},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				r := newRig(t, helped)
				test.prepare(r)
				r.log.said = nil
				r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at}))
				if !r.path.open {
					t.Error("the path isn't opened")
				}
				r.pass(220 * time.Millisecond) // what was suspect is over
				r.expect(test.says...)
				if name != "complete" {
					r.is(session.Idle)
					r.ok(r.s.Arm("cap-2", "number"))
					if r.path.open {
						t.Error("an armed path is open")
					}
				}
			})
		})
	}
	virtual(t, func(t *testing.T) { // and a number that is dialled at once is one
		r := newRig(t, helped).armed("")
		r.path.key('4')
		r.pass(20 * time.Millisecond)
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at}))
		r.pass(300 * time.Millisecond)
		r.log.said = nil
		r.dial("112")
		r.pass(2 * time.Second)
		r.expect("barred emergency_call true")
		if len(r.dialled) > 0 {
			t.Error("keys that went through are keyed again")
		}
	})
}

// Another agent on the agent's side knows nothing of the capture; the caller is the same, so his keys are masked as after any other end.
func TestTheAgentsSideGoesOffHook(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("")
		r.keys("42")
		r.log.said = nil
		r.ok(r.s.OffHook())
		r.expect("void cap agent_off_hook")
		r.is(session.Void)
		r.pass(2 * time.Second)
		r.is(session.Void)
		r.pass(2 * time.Second)
		r.expect("idle")
		r.ok(r.s.OffHook())
		r.expect()
	})
}

// Who tunes a line presses keys, too.
func TestALineThatIsTunedHeedsNoNumber(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t, helped)
		r.pass(3 * time.Second)
		r.ok(r.s.Tune())
		r.log.said = nil
		r.dial("112")
		r.pass(3 * time.Second)
		r.expect()
		r.is(session.Tuning)
	})
}

// As without numbers, a fault of the legs is told at the same moment for any key that a card begins with.
func TestAFaultOfTheLegsTellsNoKeyOfACard(t *testing.T) {
	virtual(t, func(t *testing.T) {
		var first audio.Position
		for _, key := range []byte("2345678") {
			r := newRig(t, helped).armed("number")
			r.pass(3 * time.Second)
			r.path.agentKey(key)
			for len(r.log.said) == 0 {
				r.pass(20 * time.Millisecond)
			}
			r.stop()
			if first == 0 {
				first = r.path.at
			}
			if r.path.at != first {
				t.Errorf("it is told at %d and at %d", first, r.path.at)
			}
		}
	})
}

func TestNumbersThatCannotBeKeyed(t *testing.T) {
	for _, number := range []string{"", "1 1 2", "*112", "+112"} {
		_, err := session.New(session.Config{Line: "x", Rate: audio.Rate8k, Profiles: map[string]capture.Profile{"card": {}}, Default: "card", Emergency: []string{number}},
			session.Deps{Path: newFakePath(), Observer: &log{}, Today: time.Now})
		if err == nil || !strings.Contains(err.Error(), "emergency number") {
			t.Errorf("%q: %v", number, err)
		}
	}
	var _ session.Path = (*path.Path)(nil)
}
