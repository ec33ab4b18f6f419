package session_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/hw"
)

func TestACallFromBeginningToEnd(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		r.expect("idle")
		r.is(session.Idle)
		r.log.fits = func(c *secret.Card) bool {
			return string(c.PAN.Reveal()) == visa && string(c.Expiry.Reveal()) == "1229" && string(c.CVV.Reveal()) == "123"
		}
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: 1}))
		r.ok(r.s.Arm("cap", ""))
		r.expect("armed cap")
		r.is(session.Armed)
		r.pass(time.Second)
		r.keys("4")
		r.expect("keying cap", "pan:1")
		r.is(session.Keying)
		r.keys(visa[1:])
		r.log.said = nil
		r.keys("1229")
		r.expect("expiry:1", "expiry:2", "expiry:3", "expiry:4", "expiry ok", "cvv:0")
		r.keys("123")
		r.expect("cvv:1", "cvv:2", "cvv:3", "cvv ok", "card cap")
		r.is(session.Keying)
		want := session.HandOver{Capture: "cap", Profile: "card", Brand: capture.Visa, Last4: "4242", ExpiryMonth: 12, ExpiryYear: 2029}
		if len(r.log.cards) != 1 || r.log.cards[0] != want {
			t.Error("what is told of the card differs")
		}
		if r.log.wrong {
			t.Error("card differs")
		}
		r.ok(r.s.Stored("cap"))
		r.expect("done cap")
		r.is(session.Done)
		if r.log.card.PAN.Len()+r.log.card.CVV.Len() != 0 {
			t.Error("the card outlives its storing")
		}
		r.keys("#") // masked, and nothing else
		r.pass(2800 * time.Millisecond)
		r.is(session.Done)
		r.pass(200 * time.Millisecond)
		r.expect("idle")
		r.is(session.Idle)
		r.ok(r.s.Arm("cap-2", "")) // the next one
		r.expect("armed cap-2")
	})
}

// A rehearsal takes no number but one of tests, and is a capture like any other but for that; the next one takes real cards again.
func TestARehearsalTakesTestCardsAlone(t *testing.T) {
	const another = "4242424242424259" // whose check digit fits
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: 1}))
		for i, test := range []struct {
			arm    func(captureID, profile string) error
			card   string
			number []string
		}{
			{r.s.Rehearse, another, []string{"pan not_a_test_card"}},
			{r.s.Rehearse, visa, []string{"pan ok", "card cap"}},
			{r.s.Arm, another, []string{"pan ok", "card cap"}},
		} {
			r.ok(test.arm("cap", "number"))
			r.keys(test.card[:len(test.card)-1])
			r.log.said = nil
			r.keys(test.card[len(test.card)-1:])
			r.pass(4 * time.Second) // a number that is refused ends by quiet
			if got := strings.Join(r.log.said, ", "); !strings.Contains(got, strings.Join(test.number, ", ")) || len(r.log.cards) != i {
				t.Errorf("%d: it says %s, and hands over %d cards", i, got, len(r.log.cards))
			}
			if i == 0 {
				r.ok(r.s.Cancel(capture.Cancelled))
			} else {
				r.ok(r.s.Stored("cap"))
			}
			r.pass(4 * time.Second)
			r.is(session.Idle)
		}
	})
}

// Where nobody tells when a call ends, a line may be armed at any time, and stays so for three minutes at most, whatever its profile says and
// though the caller talks and keys.
func TestAPresumedCallIsArmedForThreeMinutes(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallPresumed, At: 1}))
		r.ok(r.s.Arm("cap", "number"))
		armed := r.path.at
		r.keys("42")
		r.log.said = nil
		r.talk(3*time.Minute - time.Second - audio.Rate8k.Duration(int64(r.path.at-armed)))
		r.is(session.Keying)
		r.talk(time.Second)
		r.expect("void cap call_unwatched")
		r.pass(4 * time.Second)
		r.is(session.Idle)
		r.ok(r.s.Arm("cap-2", ""))
	})
}

