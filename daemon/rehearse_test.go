package daemon

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/vault"
	"github.com/flattone/flattone/daemon/wire"
)

// A rehearsal says on every surface that it is one, and its card goes nowhere; nor would that of a line that takes it for a real one.
func TestRehearse(t *testing.T) {
	h := newHouse(t)
	d, _, _ := h.run()
	events, line, client := h.serves(d)
	answered := make(chan error, 1)
	go func() {
		m, _, err := line.Receive()
		if arm, ok := m.(wire.Arm); ok {
			err = errors.Join(line.Send(wire.State{State: control.StateKeying, Capture: arm.Capture}), line.Send(wire.Answer{ID: arm.ID}),
				line.Send(wire.Verdict{Capture: arm.Capture, Field: "pan", Code: "ok"}), line.SendCard(saidOf(arm.Capture), visaCard(t)))
		}
		answered <- err
	}()
	capture, err := client.Rehearse(t.Context(), "desk-1", "card")
	if err != nil || !wire.IsRehearsal(capture) || vault.IsCaptureID(capture) {
		t.Fatalf("capture %q, %v", capture, err)
	}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	for _, kind := range []control.Kind{control.KindState, control.KindVerdict} {
		if e := wait(t, events, func(e control.Event) bool { return e.Kind == kind && e.Capture == capture }); !e.Test {
			t.Errorf("it isn't said of %+v that it is a test", e)
		}
	}
	if m, _, err := line.Receive(); err != nil || m != (wire.Stored{Capture: capture}) {
		t.Fatalf("the line is told %+v, %v", m, err)
	}
	if lines, err := client.Lines(t.Context()); err != nil || !lines[0].Test {
		t.Errorf("the line is %+v, %v", lines, err)
	}
	if err := line.SendCard(saidOf("test_4242424242424242"), visaCard(t)); err != nil {
		t.Fatal(err)
	}
	if m, _, err := line.Receive(); err != nil || !m.(wire.NotStored).Final {
		t.Errorf("of an id that is none the line is told %+v, %v", m, err)
	}
	if tokens, err := client.Tokens(t.Context(), 10); err != nil || len(tokens) != 0 {
		t.Errorf("the vault has %+v, %v", tokens, err)
	}
	if s, err := client.Status(t.Context()); err != nil || s.UpstreamPending != 0 {
		t.Errorf("upstream is told of %d, %v", s.UpstreamPending, err)
	}
	audit, err := client.Audit(t.Context(), 10)
	var got []string
	for _, e := range audit {
		got = append(got, e.Action+" "+e.Result)
	}
	for _, want := range []string{"line.rehearse asked", "line.rehearsing ok", "card.rehearsed ok"} {
		if err != nil || !slices.Contains(got, want) {
			t.Errorf("the log has %q, and not %s (%v)", got, want, err)
		}
	}
	if slices.ContainsFunc(got, func(a string) bool { return strings.HasPrefix(a, "line.arm") || strings.HasPrefix(a, "card.sealed") }) {
		t.Errorf("the log has %q", got)
	}
	if log := h.log.String(); strings.Contains(log, "4242424242") {
		t.Error("the log has the card, or what came in an id's place")
	}
}
