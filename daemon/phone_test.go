package daemon

import (
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

// Whoever answers, dials and hangs up by the admin socket is in the audit log, with what came of it. Whom he called is in no log.
func TestCallsByModemAreNotedWithoutNumbers(t *testing.T) {
	const number = "+15550100"
	h := newHouse(t)
	d, stop, _ := h.run()
	events := d.feed.Subscribe(t.Context())
	line, by := h.attached("desk-1"), control.Actor{Name: "alice"}
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindLineUp })
	answered := func(answer string, ask func() error) (asked wire.Message) {
		t.Helper()
		done := make(chan error, 1)
		go func() { done <- ask() }()
		m := answers(t, line, answer)
		if err := <-done; (err != nil) != (answer != "") {
			t.Errorf("%T ends with %v", m, err)
		}
		return m
	}
	b := d.backend
	if m, ok := answered("", func() error { return b.Answer(t.Context(), by, "desk-1") }).(wire.PickUp); !ok {
		t.Errorf("an answer is commanded as %T", m)
	}
	for _, answer := range []string{"", "the modem is busy"} {
		if m, ok := answered(answer, func() error { return b.Dial(t.Context(), by, "desk-1", number) }).(wire.CallOut); !ok || m.Number != number {
			t.Errorf("a call is commanded as %T", m)
		}
	}
	if m, ok := answered("", func() error { return b.HangUp(t.Context(), by, "desk-1") }).(wire.HangUp); !ok {
		t.Errorf("its end is commanded as %T", m)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	log, err := h.daemon().audit.Recent(t.Context(), 20)
	if err != nil {
		t.Fatal(err)
	}
	var noted []string
	for _, e := range log {
		if e.Actor == by.Name {
			noted = append([]string{e.Action + " " + e.Object + " " + e.Result}, noted...)
		}
	}
	want := "line.answered line desk-1 ok, line.dialled line desk-1 ok, line.dialled line desk-1 the modem is busy, line.hung_up line desk-1 ok"
	if got := strings.Join(noted, ", "); got != want {
		t.Errorf("the audit log has %q, want %q", got, want)
	}
	if strings.Contains(h.log.String(), strings.TrimPrefix(number, "+")) {
		t.Error("flattoned's log has the number")
	}
}
