package daemon

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/flattone/flattone/daemon/bond"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/vault"
	"github.com/flattone/flattone/daemon/wire"
)

// What an agent asks for by keys is commanded as by a technician, and the log says who asked.
func TestAnAgentAsksByKeys(t *testing.T) {
	h := newHouse(t)
	d, stop, _ := h.run()
	events := d.feed.Subscribe(t.Context())
	line := h.attached("desk-1")
	// ask is what the line hears of what its agent asks for, and how it answers.
	ask := func(what, answer string) wire.Message {
		t.Helper()
		if err := line.Send(wire.Asked{For: what}); err != nil {
			t.Fatal(err)
		}
		return answers(t, line, answer)
	}
	warned := func(code string) {
		t.Helper()
		e := wait(t, events, func(e control.Event) bool { return e.Kind == control.KindWarning })
		if e.Line != "desk-1" || e.Code != code {
			t.Errorf("the agent is warned of %+v, want %s", e, code)
		}
	}
	one, ok := ask(wire.AskStart, "").(wire.Arm)
	if !ok || one.Profile != "" || !vault.IsCaptureID(one.Capture) {
		t.Errorf("a start is commanded as %+v", one)
	}
	if two, ok := ask(wire.AskStart, "the line is busy").(wire.Arm); !ok || two.Capture == one.Capture {
		t.Errorf("a second start is commanded as %+v", two)
	}
	warned("start_refused")
	if m, ok := ask(wire.AskCancel, "").(wire.Cancel); !ok {
		t.Errorf("a cancel is commanded as %+v", m)
	}
	if m, ok := ask(wire.AskCancel, "no card is being taken").(wire.Cancel); !ok {
		t.Errorf("a second cancel is commanded as %+v", m)
	}
	warned("cancel_refused")
	for _, done := range []wire.Asked{{For: wire.AskAnswer}, {For: wire.AskHangUp}, {For: wire.AskAnswer, Error: "no call rings"}, {For: wire.AskHangUp, Error: "no call"}} {
		if err := line.Send(done); err != nil {
			t.Fatal(err)
		}
	}
	warned("answer_refused")
	warned("hang_up_refused")
	if err := line.Send(wire.Asked{For: "the moon"}); err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(h.log.String(), "the line is busy") {
		t.Error("flattoned's log doesn't say why")
	}
	log, err := h.daemon().audit.Recent(t.Context(), 20)
	if err != nil {
		t.Fatal(err)
	}
	var noted []string
	for _, e := range log {
		if strings.HasPrefix(e.Action, "line.") {
			noted = append([]string{e.Action + " " + e.Result}, noted...)
			if e.Actor != "agent" || e.Object != "line desk-1" || e.Origin != "keys on line desk-1" {
				t.Errorf("noted as %+v", e)
			}
		}
	}
	want := []string{"line.arm asked", "line.armed ok", "line.arm asked", "line.armed the line is busy", "line.disarmed ok", "line.disarmed no card is being taken",
		"line.answered ok", "line.hung_up ok", "line.answered no call rings", "line.hung_up no call"}
	if strings.Join(noted, ", ") != strings.Join(want, ", ") {
		t.Errorf("the audit log has %q, want %q", noted, want)
	}
}

// A box that can't write its log arms no line for an agent either.
func TestAnAgentsStartThatCannotBeNoted(t *testing.T) {
	h := newHouse(t)
	d := h.daemon()
	d.store.Close()
	events := d.feed.Subscribe(t.Context())
	d.backend.keyed(t.Context(), "desk-1", wire.Asked{For: wire.AskStart})
	if told := drain(events); len(told) != 1 || told[0].Code != "start_refused" {
		t.Errorf("the agent is told %+v", told)
	}
	if !strings.Contains(h.log.String(), "was not armed, because the audit log") {
		t.Error("the log doesn't say why")
	}
}

// Asks are done in the order in which they came, one at a time, and hold up nothing that the line says; of too many the rest is left out.
func TestAsksAreDoneInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := control.NewFeed()
		var done []string
		next := make(chan struct{})
		p := &plug{t: t, ctx: t.Context(), events: feed.Subscribe(t.Context()),
			switchboard: newSwitchboard(twoLines(), feed, health.NewBoard(), slog.New(slog.DiscardHandler), nil, func(_ context.Context, line string, what wire.Asked) {
				<-next
				done = append(done, line+" "+what.For)
			}, nil, bond.New(bond.Deps{Random: rand.Reader, Tell: func(bond.Change) {}}))}
		c, ended := p.line("desk-1", 7)
		p.told()
		const asked = mostAsks + 1 // and one under way
		for i := range asked + 3 {
			p.say(c, wire.Asked{For: fmt.Sprint(i)})
		}
		p.say(c, wire.Call{Edge: "call_began"})
		p.expect(control.Event{Kind: control.KindCall, Line: "desk-1", Code: control.CallBegan})
		c.Close()
		close(next)
		<-ended
		for i, d := range done {
			if d != fmt.Sprintf("desk-1 %d", i) {
				t.Errorf("done are %q", done)
			}
		}
		if len(done) != asked {
			t.Errorf("%d asks are done, want %d", len(done), asked)
		}
	})
}
