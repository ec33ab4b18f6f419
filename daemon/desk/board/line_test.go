package board

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/daemon/control"
)

// Short hands for events.
func state(capture, state, reason string) control.Event {
	return control.Event{Kind: control.KindState, Line: "one", Capture: capture, State: state, Reason: reason}
}
func key(field string, stars int) control.Event {
	return control.Event{Kind: control.KindKey, Line: "one", Capture: "c1", Field: field, Stars: stars}
}
func verdict(field, code string) control.Event {
	e := control.Event{Kind: control.KindVerdict, Line: "one", Capture: "c1", Field: field, Code: code}
	if field == "pan" && code == control.CodeOK {
		e.Brand, e.Last4 = "visa", "4242"
	}
	return e
}
func call(edge string) control.Event {
	return control.Event{Kind: control.KindCall, Line: "one", Code: edge}
}
func bond(agent string, on bool) control.Event {
	return control.Event{Kind: control.KindBond, Line: "one", Agent: agent, On: on}
}
func pay(state, reason string) control.Event {
	return control.Event{Kind: control.KindPayment, Line: "one", Capture: "c1", Payment: "p1", State: state, Reason: reason}
}

func up() []control.Event {
	return []control.Event{{Kind: control.KindLineUp, Line: "one"}, state("", control.StateIdle, ""), call(control.CallBegan), bond("anna", true)}
}

// shown is a view as a person would tell it.
func shown(v View) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", cmp.Or(v.Red("anna"), "green"), v.State)
	for _, f := range v.Fields {
		fmt.Fprintf(&b, " %s:%s", f.Name, f.State)
		for _, more := range []string{strings.Repeat("*", f.Stars), f.Code, f.Brand, f.Last4} {
			if more != "" {
				fmt.Fprintf(&b, ",%s", more)
			}
		}
	}
	if v.Warning != "" {
		b.WriteString(" warning:" + v.Warning)
	}
	if p, ok := v.Paying(); ok {
		fmt.Fprintf(&b, " payment:%s,%s", p.State, p.Reason)
		if p.Later {
			b.WriteString(",later")
		}
	}
	return b.String()
}

func told(events ...control.Event) View {
	l := &line{}
	l.seed(control.Line{Name: "one", Place: "trunk-side"})
	for _, e := range events {
		l.apply(e)
	}
	return l.view
}

