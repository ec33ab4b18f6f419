package daemon

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"testing/synctest"

	"github.com/flattone/flattone/daemon/acceptance"
	"github.com/flattone/flattone/daemon/acceptance/acceptancetest"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

// drawer keeps reports as flattoned does, or fails to.
type drawer struct {
	report acceptance.Report
	fails  error
}

func (d *drawer) keep(_ context.Context, _ string, r acceptance.Report) (acceptance.Report, error) {
	if d.fails == nil {
		d.report = r
	}
	return r, d.fails
}

func (d *drawer) last(string) acceptance.Report { return d.report }

// A line of sound devices is told what is known of it before all else, and again of every tuning once that is kept; how it ended is told to all.
func TestTunings(t *testing.T) {
	const line = "desk-1"
	before, good := acceptancetest.Good(line, "old"), acceptancetest.Good(line, "new")
	bad := acceptancetest.Good(line, "new")
	bad.Figures = bad.Figures[1:]
	for name, test := range map[string]struct {
		says  wire.Tuned
		fails error
		hears *acceptance.Report
		told  control.Event
	}{
		"accepted": {wire.Tuned{Code: "ok", Report: good}, nil, &good, control.Event{Code: control.CodeOK}},
		"refused":  {wire.Tuned{Code: "ok", Report: bad}, nil, &bad, control.Event{Code: control.TuneRefused}},
		"not kept": {wire.Tuned{Code: "ok", Report: good}, errors.New("the disk is full"), nil, control.Event{Code: control.TuneNotKept}},
		"in vain":  {wire.Tuned{Code: "tune_timeout", Step: "loop"}, nil, nil, control.Event{Code: "tune_timeout", Step: "loop"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := twoLines()
				cfg.Lines[0].Sound = &config.Sound{}
				d := &drawer{report: before, fails: test.fails}
				p := newPlugWith(t, cfg, nil, d)
				c, _ := p.line(line, 7)
				hears := func(want acceptance.Report) {
					t.Helper()
					if m, _, err := c.Receive(); err != nil || !reflect.DeepEqual(m, wire.Accepted{Report: want}) {
						t.Errorf("the line hears %T, %v", m, err)
					}
				}
				hears(before)
				p.expect(control.Event{Kind: control.KindLineUp, Line: line})
				p.say(c, wire.Tuning{Step: "echo", Done: 1, Of: 2})
				p.expect(control.Event{Kind: control.KindTune, Line: line, Step: "echo", Done: 1, Of: 2})
				p.say(c, test.says)
				if test.hears != nil {
					hears(*test.hears)
				}
				test.told.Kind, test.told.Line = control.KindTune, line
				p.expect(test.told)
				if test.hears == nil && !reflect.DeepEqual(d.report, before) {
					t.Error("what was known is lost")
				}
			})
		})
	}
}
