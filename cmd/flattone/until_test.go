package main

import (
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
)

func TestUntil(t *testing.T) {
	delivered := control.Event{Kind: control.KindDelivery, Delivery: control.DeliveryDelivered}
	again := func(e control.Event, at time.Time) control.Event { e.Replay, e.Time = true, at; return e }
	idle := control.Event{Kind: control.KindState, State: control.StateIdle}
	meters := control.Event{Kind: control.KindMeters}
	for name, tc := range map[string]struct {
		until  string
		events []control.Event
		met    bool
	}{
		"delivered":                        {"delivered", []control.Event{meters, delivered}, true},
		"delivered before":                 {"delivered", []control.Event{again(delivered, then.Add(-1))}, false},
		"delivered while we were dialling": {"delivered", []control.Event{again(delivered, then)}, true},
		"only on its way":                  {"delivered", []control.Event{{Kind: control.KindDelivery, Delivery: control.DeliveryPending}}, false},
		"idle all the time":                {"idle", []control.Event{again(idle, then.Add(-1))}, true},
		"not idle":                         {"idle", []control.Event{{Kind: control.KindState, State: control.StateArmed}}, false},
		"two events":                       {"2", []control.Event{idle, meters, meters, idle}, true},
		"one of two":                       {"2", []control.Event{again(idle, then.Add(-1)), idle, meters}, false},
		"three of two":                     {"2", []control.Event{idle, idle, idle}, true},
		"for ever":                         {"", []control.Event{idle, delivered}, false},
	} {
		u := until{since: then}
		if tc.until != "" {
			if err := u.Set(tc.until); err != nil {
				t.Fatal(err)
			}
		}
		for _, e := range tc.events {
			u.hear(e)
		}
		if u.met != tc.met {
			t.Errorf("%s: met is %v", name, u.met)
		}
	}
	for _, bad := range []string{"", "0", "-1", "Delivered", "1.5"} {
		if err := new(until).Set(bad); err == nil {
			t.Errorf("--until %q is taken", bad)
		}
	}
}