func TestWhatALineSaysIsSeen(t *testing.T) {
	armed := append(up(), state("c1", control.StateArmed, ""))
	pan := append(slices.Clone(armed), state("c1", control.StateKeying, ""), key("pan", 1), key("pan", 16), verdict("pan", "ok"))
	for _, c := range []struct {
		name   string
		events []control.Event
		want   string
	}{
		{"nothing yet", nil, "line_down "},
		{"up, and nobody on it", up()[:2], "no_call idle"},
		{"a call that nobody has proven", up()[:3], "not_proven idle"},
		{"proven", up(), "green idle"},
		{"somebody else's", append(up()[:3:3], bond("bob", true)), "bound_another idle"},
		{"given up", append(up(), bond("anna", false)), "not_proven idle"},
		{"held", append(up(), state("", control.StateHeld, "call_unknown")), "call_unknown held"},
		{"untuned", append(up(), control.Event{Kind: control.KindBar, Line: "one", Code: "untuned", On: true}), "untuned idle"},
		{"tuned by now", append(up(), control.Event{Kind: control.KindBar, Line: "one", Code: "untuned", On: true}, control.Event{Kind: control.KindBar, Line: "one", Code: "untuned"}), "green idle"},
		{"its self-test failed", append(up(), control.Event{Kind: control.KindBar, Line: "one", Code: "self_test_failed", On: true}), "self_test_failed idle"},
		{"being tuned", append(up(), state("", control.StateTuning, "")), "tuning tuning"},
		{"its process ended", append(up(), control.Event{Kind: control.KindLineDown, Line: "one", Reason: "process_down"}), "process_down idle"},
		{"presumed to be in a call", append(up()[:2:2], call(control.CallPresumed), bond("anna", true)), "green idle"},
		{"armed", armed, "green armed pan:open"},
		{"keying", append(slices.Clone(armed), key("pan", 3)), "green armed pan:open,***"},
		{"a good number", pan, "green keying pan:good,****************,visa,4242"},
		{"a number too short", append(slices.Clone(armed), key("pan", 3), verdict("pan", "too_short")), "green armed pan:refused,***,too_short"},
		{"emptied after it was refused", append(slices.Clone(armed), key("pan", 3), verdict("pan", "too_short"), key("pan", 0)), "green armed pan:refused,too_short"},
		{"keyed again", append(slices.Clone(armed), key("pan", 3), verdict("pan", "too_short"), key("pan", 0), key("pan", 1)), "green armed pan:open,*"},
		{"asked for again", append(slices.Clone(pan), key("expiry", 2), key("pan", 0)), "green keying pan:open expiry:waiting,**"},
		{"no star of a security code", append(slices.Clone(pan), key("cvv", 1), key("cvv", 2)), "green keying pan:good,****************,visa,4242 cvv:open"},
		{"its stars once it is judged", append(slices.Clone(pan), key("cvv", 1), key("cvv", 2), key("cvv", 3), verdict("cvv", "ok")), "green keying pan:good,****************,visa,4242 cvv:good,***"},
		{"and of a wrong one", append(slices.Clone(pan), key("cvv", 1), verdict("cvv", "cvv_length")), "green keying pan:good,****************,visa,4242 cvv:refused,*,cvv_length"},
		{"a pause", append(slices.Clone(armed), key("pan", 3), control.Event{Kind: control.KindWarning, Line: "one", Code: "key_waiting"}), "green armed pan:open,*** warning:key_waiting"},
		{"and its end", append(slices.Clone(armed), key("pan", 3), control.Event{Kind: control.KindWarning, Line: "one", Code: "key_waiting"}, key("pan", 4)), "green armed pan:open,****"},
		{"void", append(slices.Clone(armed), key("pan", 3), state("c1", control.StateVoid, "timeout_overall")), "green void pan:open,***"},
		{"hung up while keying", append(slices.Clone(armed), key("pan", 3), state("c1", control.StateVoid, "call_ended"), call(control.CallEnded), bond("anna", false)), "no_call void pan:open,***"},
		{"the next call", append(slices.Clone(pan), call(control.CallEnded), bond("anna", false), state("", control.StateIdle, ""), call(control.CallBegan)), "not_proven idle"},
		{"a payment that waits for its card", append(slices.Clone(armed), pay(control.PaymentWanted, "")), "green armed pan:open payment:wanted,"},
		{"one to be charged later", append(slices.Clone(armed), pay(control.PaymentWanted, "gateway_away"), pay(control.PaymentWaiting, "")), "green armed pan:open payment:waiting,,later"},
		{"declined", append(slices.Clone(armed), pay(control.PaymentAsked, ""), pay(control.PaymentDeclined, "funds")), "green armed pan:open payment:declined,funds"},
		{"nobody knows", append(slices.Clone(armed), pay(control.PaymentUnknown, "")), "green armed pan:open payment:unknown,"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := shown(told(c.events...)); got != c.want {
				t.Errorf("it is seen as\n%s\nand should be as\n%s", got, c.want)
			}
		})
	}
}

func TestFieldsThatAreExpectedAreThereFromTheStart(t *testing.T) {
	for _, early := range []bool{true, false} {
		l := &line{}
		l.seed(control.Line{Name: "one"})
		if early {
			l.expect("c1", []string{"pan", "expiry", "cvv"})
		}
		for _, e := range append(up(), state("c1", control.StateArmed, "")) {
			l.apply(e)
		}
		if !early {
			l.expect("c1", []string{"pan", "expiry", "cvv"})
		}
		for _, want := range []string{"green armed pan:open expiry:waiting cvv:waiting", "green armed pan:good,****,visa,4242 expiry:open cvv:waiting"} {
			if got := shown(l.view); got != want {
				t.Errorf("it is seen as %s, and should be as %s", got, want)
			}
			l.apply(key("pan", 4))
			l.apply(verdict("pan", "ok"))
		}
	}
}

