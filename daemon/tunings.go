package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/flattone/flattone/daemon/acceptance"
)

// tunings keep the last report of each line in the state folder.
type tunings struct {
	d      *Daemon
	folder acceptance.Folder
}

// keep notes in the audit log what came of a tuning before it is kept: a line takes cards by it.
func (t tunings) keep(ctx context.Context, line string, r acceptance.Report) (acceptance.Report, error) {
	if r.Line != line {
		return r, fmt.Errorf("line %s sent a report of another line", line)
	}
	r.Version, r.Accepted = Version, r.Good()
	result := "accepted"
	if !r.Accepted {
		result = "refused"
	}
	if err := t.d.note(ctx, "line "+line, "line.tuned", "line "+line, result, "line"); err != nil {
		return r, err
	}
	return r, t.folder.Keep(r)
}

// last is empty where there is none that can be read: the line then takes no card.
func (t tunings) last(line string) acceptance.Report {
	r, err := t.folder.Last(line)
	if err != nil && !errors.Is(err, acceptance.ErrNone) {
		t.d.log.Error("the report of a line's tuning can't be used: it has to be tuned again", "error", err)
	}
	return r
}
