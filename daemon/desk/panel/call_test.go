package panel

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/control"
)

// The outcomes of a call, each by its name.

func inCall(t *testing.T, test func(r *rig)) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		test(r)
	})
}

func payment(state, reason string) control.Event {
	return control.Event{Kind: control.KindPayment, Capture: "c1", Payment: "p1", State: state, Reason: reason}
}

func void(reason string) control.Event {
	return control.Event{Kind: control.KindState, Capture: "c1", State: control.StateVoid, Reason: reason}
}

func TestAWholePayment(t *testing.T) {
	inCall(t, func(r *rig) {
		r.box.payments["p1"] = control.Payment{ID: "p1", Line: "one", Amount: "12.30", Currency: "EUR", Reference: "order 7"}
		has(r.t, r.page("anna"), "This is your call", "/do/start", "card: Card number, Expiry date, Security code (charged by till)", "plain: Card number (stored only)")
		r.do("anna", "start", "profile", "card", "amount", "12,30", "currency", "eur", "reference", "order 7", "consent", "1")
		if got := r.box.told(); got != "anna: charge one card 12.30EUR of  for order 7 bill  consent true" {
			t.Errorf("the box was told %q", got)
		}
		r.tell(append(begun("c1"), payment(control.PaymentWanted, ""))...)
		has(r.t, r.page("anna"), "The caller keys the card", "●●●●●", "12.30 EUR", "order 7", "Security code", "not yet")
		r.tell(control.Event{Kind: control.KindVerdict, Capture: "c1", Field: "pan", Code: "ok", Brand: "visa", Last4: "4242"})
		has(r.t, r.page("anna"), "accepted, Visa, ending in 4242")
		r.tell(payment(control.PaymentAsked, ""), control.Event{Kind: control.KindState, Capture: "c1", State: control.StateDone}, payment(control.PaymentApproved, ""))
		page := r.page("anna")
		has(r.t, page, "Approved", "12.30 EUR", "/do/refund", "/do/void", "in a moment")
		hasNot(r.t, page, "/do/start")
		r.tell(control.Event{Kind: control.KindState, State: control.StateIdle})
		has(r.t, r.page("anna"), "Approved", "/do/start")
		r.do("anna", "refund", "payment", "p1")
		r.do("anna", "void", "payment", "p1")
		if got := r.box.told(); got != "anna: refund p1 ; anna: void p1 " {
			t.Errorf("the box was told %q", got)
		}
	})
}

func TestOutcomesAreSaid(t *testing.T) {
	for name, c := range map[string]struct {
		event control.Event
		want  string
	}{
		"declined":           {payment(control.PaymentDeclined, "funds"), "Declined: Not enough money, or a limit."},
		"unknown":            {payment(control.PaymentUnknown, ""), "Unknown, being checked. Do not take the card again."},
		"held as a double":   {payment(control.PaymentHeld, ""), "/do/confirm"},
		"not charged":        {payment(control.PaymentFailed, "not_there"), "Not charged: The provider never got it. Take the card again."},
		"abandoned":          {payment(control.PaymentAbandoned, ""), "Not charged: no card was taken"},
		"the provider away":  {payment(control.PaymentWaiting, ""), "It will be charged later."},
		"stored":             {control.Event{Kind: control.KindToken, Capture: "c1", Token: "tok"}, "The card is stored."},
		"agent's mistake":    {void("cancelled"), "No card was taken.</b> It was given up."},
		"abandoned call":     {void("timeout_overall"), "It took too long."},
		"transfer":           {void("agent_off_hook"), "Your phone was hung up and picked up again."},
		"refused too often":  {void("too_many_tries"), "It was refused too often."},
		"the line's fault":   {void("fault"), "The line had a fault."},
		"refund is done":     {control.Event{Kind: control.KindAct, Capture: "c1", Payment: "p1", Act: "a", Code: "refund", State: "done"}, "Refunding is done"},
		"undoing is refused": {control.Event{Kind: control.KindAct, Capture: "c1", Payment: "p1", Act: "a", Code: "void", State: "declined", Reason: "too_late"}, "Undoing was declined: The provider was away for too long."},
	} {
		t.Run(name, func(t *testing.T) {
			inCall(t, func(r *rig) {
				r.tell(append(begun("c1"), payment(control.PaymentReady, ""), control.Event{Kind: control.KindState, Capture: "c1", State: control.StateDone}, c.event)...)
				has(t, r.page("anna"), c.want)
			})
		})
	}
}

