package daemon

import (
	"context"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/host"
)

// showEvery is how soon what has changed is seen on the bus. A change isn't told at once: what is there can't tell when, and nobody can flood the bus
// by making the box change.
const showEvery = time.Second

// shower is where the box is to be seen: [host.Appliance].
type shower interface{ Show(host.Facts) error }

// show keeps what is seen of the box up to date until ctx ends. While it can't be seen a condition stands.
func show(ctx context.Context, where shower, board *health.Board, look func(context.Context) (control.Status, []control.Line, error)) error {
	tick := time.NewTicker(showEvery)
	defer tick.Stop()
	for {
		if status, lines, err := look(ctx); err == nil {
			if err := where.Show(facts(status, lines)); err != nil {
				board.Set(health.BusAway, "", err.Error())
			} else {
				board.Clear(health.BusAway, "")
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// facts are what may be seen of the box by whoever may speak to it on the bus.
func facts(status control.Status, lines []control.Line) host.Facts {
	// What can't be counted is none there: the condition says that it can't.
	f := host.Facts{Version: status.Version, Started: status.Started, State: "healthy", UpstreamPending: max(status.UpstreamPending, 0)}
	for _, l := range lines {
		f.Lines = append(f.Lines, host.LineFact{Name: l.Name, Place: l.Place, State: l.State, Reason: l.Reason})
	}
	for i, c := range status.Conditions {
		if i == 0 { // the gravest
			f.State = c.Severity.String()
		}
		text := c.Words
		if c.Detail != "" {
			text += ": " + c.Detail
		}
		f.Conditions = append(f.Conditions, host.ConditionFact{Code: string(c.Code), Severity: c.Severity.String(), Line: c.Line, Text: text, Remedy: c.Remedy})
	}
	return f
}