func TestASecondCardOfTheCallKeepsTheFirstPayment(t *testing.T) {
	second := control.Event{Kind: control.KindPayment, Line: "one", Capture: "c2", Payment: "p2", State: control.PaymentWanted}
	v := told(append(up(), state("c1", control.StateArmed, ""), pay(control.PaymentUnknown, ""), state("c1", control.StateDone, ""), state("c2", control.StateArmed, ""), second, pay(control.PaymentApproved, ""))...)
	if p, ok := v.Paying(); !ok || p.ID != "p2" || len(v.Payments) != 2 || v.Payments[0].State != control.PaymentApproved || len(v.Fields) != 1 || v.Fields[0].Stars != 0 {
		t.Errorf("it is seen as %+v", v)
	}
	l := &line{view: v}
	l.know(control.Payment{ID: "p1", Amount: "12.00", Currency: "EUR", Left: "30.00"})
	l.apply(control.Event{Kind: control.KindAct, Line: "one", Payment: "p1", Act: "a1", Code: "refund", State: control.ActDone})
	if p := l.view.Payments[0]; p.Amount != "12.00" || p.Left != "30.00" || p.Act != (Act{"a1", "refund", "done", ""}) {
		t.Errorf("the first is seen as %+v", p)
	}
}

// anEvent draws one of a line, with whatever in it.
func anEvent(t *rapid.T, line string) control.Event {
	draw := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(t, label) }
	return control.Event{
		Kind: rapid.SampledFrom([]control.Kind{control.KindState, control.KindKey, control.KindVerdict, control.KindWarning, control.KindBar, control.KindCall, control.KindToken,
			control.KindPayment, control.KindAct, control.KindBond, control.KindCover, control.KindLineUp, control.KindLineDown}).Draw(t, "kind"),
		Line: line, Capture: draw("capture", "", line+"-c1", line+"-c2"), State: draw("state", control.StateIdle, control.StateArmed, control.StateKeying, control.StateVoid, control.StateHeld),
		Reason: line + "-reason", Field: draw("field", "pan", "expiry", "cvv"), Stars: rapid.IntRange(0, 19).Draw(t, "stars"), Code: draw("code", "ok", line+"-code", control.CallBegan, control.CallEnded),
		On: rapid.Bool().Draw(t, "on"), Brand: line + "-brand", Last4: line + "-last4", Payment: draw("payment", line+"-p1", line+"-p2"), Act: line + "-act", Agent: draw("agent", line+"-anna", line+"-bob"),
	}
}

func TestAViewHoldsNothingOfAnotherLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := aBoard("east", "west")
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			b.hear(t.Context(), anEvent(t, rapid.SampledFrom([]string{"east", "west"}).Draw(t, "line")))
		}
		for i, other := range []string{"west", "east"} {
			if text := fmt.Sprintf("%+v", b.Views()[i]); strings.Contains(text, other) {
				t.Fatalf("a view has of line %s: %s", other, text)
			}
		}
	})
}

// TestViewsDontDependOnTimes: law 2 for what is shown. Times are the only thing in events that digits could have changed.
func TestViewsDontDependOnTimes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one, two := aBoard("one"), aBoard("one")
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			e := anEvent(t, "one")
			later := e
			e.Time, later.Time = time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "time"), 0), time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "other time"), 0)
			one.hear(t.Context(), e)
			two.hear(t.Context(), later)
			if !reflect.DeepEqual(one.Views(), two.Views()) {
				t.Fatalf("at other times it is seen as %+v, not %+v", two.Views(), one.Views())
			}
		}
	})
}

// TestASecurityCodeShowsNoStarBeforeItIsJudged holds in whatever order things come.
func TestASecurityCodeShowsNoStarBeforeItIsJudged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &line{}
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			l.apply(anEvent(t, "one"))
			for _, f := range l.view.Fields {
				if f.Name == cvv && f.Stars > 0 && f.State != Good && f.State != Refused {
					t.Fatalf("the security code is %s and shows %d stars", f.State, f.Stars)
				}
			}
		}
	})
}