func TestHangUpInAField(t *testing.T) {
	inCall(t, func(r *rig) {
		r.tell(append(begun("c1"), void("call_ended"), control.Event{Kind: control.KindState, State: control.StateIdle}, control.Event{Kind: control.KindCall, Code: control.CallEnded}, control.Event{Kind: control.KindBond, Agent: "anna"})...)
		has(t, r.page("anna"), "The call has ended.", "No card was taken.</b> The call ended.", "Which line is your call on?")
		hasNot(t, r.page("bob"), "The call has ended.")
		r.tell(control.Event{Kind: control.KindCall, Code: control.CallBegan})
		hasNot(t, r.page("anna"), "The call has ended.", "No card was taken", "This is your call")
	})
}

func TestHold(t *testing.T) {
	// A call that is on hold has no edge: the agent keeps his line, and the caller's pause is warned of.
	inCall(t, func(r *rig) {
		r.tell(append(begun("c1"), control.Event{Kind: control.KindWarning, Capture: "c1", Code: "key_waiting"})...)
		has(t, r.page("anna"), "Does the caller need more time?", "/do/more")
		r.do("anna", "more")
		if got := r.box.told(); got != "anna: more one" {
			t.Errorf("the box was told %q", got)
		}
	})
}

func TestTransferToAnotherAgent(t *testing.T) {
	// Bob takes anna's call over by proving it: hers no more, from then on.
	inCall(t, func(r *rig) {
		r.tell(control.Event{Kind: control.KindBond, Agent: "bob", On: true})
		hasNot(t, r.page("anna"), "This is your call", "/do/cover")
		r.do("anna", "cancel")
		if got := r.box.told(); got != "" {
			t.Errorf("anna commanded %q", got)
		}
	})
}

func TestConferenceIsAnEdge(t *testing.T) {
	inCall(t, func(r *rig) {
		r.tell(control.Event{Kind: control.KindCall, Code: control.CallJoined}, control.Event{Kind: control.KindBond, Agent: "anna"})
		page := r.page("anna")
		has(t, page, "Which line is your call on?")
		hasNot(t, page, "This is your call")
	})
}

func TestSecondCardForTheSameBill(t *testing.T) {
	inCall(t, func(r *rig) {
		r.box.payments["p1"] = control.Payment{ID: "p1", Line: "one", Amount: "10.00", Currency: "EUR", Reference: "order 7", Bill: "p1", Total: "30.00", Left: "20.00"}
		r.tell(append(begun("c1"), control.Event{Kind: control.KindState, Capture: "c1", State: control.StateDone}, payment(control.PaymentApproved, ""), control.Event{Kind: control.KindState, State: control.StateIdle})...)
		has(t, r.page("anna"), "/do/second")
		r.do("anna", "second", "payment", "p1")
		has(t, r.page("anna"), "Left to pay: 20.00 EUR", `value="20.00"`, `name="bill" value="p1"`)
		r.do("anna", "start", "profile", "card", "amount", "20.00", "currency", "EUR", "bill", "p1")
		if got := r.box.told(); got != "anna: charge one card 20.00EUR of  for  bill p1 consent false" {
			t.Errorf("the box was told %q", got)
		}
	})
}

func TestTheAgentsMistake(t *testing.T) {
	inCall(t, func(r *rig) {
		r.box.fails(&control.Error{Code: control.CodeNotCharged, Text: "12.345 has too many digits for EUR", Remedy: "write two"})
		r.do("anna", "start", "profile", "card", "amount", "12.345", "currency", "EUR", "reference", "order 7")
		has(t, r.page("anna"), "That can&#39;t be charged", "12.345 has too many digits for EUR: write two", `value="12.345"`, `value="order 7"`)
		r.box.fails(nil)
		r.do("anna", "start", "profile", "plain", "store", "1")
		hasNot(t, r.page("anna"), "too many digits")
		if got := r.box.told(); got != "anna: charge one card 12.345EUR of  for order 7 bill  consent false; anna: arm one plain" {
			t.Errorf("the box was told %q", got)
		}
	})
}

func TestOneFieldAgainAndCover(t *testing.T) {
	inCall(t, func(r *rig) {
		r.tell(begun("c1")...)
		r.do("anna", "again", "field", "pan")
		r.do("anna", "cover", "on", "1")
		r.do("anna", "cover")
		r.do("anna", "cancel")
		if got := r.box.told(); got != "anna: again one pan; anna: cover one true; anna: cover one false; anna: disarm one" {
			t.Errorf("the box was told %q", got)
		}
		r.tell(control.Event{Kind: control.KindCover, On: true})
		has(t, r.page("anna"), "hear noise in place of the caller", "Let the caller be heard")
	})
}

