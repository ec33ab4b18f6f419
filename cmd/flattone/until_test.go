package main

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
)

// TestWatchEndsWhereArmingIsRefused: a watch that was to arm the line has nothing to wait for then.
func TestWatchEndsWhereArmingIsRefused(t *testing.T) {
	b := newBox()
	b.refuses = &control.Error{Code: control.CodeWrongState, Text: "the line is held", Remedy: "acknowledge it"}
	b.Publish(control.Event{Kind: control.KindLineUp, Line: "demo"})
	ctx, stop := context.WithCancel(t.Context())
	socket := filepath.Join(t.TempDir(), "admin.sock")
	ended, err := b.serve(ctx, socket)
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	tl := &tool{out: &out, errs: &errs}
	root := tl.rootCommand()
	root.SetArgs([]string{"watch", "demo", "--arm", "--until", "delivered", "--socket", socket})
	code := tl.explain(root.ExecuteContext(ctx))
	const want = "flattone: error: arming line demo: the line is held\nflattone: hint: acknowledge it\n"
	if code != exitRefused || errs.String() != want {
		t.Errorf("exit code %d, said %q, want %q", code, &errs, want)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

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
