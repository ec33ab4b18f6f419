package daemon

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/wire"
)

// damage overwrites all of the database but its first page, from which nobody reads.
func (h *house) damage() {
	h.t.Helper()
	f, err := os.OpenFile(h.path("state/flattone.db"), os.O_WRONLY, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt(bytes.Repeat([]byte{0xa5}, int(info.Size())-4096), 4096)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		h.t.Fatal(err)
	}
}

// A line that is armed when damage is met is warned and void at once, and one whose card is complete is told that no other try helps. flattoned stays, and
// says what is wrong wherever it is asked.
func TestDamageIsTold(t *testing.T) {
	h := newHouse(t)
	if err := h.daemon().close(); err != nil { // all is in the file, and not in its log
		t.Fatal(err)
	}
	d, _, _ := h.run()
	events, line, client := h.serves(d)
	const capture = "cap_aaaaaaaaaaaaaaaaaaaaaaaa27"
	if err := line.Send(wire.State{State: control.StateArmed, Capture: capture}); err != nil {
		t.Fatal(err)
	}
	wait(t, events, func(e control.Event) bool { return e.State == control.StateArmed })
	h.damage()

	var s control.Status
	var err error
	until(t, "who reads has met it", func() bool {
		client.Audit(t.Context(), 1) // which writes that it is read, and then no reader goes by what it remembers
		s, err = client.Status(t.Context())
		return err != nil || s.UpstreamPending != 0
	})
	if err != nil || s.UpstreamPending != control.PendingUnknown || !strings.Contains(standing(s.Conditions), "store_damaged/") || strings.Contains(standing(s.Conditions), "store_failed") {
		t.Errorf("status says %+v, %v", s, err)
	}
	if m, ok := answers(t, line, "").(wire.Cancel); !ok || m.Reason != codeNotStored {
		t.Errorf("the line is told %+v", m)
	}
	wait(t, events, func(e control.Event) bool {
		return e.Kind == control.KindWarning && e.Line == "desk-1" && e.Capture == capture && e.Code == reasonStore
	})
	if err := line.SendCard(saidOf(capture), visaCard(t)); err != nil {
		t.Fatal(err)
	}
	if m, _, err := line.Receive(); err != nil || m != wire.Message(wire.NotStored{Capture: capture, Reason: reasonStore, Final: true}) {
		t.Errorf("the card is answered with %+v, %v", m, err)
	}
	if _, err := client.Arm(t.Context(), "desk-1", "card"); err == nil || !strings.Contains(err.Error(), "the database is damaged") {
		t.Errorf("it is armed: %v", err)
	}
	if err := d.works(t.Context()); err != nil {
		t.Errorf("the watchdog would end who tells of it: %v", err)
	}
	if f := facts(s, nil); f.State != "fault" || f.UpstreamPending != 0 {
		t.Errorf("on the bus it is %+v", f)
	}
	until(t, "the log tells", func() bool { return strings.Contains(h.log.String(), "code=store_damaged") })
}

// What ends by itself voids nothing: the line is warned, and its card may be stored yet.
func TestAStoreThatFailsWarnsWhoTakesCards(t *testing.T) {
	h := newHouse(t)
	d, _, _ := h.run()
	events, line, _ := h.serves(d)
	if err := line.Send(wire.State{State: control.StateKeying, Capture: "cap"}); err != nil {
		t.Fatal(err)
	}
	wait(t, events, func(e control.Event) bool { return e.State == control.StateKeying })
	for _, code := range []health.Code{health.StoreFailed, health.StoreAway} {
		d.health.Set(code, "", "")
		wait(t, events, func(e control.Event) bool {
			return e.Kind == control.KindWarning && e.Line == "desk-1" && e.Capture == "cap" && e.Code == reasonStore
		})
	}
	next := wire.NotStored{Capture: "cap", Reason: "the next word"}
	if err := d.board.tell("desk-1", next); err != nil {
		t.Fatal(err)
	}
	if m, _, err := line.Receive(); err != nil || m != wire.Message(next) {
		t.Errorf("the line is told %+v, %v", m, err)
	}
}