func TestTheWordsAreProven(t *testing.T) {
	inCall(t, func(r *rig) {
		r.tell(control.Event{Kind: control.KindBond, Agent: "anna"}, control.Event{Kind: control.KindBar, Line: "two", Code: "untuned", On: true})
		has(t, r.page("carol"), "Which line is your call on?", `value="one"`, "The line has not been measured yet.")
		r.do("carol", "prove", "line", "two") // barred, and bob's
		has(t, r.page("carol"), "That is not on your line.")
		r.do("carol", "prove", "line", "one")
		has(t, r.page("carol"), "Which two words do you hear?", "boat")
		r.do("carol", "pick", "word", "lorry")
		r.do("carol", "pick", "word", "boat")
		has(t, r.page("carol"), "First word: boat. Now pick the second one.")
		r.box.fails(&control.Error{Code: control.CodeWrongWords})
		r.do("carol", "pick", "word", "ink")
		has(t, r.page("carol"), "Those were not the words. Listen again.", "Which line is your call on?")
		if got := r.box.told(); got != "carol: prove one in en; carol: bind one proof [boat ink]" {
			t.Errorf("the box was told %q", got)
		}
		r.box.fails(nil)
		r.do("carol", "prove", "line", "one")
		time.Sleep(time.Minute)
		has(t, r.page("carol"), "Which line is your call on?")
	})
}

// TestAnAgentReachesHisOwnLineOnly: whatever a request says, and whoever's payment it names.
func TestAnAgentReachesHisOwnLineOnly(t *testing.T) {
	inCall(t, func(r *rig) {
		r.box.payments["p1"] = control.Payment{ID: "p1", Line: "one", Amount: "12.30", Currency: "EUR", Reference: "secret order"}
		r.tell(append(begun("c1"), payment(control.PaymentApproved, ""))...)
		hasNot(t, r.page("bob"), "●", "secret order", "p1", "b-cancel")
		hasNot(t, r.page("carol"), "●", "secret order", "p1", "b-cancel")
		for _, verb := range []string{"confirm", "drop", "void", "refund", "second"} {
			r.do("bob", verb, "payment", "p1", "line", "one")
			has(t, r.page("bob"), "That is not on your line.")
		}
		for verb := range verbs {
			if verb == "prove" { // whose words are what makes a line hers
				continue
			}
			r.do("carol", verb, "line", "one", "payment", "p1", "field", "pan", "amount", "1", "word", "boat")
		}
		r.do("bob", "start", "line", "one", "profile", "card", "amount", "1", "bill", "p1")
		if got := r.box.told(); got != "" {
			t.Errorf("the box was told %q", got)
		}
		r.do("bob", "cancel", "line", "one")
		if got := r.box.told(); got != "bob: disarm two" {
			t.Errorf("the box was told %q", got)
		}
	})
}

func TestBrowserClosed(t *testing.T) {
	inCall(t, func(r *rig) {
		r.page("anna")
		w := r.watch("anna")
		r.tell(begun("c1")...)
		time.Sleep(time.Hour)
		w.close()
		time.Sleep(alone - time.Millisecond)
		synctest.Wait()
		if got := r.box.told(); got != "" {
			t.Errorf("too early the box was told %q", got)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if got := r.box.told(); got != "anna: disarm one" {
			t.Errorf("the box was told %q", got)
		}
		r.tell(void("cancelled"))
		has(t, r.page("anna"), "The card was given up, because the panel was closed for 10 seconds.")
	})
}

func TestBrowserClosedIsTriedAgainWhereItFails(t *testing.T) {
	inCall(t, func(r *rig) {
		r.tell(begun("c1")...)
		r.page("anna") // without a script: the page itself says that he is there
		r.box.fails(&control.Error{Code: control.CodeUnreachable})
		time.Sleep(alone + retry + retry/2)
		synctest.Wait()
		if got := r.box.told(); got != "anna: disarm one; anna: disarm one" {
			t.Errorf("the box was told %q", got)
		}
	})
}

func TestAReloadKeepsTheCard(t *testing.T) {
	inCall(t, func(r *rig) {
		w := r.watch("anna")
		r.tell(begun("c1")...)
		for range 5 {
			w.close()
			time.Sleep(alone - time.Second)
			r.page("anna")
			time.Sleep(alone - time.Second)
			w = r.watch("anna")
		}
		time.Sleep(time.Hour)
		if got := r.box.told(); got != "" {
			t.Errorf("the box was told %q", got)
		}
		w.close()
	})
}

// TestWhatNoPanelShowedIsNotGivenUp: somebody else's software began it, and looks after it.
func TestWhatNoPanelShowedIsNotGivenUp(t *testing.T) {
	inCall(t, func(r *rig) {
		r.tell(begun("c1")...)
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := r.box.told(); got != "" {
			t.Errorf("the box was told %q", got)
		}
	})
}