// Whoever keyed there is gone once the network speaks. Where the line is told of calls, it waits for that.
func TestTheNetworkEndsAPresumedCall(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallPresumed, At: 1}))
		r.ok(r.s.NetworkSpoke())
		r.ok(r.s.Arm("cap", "number"))
		r.keys(visa[:10])
		r.log.said = nil
		r.ok(r.s.NetworkSpoke())
		r.expect("void cap call_ended")
		r.keys(visa)
		r.expect()
	})
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("number")
		r.ok(r.s.NetworkSpoke())
		r.is(session.Armed)
	})
}

// The agent is told once that the network was heard where it doesn't end the call.
func TestTheNetworkIsToldOf(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("number")
		r.ok(r.s.NetworkSpoke())
		r.ok(r.s.NetworkSpoke())
		r.expect("warn network_heard")
		r.is(session.Armed)
		r.ok(r.s.Cancel(capture.Cancelled))
		r.ok(r.s.NetworkSpoke())
		r.pass(4 * time.Second)
		r.ok(r.s.Arm("cap-2", ""))
		r.log.said = nil
		r.ok(r.s.NetworkSpoke())
		r.expect("warn network_heard")
	})
}

// Silence on both legs since the line was armed, and not before, ends a call that is only presumed.
func TestSilenceEndsAPresumedCall(t *testing.T) {
	silent := func(c *session.Config) { c.Silence = 10 * time.Second }
	arm := func(t *testing.T, call hw.EdgeKind, o option) *rig {
		r := newRig(t, o)
		r.ok(r.s.Edge(hw.Edge{Kind: call, At: 1}))
		r.pass(time.Minute)
		r.ok(r.s.Arm("cap", "number"))
		r.log.said = nil
		r.pass(9 * time.Second)
		r.ok(r.s.Silent(time.Minute))
		r.expect()
		r.pass(time.Second)
		return r
	}
	virtual(t, func(t *testing.T) {
		r := arm(t, hw.CallPresumed, silent)
		r.ok(r.s.Silent(10*time.Second - time.Millisecond))
		r.expect()
		r.ok(r.s.Silent(10 * time.Second))
		r.expect("void cap call_ended")
	})
	virtual(t, func(t *testing.T) { // and after a key, a second after its slot
		r := arm(t, hw.CallPresumed, silent)
		r.path.key('4')
		slot := (r.path.at/slot + 2) * slot
		r.pass(11*time.Second - time.Millisecond + audio.Rate8k.Duration(int64(slot-r.path.at)))
		r.log.said = nil
		r.ok(r.s.Silent(time.Hour))
		r.expect()
		r.pass(time.Millisecond)
		r.ok(r.s.Silent(time.Hour))
		r.expect("void cap call_ended")
	})
	for name, r := range map[string]func(*testing.T) *rig{
		"a call that is told of": func(t *testing.T) *rig { return arm(t, hw.CallBegan, silent) },
		"0 is never":             func(t *testing.T) *rig { return arm(t, hw.CallPresumed, func(c *session.Config) { c.Silence = 0 }) },
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				r := r(t)
				r.ok(r.s.Silent(time.Hour))
				r.expect()
			})
		})
	}
}

// Once what told of calls is away, nobody would tell that this one has ended: what was being keyed is void. The next one is armed as where
// nobody ever told.
func TestASourceThatIsLost(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("number")
		r.keys(visa[:10])
		r.log.said = nil
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallPresumed, At: r.path.at}))
		r.expect("void cap source_lost")
		r.keys(visa)
		r.expect()
		r.pass(4 * time.Second)
		r.is(session.Idle)
		r.ok(r.s.Arm("cap-2", "number"))
		r.log.said = nil
		r.talk(3 * time.Minute)
		r.expect("void cap-2 call_unwatched")
		r.pass(4 * time.Second)
		r.ok(r.s.Arm("cap-3", "number"))
		r.log.said = nil
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallJoined, At: r.path.at})) // it is back, and sees a call
		r.expect("void cap-3 call_unknown", "held cap-3 call_unknown")
	})
}

