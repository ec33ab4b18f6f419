package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/host"
	"github.com/flattone/flattone/daemon/host/hosttest"
	"github.com/flattone/flattone/daemon/wire"
)

// A machine that goes down while a card is keyed, over a real bus: it waits until the line has forgotten the card, and the box takes none until it stays up.
func TestShutdownDuringACapture(t *testing.T) {
	hosttest.Bus(t)
	logind := hosttest.NewLogind(t, time.Minute)
	hosttest.NewTimedated(t, false)
	h := newHouse(t)
	h.bus = &host.Bus{}
	d, stop, _ := h.run()
	until(t, "the clock's state is known", func() bool { _, is := stands(d, health.ClockUnsynced); return is })
	_, line, client := h.serves(d)
	arm := func() (capture string) {
		t.Helper()
		armed := make(chan wire.Message, 1)
		go func() { armed <- answers(t, line, "") }()
		capture, err := client.Arm(t.Context(), "desk-1", "")
		if err != nil {
			t.Fatal(err)
		}
		if m, ok := (<-armed).(wire.Arm); !ok || m.Capture != capture {
			t.Fatalf("the line is told %+v", m)
		}
		return capture
	}
	say := func(state, capture, reason string) {
		t.Helper()
		if err := line.Send(wire.State{State: state, Capture: capture, Reason: reason}); err != nil {
			t.Fatal(err)
		}
	}

	capture := arm()
	say("keying", capture, "")
	until(t, "the machine waits", func() bool { return slices.Equal(logind.Held(), []string{"shutdown", "sleep"}) })
	logind.Prepare("Shutdown", true)
	if m, ok := answers(t, line, "").(wire.Cancel); !ok || m.Reason != "shutdown" {
		t.Errorf("the line is told %+v", m)
	}
	if held := logind.Held(); len(held) != 2 {
		t.Errorf("the machine waits with %q before the card is forgotten", held)
	}
	_, err := client.Arm(t.Context(), "desk-1", "")
	if e, ok := errors.AsType[*control.Error](err); !ok || e.Code != control.CodeShuttingDown || !strings.Contains(e.Text, "shutdown") {
		t.Errorf("to arm is answered with %v", err)
	}
	say("void", capture, "shutdown")
	until(t, "the machine goes on", func() bool { return len(logind.Held()) == 0 })
	if _, is := stands(d, health.Stopping); !is {
		t.Error("it isn't told that the machine goes down")
	}
	say("idle", "", "")
	logind.Prepare("Shutdown", false)
	until(t, "it stays up", func() bool { _, is := stands(d, health.Stopping); return !is })
	say("armed", arm(), "")
	until(t, "the machine waits again", func() bool { return len(logind.Held()) == 2 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	if held := logind.Held(); len(held) != 0 {
		t.Errorf("a box that has stopped holds %q", held)
	}
	h.bus = nil
	log, err := h.daemon().audit.Recent(t.Context(), 50)
	var noted []string
	for _, e := range log {
		noted = append(noted, strings.Join([]string{e.Actor, e.Action, e.Object, e.Result, e.Origin}, ", "))
	}
	for _, want := range []string{"flattoned, clock.checked, clock, not synchronised, timedated", "flattoned, condition.raised, box, clock_unsynced, PCI DSS 10.6.1: synchronised time",
		"flattoned, capture.closed, box, ok, logind: shutdown", "flattoned, line.voided, line desk-1, ok, logind: shutdown", "flattoned, capture.opened, box, ok, logind: shutdown"} {
		if err != nil || !slices.Contains(noted, want) {
			t.Errorf("the audit log has no %q (%v), but %q", want, err, noted)
		}
	}
}

// Who drops a card that waits to be stored tells its line so, for good.
func TestACardThatIsNotStoredInTimeIsDropped(t *testing.T) {
	h := newHouse(t)
	d, _, _ := h.run()
	events := d.feed.Subscribe(t.Context())
	line := h.attached("desk-1")
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindLineUp })
	d.guard.drop(t.Context(), "desk-1", aCapture, host.Sleep)
	if m, _, err := line.Receive(); err != nil || m != (wire.NotStored{Capture: aCapture, Reason: "stopping", Final: true}) {
		t.Errorf("the line is told %+v, %v", m, err)
	}
	d.guard.drop(t.Context(), "desk-2", aCapture, host.Sleep) // which has no process
	log, err := d.audit.Recent(t.Context(), 2)
	if err != nil || log[1].Action+log[1].Object+log[1].Result+log[1].Origin != "line.droppedline desk-1oklogind: sleep" || !strings.Contains(log[0].Result, "process") {
		t.Errorf("the audit log ends with %+v (%v)", log, err)
	}
}

