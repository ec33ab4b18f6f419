package daemon

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

// hears has a line's process answer a command, and answers with the words that it was to speak.
func hears(t *testing.T, line *wire.Conn, answer string) <-chan []string {
	t.Helper()
	spoken := make(chan []string, 1)
	go func() {
		defer close(spoken)
		m, _, err := line.Receive()
		if id, is := wire.CommandID(m); is {
			err = line.Send(wire.Answer{ID: id, Error: answer})
		}
		if err != nil {
			t.Error(err)
		}
		if m, ok := m.(wire.Speak); ok {
			spoken <- m.Words[:]
		}
	}()
	return spoken
}

// proves has an agent prove that he is on desk-1.
func proves(t *testing.T, line *wire.Conn, agent *control.Client) {
	t.Helper()
	spoken := hears(t, line, "")
	p, err := agent.Prove(t.Context(), "desk-1", "es")
	if err == nil {
		err = agent.Bind(t.Context(), "desk-1", p.ID, <-spoken)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestGreenMeansThisCall: a line is the desk's for the agent who heard what was spoken there, until that call is over.
func TestGreenMeansThisCall(t *testing.T) {
	h := newHouse(t)
	d, _, _ := h.run()
	events, line, client := h.serves(d)
	anna, ben := client.For("anna"), client.For("ben")
	bond := func(on bool, why string) {
		t.Helper()
		e := wait(t, events, func(e control.Event) bool { return e.Kind == control.KindBond })
		if e.Line != "desk-1" || e.Agent != "anna" || e.On != on || e.Reason != why {
			t.Errorf("told %+v", e)
		}
	}
	_, err := anna.Prove(t.Context(), "desk-1", "en")
	wantsCode(t, "without a call", err, control.CodeNoCall, "no call on line desk-1")
	_, err = anna.Prove(t.Context(), "desk-2", "en")
	wantsCode(t, "a line that is down", err, control.CodeLineDown, "does not run")
	_, err = anna.Prove(t.Context(), "desk-9", "en")
	wantsCode(t, "no line", err, control.CodeUnknownLine, "there is no line")
	begins := func() {
		t.Helper()
		if err := line.Send(wire.Call{Edge: "call_began"}); err != nil {
			t.Fatal(err)
		}
		wait(t, events, func(e control.Event) bool { return e.Kind == control.KindCall })
	}
	begins()
	_, err = anna.Prove(t.Context(), "desk-1", "tlh")
	wantsCode(t, "no language", err, control.CodeBadRequest, "words are spoken in de, en, es, fr, ja")
	hears(t, line, "the line may not take cards: untuned")
	_, err = anna.Prove(t.Context(), "desk-1", "en")
	wantsCode(t, "an untuned line", err, control.CodeWrongState, "untuned")
	_, err = anna.Arm(t.Context(), "desk-1", "card")
	wantsCode(t, "arming unbound", err, control.CodeNotBound, `not bound to line "desk-1"`)

	spoken := hears(t, line, "")
	p, err := anna.Prove(t.Context(), "desk-1", "fr")
	if err != nil || len(p.Words) != 9 || p.Seconds != 60 {
		t.Fatalf("%+v, %v", p, err)
	}
	heard := <-spoken
	for _, word := range heard {
		if !slices.Contains(p.Words, word) {
			t.Errorf("%q was spoken, of %q", word, p.Words)
		}
	}
	_, err = ben.Prove(t.Context(), "desk-1", "fr")
	wantsCode(t, "another meanwhile", err, control.CodeProving, "another agent")
	err = anna.Bind(t.Context(), "desk-1", p.ID, []string{heard[1], heard[0]})
	wantsCode(t, "the other way round", err, control.CodeWrongWords, "not the words")
	err = anna.Bind(t.Context(), "desk-1", p.ID, heard)
	wantsCode(t, "a proof that is over", err, control.CodeNoProof, "no such proof")
	proves(t, line, anna)
	bond(true, "")
	if lines, err := anna.Lines(t.Context()); err != nil || lines[0].Bound != "anna" {
		t.Errorf("lines are %+v, %v", lines, err)
	}

	hears(t, line, "")
	if _, err := anna.Arm(t.Context(), "desk-1", "card"); err != nil {
		t.Errorf("her own line: %v", err)
	}
	_, err = ben.Arm(t.Context(), "desk-1", "card")
	wantsCode(t, "somebody else's", err, control.CodeNotBound, "not bound")
	err = ben.Disarm(t.Context(), "desk-1")
	wantsCode(t, "giving up somebody else's", err, control.CodeNotBound, "not bound")
	if err := line.Send(wire.Call{Edge: "call_began"}); err != nil { // the next call, whoever is in it
		t.Fatal(err)
	}
	bond(false, "call_edge")
	_, err = anna.Charge(t.Context(), "desk-1", "", control.Charge{Amount: "1"})
	wantsCode(t, "the call after", err, control.CodeNotBound, "not bound")
	proves(t, line, anna)
	bond(true, "")
	if err := anna.Unbind(t.Context(), "desk-1"); err != nil {
		t.Error(err)
	}
	bond(false, "given_up")
	proves(t, line, anna)
	bond(true, "")
	line.Close()
	bond(false, "line_down")

	want := []string{"line.unbound line_down", "line.bound ok", "line.unbound given_up", "line.bound ok", "line.unbound call_edge", "line.armed ok", "line.arm asked", "line.bound ok",
		"line.bind_refused these are not the words that were spoken, in that order"}
	var got []string
	for until := time.Now().Add(patience); !slices.Equal(got, want) && time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		entries, err := client.Audit(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		got = nil
		for _, e := range entries {
			if strings.HasPrefix(e.Action, "line.") {
				got = append(got, e.Action+" "+e.Result)
				if !strings.Contains(e.Actor, "anna") || e.Object != "line desk-1" {
					t.Fatalf("%+v", e)
				}
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the audit log has\n%s", strings.Join(got, "\n"))
	}
}

// TestAnAgentsPayments: who had a payment begun may go on with it, and no other agent learns that it is there.
func TestAnAgentsPayments(t *testing.T) {
	h, _ := chargingHouse(t)
	d, _, _ := h.run()
	events, line, client := h.serves(d)
	anna, ben := client.For("anna"), client.For("ben")
	if err := line.Send(wire.Call{Edge: "call_began"}); err != nil {
		t.Fatal(err)
	}
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindCall })
	proves(t, line, anna)
	begun := charges(t, line, anna, "", control.Charge{Amount: "12.34"})
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindPayment && e.State == control.PaymentApproved })
	if p, err := anna.Payment(t.Context(), begun.Payment); err != nil || p.State != control.PaymentApproved {
		t.Errorf("her own: %+v, %v", p, err)
	}
	for name, ask := range map[string]func() error{
		"see":     func() error { _, err := ben.Payment(t.Context(), begun.Payment); return err },
		"confirm": func() error { _, err := ben.Confirm(t.Context(), begun.Payment); return err },
		"cancel":  func() error { _, err := ben.Cancel(t.Context(), begun.Payment); return err },
		"refund":  func() error { _, err := ben.Act(t.Context(), begun.Payment, "refund", ""); return err },
		"void":    func() error { _, err := ben.Act(t.Context(), begun.Payment, "void", ""); return err },
		"capture": func() error { _, err := ben.Act(t.Context(), begun.Payment, "capture", ""); return err },
	} {
		wantsCode(t, name, ask(), control.CodeUnknownPayment, "")
	}
	proves(t, line, ben)
	_, err := ben.Charge(t.Context(), "desk-1", "", control.Charge{Bill: begun.Payment})
	wantsCode(t, "another's bill", err, control.CodeUnknownPayment, "")
	if a, err := anna.Act(t.Context(), begun.Payment, "refund", "2.34"); err != nil || !strings.HasSuffix(a.By, "(anna)") {
		t.Errorf("a refund of her own, without the line: %+v, %v", a, err)
	}
	if _, err := client.Payment(t.Context(), begun.Payment); err != nil {
		t.Errorf("a technician: %v", err)
	}
}