// A calls, keys ten digits and hangs up; B, who is put through two seconds later, keys the rest. Nobody has a card.
func TestTheNextCallersKeysJoinNothing(t *testing.T) {
	for name, between := range map[string]func(*rig){
		"told of":            func(r *rig) { r.ok(r.s.Edge(hw.Edge{Kind: hw.CallEnded, At: r.path.at})) },
		"the end was missed": func(*rig) {},
		"there is none":      nil,
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				r := newRig(t).armed("number")
				r.keys(visa[:10])
				r.log.said = nil
				if between == nil { // the same caller all the time: this test would see a card
					r.keys(visa[10:])
					if len(r.log.cards) != 1 {
						t.Error("no card")
					}
					return
				}
				between(r)
				r.pass(2 * time.Second)
				r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at}))
				r.expect("void cap call_ended")
				r.keys(visa[10:])
				r.pass(4 * time.Second)
				r.expect("idle")
				if len(r.log.cards) != 0 {
					t.Error("a card of two callers")
				}
			})
		})
	}
}

// That calls are only presumed says nothing of the one that a held line was in.
func TestAPresumedCallReleasesNothing(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := held(t, "mark")
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallPresumed, At: r.path.at}))
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallJoined, At: r.path.at})) // nor does one that was joined
		r.pass(time.Minute)
		r.is(session.Held)
	})
}

// Sound that stands voids what is being captured and holds the line; it touches neither an idle line nor a complete card.
func TestStandingSound(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("number")
		r.keys("42")
		r.log.said = nil
		r.ok(r.s.Stands())
		r.expect("void cap sound_stands", "held cap sound_stands")
		r.ok(r.s.Stands())
		r.expect()
		r.ok(r.s.Acknowledge())
		r.pass(4 * time.Second)
		r.is(session.Idle)
		r.ok(r.s.Stands())
		r.is(session.Idle)
	})
	virtual(t, func(t *testing.T) {
		r := newRig(t).finished()
		r.ok(r.s.Stands())
		r.is(session.Keying)
		r.ok(r.s.Stored("cap"))
		r.is(session.Done)
	})
}

// The masker's tail may be over at once; armed masking lasts a second all the same, and so does the mark.
func TestTheTailIsAtLeastASecond(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("")
		r.ok(r.s.Cancel(capture.Cancelled))
		r.path.armed = false
		r.pass(980 * time.Millisecond)
		r.is(session.Void)
		r.pass(40 * time.Millisecond)
		r.is(session.Idle)
		r.expect("void cap cancelled", "idle")
	})
}

func TestEveryWayToVoid(t *testing.T) {
	for name, way := range map[string]struct {
		act    func(*rig)
		reason string
	}{
		"cancel":    {func(r *rig) { r.ok(r.s.Cancel(capture.Cancelled)) }, "cancelled"},
		"shutdown":  {func(r *rig) { r.ok(r.s.Cancel(capture.Shutdown)) }, "shutdown"},
		"call ends": {func(r *rig) { r.ok(r.s.Edge(hw.Edge{Kind: hw.CallEnded, At: r.path.at})) }, "call_ended"},
		"call lost": {func(r *rig) { r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at})) }, "call_ended"},
		"fault":     {func(r *rig) { r.path.faults++; r.pass(20 * time.Millisecond) }, "fault"},
		"no keys":   {func(r *rig) { r.pass(21 * time.Second) }, "timeout_between_keys"},
		"too slow":  {func(r *rig) { r.talk(5 * time.Minute); r.pass(4 * time.Second) }, "timeout_overall"},
		"refused": {func(r *rig) {
			r.keys("#")
			r.pass(2 * time.Second)
			r.keys("42#")
			r.pass(2 * time.Second)
			r.keys("42#")
		}, "too_many_tries"},
		"not stored": {func(r *rig) { r.keys(visa[2:]); r.ok(r.s.NotStored("cap", true)) }, "not_stored"},
		"no answer":  {func(r *rig) { r.keys(visa[2:]); r.sleep(31 * time.Second) }, "store_timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				r := newRig(t).armed("number")
				r.keys("42")
				r.log.said = nil
				way.act(r)
				if last := r.log.said[len(r.log.said)-1]; last != "void cap "+way.reason {
					t.Errorf("says %q at the end", last)
				}
				if c := r.log.card; c != nil && c.PAN.Len() != 0 {
					t.Error("the card isn't wiped")
				}
				r.is(session.Void)
				r.keys("999") // they belong to nobody
				r.pass(4 * time.Second)
				r.is(session.Idle)
				if !strings.HasSuffix(strings.Join(r.log.said, ", "), way.reason+", idle") {
					t.Error("keys after the end are told of")
				}
				if err := r.s.Stored("cap"); !errors.Is(err, session.ErrNoCapture) {
					t.Errorf("stored too late: %v", err)
				}
			})
		})
	}
}

