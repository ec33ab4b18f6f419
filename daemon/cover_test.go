package daemon

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

// Who has a caller covered is noted once it is done, for it opens nothing, and done whether that can be noted or not. Who has him uncovered is noted before, or he isn't.
func TestUncoverIsNotedFirst(t *testing.T) {
	h := newHouse(t)
	d, stop, _ := h.run()
	events := d.feed.Subscribe(t.Context())
	line := h.attached("desk-1")
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindLineUp })
	by := control.Actor{Name: "somebody", Person: "somebody"}
	told := make(chan wire.Message, 10)
	go func() {
		defer close(told)
		for {
			m, _, err := line.Receive()
			if err != nil {
				return
			}
			id, _ := wire.CommandID(m)
			told <- m
			line.Send(wire.Answer{ID: id}) // fails only when the test is over
		}
	}()
	for _, on := range []bool{true, false} {
		if err := d.backend.Cover(t.Context(), by, "desk-1", on); err != nil {
			t.Fatal(err)
		}
		if m, ok := (<-told).(wire.Cover); !ok || m.On != on {
			t.Errorf("the line is told %+v", m)
		}
	}
	log, err := d.audit.Recent(t.Context(), 10)
	var got []string
	for _, e := range log {
		if strings.HasPrefix(e.Action, "line.") {
			got = append(got, fmt.Sprintf("%s %s %s %s", e.Actor, e.Action, e.Object, e.Result))
		}
	}
	want := []string{"somebody line.uncovered line desk-1 ok", "somebody line.uncover line desk-1 asked", "somebody line.covered line desk-1 ok"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("the audit log has %q, %v", got, err)
	}
	d.store.Close()
	if err := d.backend.Cover(t.Context(), by, "desk-1", false); err == nil || !strings.Contains(err.Error(), "was not uncovered, because the audit log") {
		t.Errorf("with a log that can't be written: %v", err)
	}
	if err := d.backend.Cover(t.Context(), by, "desk-1", true); err != nil {
		t.Errorf("with a log that can't be written: %v", err)
	}
	if m, ok := (<-told).(wire.Cover); !ok || !m.On {
		t.Errorf("with a log that can't be written, the line is told %+v", m)
	}
	line.Close()
	stop() // whatever it says of its store
}