// The box shows itself on the bus, says there what ails it, and says elsewhere when it can't.
func TestTheBoxIsOnTheBus(t *testing.T) {
	system := hosttest.Bus(t)
	h := newHouse(t)
	h.bus = &host.Bus{}
	d, _, _ := h.run()
	seen := func(name string) (value any) {
		conn := hosttest.Connect(t, "org.flattone.Test")
		defer conn.Close()
		v, err := conn.Object(host.ApplianceName, "/org/flattone/Appliance1").GetProperty(host.ApplianceName + "." + name)
		if err != nil {
			return err
		}
		return v.Value()
	}
	until(t, "it is seen", func() bool { return seen("Version") == Version })
	until(t, "it says what ails it", func() bool {
		said := fmt.Sprint(seen("Conditions"))
		return strings.Contains(said, "key_file") && strings.Contains(said, "shutdown_unguarded") && strings.Contains(said, "clock_unsynced")
	})
	if lines := fmt.Sprint(seen("Lines")); lines != "[[desk-1 desk-side held starting] [desk-2 trunk-side held starting]]" {
		t.Errorf("its lines are %s", lines)
	}
	system.Down()
	until(t, "that it isn't seen is told", func() bool {
		detail, is := stands(d, health.BusAway)
		return is && strings.Contains(detail, "system bus")
	})
	system.Up()
	until(t, "it is seen again", func() bool { _, is := stands(d, health.BusAway); return !is })
}

func TestFactsNameTheGravest(t *testing.T) {
	warning := health.Condition{Code: "c", Severity: health.Warning, Line: "desk-1", Words: "words", Remedy: "remedy"}
	fault := health.Condition{Code: "f", Severity: health.Fault, Words: "words", Detail: "detail"}
	for state, conditions := range map[string][]health.Condition{"healthy": nil, "warning": {warning}, "fault": {fault, warning}} {
		if f := facts(control.Status{Conditions: conditions}, nil); f.State != state {
			t.Errorf("with %d conditions it is %s, and should be %s", len(conditions), f.State, state)
		}
	}
	f := facts(control.Status{Conditions: []health.Condition{fault, warning}}, nil)
	if want := []host.ConditionFact{{Code: "f", Severity: "fault", Text: "words: detail"},
		{Code: "c", Severity: "warning", Line: "desk-1", Text: "words", Remedy: "remedy"}}; !slices.Equal(f.Conditions, want) {
		t.Errorf("the conditions are %+v", f.Conditions)
	}
}

// sundial is a clock that is as the test says.
type sundial struct {
	mu           sync.Mutex
	synchronised bool
	err          error
	changed      chan struct{}
	asked        int
}

func (s *sundial) Synchronised(context.Context) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.synchronised, s.err
}

func (s *sundial) Changed(context.Context) (<-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	return s.changed, nil
}

// says sets how it is.
func (s *sundial) says(synchronised bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.synchronised, s.err = synchronised, err
}

func TestTheClockIsLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, board := &sundial{synchronised: true, changed: make(chan struct{})}, health.NewBoard()
		var noted []string
		var told audit.Clock
		c := &clock{keeper: s, health: board, is: func(is audit.Clock) { told = is }, note: func(_ context.Context, result string) { noted = append(noted, result) }}
		go c.Run(t.Context())
		is := func(asked int, detail string) {
			t.Helper()
			synctest.Wait()
			said := "right"
			for _, c := range board.Snapshot() {
				said = string(c.Code) + c.Detail
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if want := map[string]audit.Clock{"right": audit.Synchronised, "clock_unsynced": audit.Unsynchronised}[detail]; want != told && (want != "" || told != audit.UnknownClock) {
				t.Errorf("after %d questions the audit log is told that the clock is %q", s.asked, told)
			}
			if s.asked != asked || said != detail {
				t.Errorf("after %d questions it says %q; after %d it should say %q", s.asked, said, asked, detail)
			}
		}
		is(1, "right")
		s.says(false, nil)
		time.Sleep(clockRight)
		is(2, "clock_unsynced")
		s.says(true, nil)
		time.Sleep(clockWrong)
		is(3, "right")
		s.says(false, nil)
		s.changed <- struct{}{} // and not before that
		is(4, "clock_unsynced")
		s.says(false, errors.New("nobody there"))
		close(s.changed)
		is(4, "clock_unsynced")
		time.Sleep(clockWrong)
		is(5, "clock_unsyncednobody knows whether it is: nobody there")
		s.changed = make(chan struct{}) // nobody asks for it between the two
		s.says(true, nil)
		time.Sleep(clockWrong)
		is(6, "right")
		if !slices.Equal(noted, []string{"ok"}) {
			t.Errorf("noted is %q", noted)
		}
	})
}