// talk passes time in which the caller speaks.
func (r *rig) talk(d time.Duration) {
	for end := r.path.at + audio.Position(audio.Rate8k.Frames(d)); r.path.at < end; {
		r.path.speech = r.path.at
		r.pass(100 * time.Millisecond)
	}
}

func TestSpeechHoldsTheWaitForAKey(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("")
		r.keys("42")
		r.log.said = nil
		r.talk(time.Minute)
		r.expect()
		r.pass(11 * time.Second)
		r.expect("warn key_waiting")
		r.ok(r.s.MoreTime())
		r.pass(19 * time.Second)
		r.expect("warn key_waiting")
		r.pass(1500 * time.Millisecond)
		r.expect("void cap timeout_between_keys")
	})
}

func TestStarsAreShownInTheirSlots(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("")
		r.pass(time.Second)
		r.path.key('4') // both decided by now, in slots 200 and 700 ms ahead
		r.path.key('2')
		from := r.path.at
		due := (from/slot + 2) * slot
		r.path.events[2].Slot = due + 5*slot
		r.path.at = due - 1
		r.ok(r.s.Follow(due - 1))
		r.expect()
		r.path.at = due
		r.ok(r.s.Follow(due))
		r.expect("keying cap", "pan:1")
		r.ok(r.s.Follow(due + 5*slot - 1))
		r.expect()
		r.ok(r.s.Follow(due + 5*slot))
		r.expect("pan:2")
		if len(r.cues) != 2 || r.cues[0] != due || r.cues[1] != due+5*slot {
			t.Errorf("the caller's cues are off the slots: %v", r.cues)
		}
	})
}

// A key whose slot is still to come holds the capture's clock, so that no time-out overtakes it.
func TestATimeOutDoesNotOvertakeAKey(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("")
		r.keys("4")
		r.pass(19800 * time.Millisecond)
		r.log.said = nil
		r.path.key('2')
		r.path.events[0].Slot += second
		r.pass(500 * time.Millisecond)
		r.path.speech = r.path.at // speech doesn't, either
		r.pass(400 * time.Millisecond)
		r.expect()
		r.pass(time.Second)
		r.expect("pan:2")
	})
}

func TestKeysFromBeforeArmingAreNotCaptured(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan}))
		r.pass(time.Second)
		r.keys("99")
		r.path.key('9') // it sounds while the line is armed
		r.path.pass(r.path.at + 80)
		r.ok(r.s.Arm("cap", ""))
		r.log.said = nil
		r.pass(time.Second)
		r.expect()
		if len(r.cues) != 0 {
			t.Errorf("%d cues for keys that nobody asked for", len(r.cues))
		}
	})
}

func TestUnclearKeys(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("number")
		r.keys("42")
		r.log.said = nil
		at := r.path.at
		r.path.events = append(r.path.events, path.Event{Kind: path.Unclear, Start: at, End: at + 400, Decided: at + 500, Slot: at + 2*slot})
		r.pass(100 * time.Millisecond)
		r.expect()
		r.pass(200 * time.Millisecond)
		r.expect("pan unclear_key")
		r.pass(2 * time.Second)
		r.expect("pan:0")
	})
}

func TestFieldsAreOpenedAndClosedForTheShield(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("")
		r.keys(visa)
		r.pass(20 * time.Millisecond)
		r.keys("1229123")
		if want := ")" + "()" + "()" + "()"; r.path.fields != want {
			t.Errorf("fields: %q, want %q", r.path.fields, want)
		}
		if r.path.blinked {
			t.Error("a field is closed too shortly for the path to see")
		}
		r.ok(r.s.Stored("cap"))
		if strings.HasSuffix(r.path.fields, "(") {
			t.Error("a field stays open at the end")
		}
	})
}

