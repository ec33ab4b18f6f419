package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/flattone/flattone/daemon/control"
)

// until is what a watch waits for: nothing, a delivery, an idle line, or a number of events. It is the value
// of the flag --until.
type until struct {
	text  string
	count int
	met   bool
	// since is when the waiting began, and news whether a state counts only if it is from then on.
	since time.Time
	news  bool
}

const (
	untilDelivered = "delivered"
	untilIdle      = "idle"
)

// String, Set and Type make it a flag.
func (u *until) String() string { return u.text }

// Type is what the help calls the value.
func (u *until) Type() string { return "delivered|idle|N" }

// Set reads the value.
func (u *until) Set(text string) error {
	n, err := strconv.Atoi(text)
	if text != untilDelivered && text != untilIdle && (err != nil || n < 1) {
		return fmt.Errorf("%q is neither delivered, nor idle, nor a number of events", text)
	}
	u.text, u.count = text, n
	return nil
}

// hear takes note of e and reports whether the wait is over. A delivery and a number of events are news: what
// a new watcher is told again counts only if it happened while the watch was being set up. Being idle is a
// state, and may be so from the start, unless news is asked for.
func (u *until) hear(e control.Event) bool {
	news := !e.Replay || !e.Time.Before(u.since)
	switch u.text {
	case "":
	case untilDelivered:
		u.met = u.met || news && e.Kind == control.KindDelivery && e.Delivery == control.DeliveryDelivered
	case untilIdle:
		u.met = u.met || (news || !u.news) && e.Kind == control.KindState && e.State == control.StateIdle
	default:
		if news && e.Kind != control.KindMeters && !u.met {
			u.count--
			u.met = u.count == 0
		}
	}
	return u.met
}
