package daemon

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

// TestStatesAreTold: a destination that wants states is told each that an agent sees, in order, without a star; and a technician isn't told that a card's way upstream went so far.
func TestStatesAreTold(t *testing.T) {
	told := make(chan string, 100)
	to := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var e struct {
			Type string
			Data stateTold
		}
		if json.Unmarshal(body, &e) == nil {
			told <- strings.Join(slices.DeleteFunc([]string{e.Type, e.Data.Line, e.Data.Capture, e.Data.State, e.Data.Field, e.Data.Code, e.Data.Reason}, func(s string) bool { return s == "" }), " ")
		}
	}))
	defer to.Close()
	h := newHouse(t)
	h.cfg.Upstream[0].States, h.cfg.Upstream[0].Webhook.URL, h.cfg.Upstream[0].FirstRetry = true, to.URL, time.Millisecond
	d, _, _ := h.run()
	events, line, _ := h.serves(d)
	// What comes before a line's first capture may be told beside the rest; the rest is of one key.
	err := errors.Join(
		line.Send(wire.State{State: control.StateArmed, Capture: "cap_one"}),
		line.Send(wire.Key{Capture: "cap_one", Field: "pan", Stars: 16}),
		line.Send(wire.Verdict{Capture: "cap_one", Field: "pan", Code: "luhn"}),
		line.Send(wire.Warning{Capture: "cap_one", Code: "timeout_soon"}),
		line.Send(wire.Verdict{Capture: "cap_one", Field: "pan", Code: "ok", Brand: "visa", Last4: "4242"}),
		line.Send(wire.State{State: control.StateVoid, Capture: "cap_one", Reason: "cancelled"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"line.state desk-1 cap_one armed", "line.field desk-1 cap_one pan luhn", "line.warning desk-1 cap_one timeout_soon", "line.field desk-1 cap_one pan ok",
		"line.state desk-1 cap_one void cancelled"} {
		for got := ""; got != want; {
			select {
			case got = <-told:
			case <-time.After(30 * time.Second):
				t.Fatalf("%q isn't told", want)
			}
			if got != want && strings.Contains(got, "cap_one") {
				t.Fatalf("%q is told where %q was to be", got, want)
			}
		}
	}
	for len(events) > 0 {
		if e := <-events; e.Kind == control.KindDelivery {
			t.Errorf("the feed has %+v", e)
		}
	}
}

// TestStateEvent: what isn't a state, and what is told again to somebody new, is nothing that upstream is told.
func TestStateEvent(t *testing.T) {
	for _, kind := range []control.Kind{control.KindMeters, control.KindKey, control.KindToken, control.KindDelivery, control.KindPayment, control.KindRing, control.KindCut} {
		if _, told, is := stateEvent(control.Event{Kind: kind, Line: "one", Stars: 3, Last4: "4242", Number: "1"}); is {
			t.Errorf("of %s %+v is told", kind, told)
		}
	}
	if _, _, is := stateEvent(control.Event{Kind: control.KindState, Line: "one", State: control.StateArmed, Replay: true}); is {
		t.Error("what was is told as what is")
	}
	for kind, e := range map[string]control.Event{
		"line.up":   {Kind: control.KindLineUp, Line: "one"},
		"line.down": {Kind: control.KindLineDown, Line: "one", Reason: "killed"},
		"line.call": {Kind: control.KindCall, Line: "one", Code: control.CallBegan},
	} {
		if got, told, is := stateEvent(e); !is || got != kind || told != (stateTold{Line: "one", Reason: e.Reason, Code: e.Code}) {
			t.Errorf("%s is told as %s %+v", kind, got, told)
		}
	}
}