func TestACardIsKeptUntilItIsStored(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		r.log.fits = func(c *secret.Card) bool { return string(c.PAN.Reveal()) == visa }
		r.finished()
		r.ok(r.s.Reconnected())
		r.expect("card cap")
		r.ok(r.s.NotStored("cap", false))
		r.expect()
		r.sleep(1100 * time.Millisecond)
		r.expect("card cap")
		for name, c := range map[string]struct{ got, want error }{
			"stored another":     {r.s.Stored("other"), session.ErrNoCapture},
			"not stored another": {r.s.NotStored("other", true), session.ErrNoCapture},
			"cancel":             {r.s.Cancel(capture.Cancelled), session.ErrComplete},
			"more time":          {r.s.MoreTime(), session.ErrComplete},
			"again":              {r.s.Again(capture.PAN), session.ErrComplete},
		} {
			if !errors.Is(c.got, c.want) {
				t.Errorf("%s: %v", name, c.got)
			}
		}
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallEnded, At: r.path.at})) // the card is complete: it is stored all the same
		r.pass(time.Minute)                                        // audio time alone gives nothing up
		r.is(session.Keying)
		r.expect()
		if r.log.wrong {
			t.Error("card differs")
		}
		r.sleep(20 * time.Second)
		r.ok(r.s.Stored("cap"))
		r.expect("done cap")
		r.ok(r.s.Reconnected())
		r.sleep(time.Minute)
		r.expect()
		for _, h := range r.log.cards {
			if h != r.log.cards[0] {
				t.Error("a card is handed over again as another")
			}
		}
	})
}

func TestArmRefuses(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		refused := func(profile string, want error) {
			t.Helper()
			if err := r.s.Arm("cap-2", profile); !errors.Is(err, want) {
				t.Errorf("arm: %v, want %v", err, want)
			}
		}
		refused("", session.ErrNoCall)
		r.is(session.Idle)
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: 1}))
		refused("loyalty", session.ErrProfile)
		r.is(session.Idle)
		r.ok(r.s.Arm("cap", ""))
		refused("", session.ErrBusy)
		r.keys("4")
		refused("", session.ErrBusy)
		r.ok(r.s.Cancel(capture.Cancelled))
		refused("", session.ErrBusy)
		r.pass(4 * time.Second)
		r.ok(r.s.Arm("cap", ""))
		r.ok(r.s.Hold(capture.LineBroken))
		refused("", session.ErrHeld)
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallEnded, At: r.path.at}))
		refused("", session.ErrNoCall)
	})
}

func TestAMarkThatCantBeWrittenArmsNothing(t *testing.T) {
	virtual(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		// A folder whose name is a file's: not even looking for the mark works, so the line is held.
		r := newRig(t, in(file))
		r.expect("held  line_restarted")
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: 1}))
		r.log.said = nil
		if err := r.s.Arm("cap", ""); err == nil || errors.Is(err, session.ErrHeld) || !strings.Contains(err.Error(), "desk-1") {
			t.Errorf("arm: %v", err)
		}
		if r.path.asked != mask.Idle {
			t.Error("the path is armed")
		}
		r.expect()
	})
}

func TestAMarkThatStaysIsToldOf(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t).armed("")
		name := filepath.Join(r.dir, "desk-1")
		if err := errors.Join(os.Remove(name), os.Mkdir(name, 0o700), os.WriteFile(filepath.Join(name, "x"), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		r.ok(r.s.Cancel(capture.Cancelled))
		r.pass(4 * time.Second)
		r.expect("void cap cancelled", "warn mark_stays", "idle")
	})
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	good := session.Config{Line: "a", Rate: audio.Rate8k, MarkDir: t.TempDir(), Default: "card", Profiles: map[string]capture.Profile{"card": {}}}
	for name, spoil := range map[string]func(*session.Config){
		"line":    func(c *session.Config) { c.Line = "../a" },
		"no line": func(c *session.Config) { c.Line = "" },
		"dots":    func(c *session.Config) { c.Line = ".." },
		"rate":    func(c *session.Config) { c.Rate = 11025 },
		"default": func(c *session.Config) { c.Default = "other" },
		"profile": func(c *session.Config) { c.Profiles = map[string]capture.Profile{"card": {Tries: -1}} },
	} {
		cfg := good
		spoil(&cfg)
		if _, err := session.New(cfg, session.Deps{Path: newFakePath(), Observer: &log{}, Today: time.Now}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
