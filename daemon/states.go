package daemon

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/upstream"
)

// statePrefix begins the types of events that say how a line goes on.
const statePrefix = "line."

// stateTold is one of those, as upstream is told it: what an agent sees at that moment, but for the stars.
type stateTold struct {
	Line    string `json:"line"`
	Capture string `json:"capture,omitempty"`
	State   string `json:"state,omitempty"`
	Field   string `json:"field,omitempty"`
	Code    string `json:"code,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Test    bool   `json:"test,omitempty"`
}

// stateEvent is what destinations that want states are told of e; false where that is nothing. The outcome isn't among it: whoever is told of cards and payments has that,
// and durably.
func stateEvent(e control.Event) (kind string, told stateTold, is bool) {
	if e.Replay {
		return "", stateTold{}, false
	}
	told = stateTold{Line: e.Line, Capture: e.Capture, Reason: e.Reason, Test: e.Test}
	switch e.Kind {
	case control.KindState:
		kind, told.State = "state", e.State
	case control.KindVerdict:
		kind, told.Field, told.Code = "field", e.Field, e.Code
	case control.KindWarning:
		kind, told.Code = "warning", e.Code
	case control.KindCall:
		kind, told.Code = "call", e.Code
	case control.KindLineUp:
		kind = "up"
	case control.KindLineDown:
		kind = "down"
	default:
		return "", stateTold{}, false
	}
	return statePrefix + kind, told, true
}

// tellStates has the destinations that want it told how the lines go on: what happened while flattoned was down, nobody knows. Events of a line's captures are in order,
// and hold up none of cards and payments.
func (d *Daemon) tellStates(ctx context.Context) error {
	var to []string
	for _, u := range d.cfg.Upstream {
		if u.States {
			to = append(to, u.Name)
		}
	}
	if len(to) == 0 {
		return nil
	}
	for ctx.Err() == nil { // a subscriber that was too slow begins anew
		for e := range d.feed.Subscribe(ctx) {
			kind, told, is := stateEvent(e)
			if !is {
				continue
			}
			if err := d.tellState(ctx, to, e, kind, told); err != nil && ctx.Err() == nil {
				d.log.Error("upstream could not be told how a line goes on", "line", e.Line, "type", kind, "error", err)
			}
		}
	}
	return nil
}

func (d *Daemon) tellState(ctx context.Context, to []string, e control.Event, kind string, told stateTold) error {
	data, err := json.Marshal(told)
	if err != nil {
		return err
	}
	key := id.New("evt_", e.Time)
	return d.store.Write(ctx, func(tx *store.Tx) error {
		for _, name := range to {
			if err := d.outbox.Enqueue(tx, upstream.Event{ID: key, To: name, Type: kind, Key: strings.TrimSpace(e.Line + " " + e.Capture), Time: e.Time, Data: data}); err != nil {
				return err
			}
		}
		return nil
	})
}
