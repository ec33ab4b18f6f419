package daemon

import (
	"context"
	"errors"
	"os"
	"reflect"
	"strings"
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

// flattoned keeps what it is told of its own lines, notes it in the audit log, and has its own word on whether it is good; what it can't read it doesn't use.
func TestReportsAreKeptAndNoted(t *testing.T) {
	h := newHouse(t)
	h.cfg.Lines[0].Sound = &config.Sound{}
	d := h.daemon()
	tunings := tunings{d, acceptance.In(h.cfg.StateDir)}
	if r := tunings.last("desk-1"); r.Line != "" || strings.Contains(h.log.String(), "tuned again") {
		t.Errorf("of a line that was never tuned there is %+v", r)
	}
	said := func(line string, want string) {
		t.Helper()
		var e *control.Error
		if _, err := d.backend.Acceptance(t.Context(), line); !errors.As(err, &e) || !strings.Contains(e.Text+e.Remedy, want) {
			t.Errorf("of line %s it says %v", line, err)
		}
	}
	said("desk-1", "flattone tune desk-1")
	said("desk-2", "nothing to tune")
	said("desk-3", "desk-1, desk-2")

	bad := acceptancetest.Good("desk-1", "f")
	bad.Figures, bad.Accepted = bad.Figures[1:], true
	for _, r := range []acceptance.Report{bad, acceptancetest.Good("desk-1", "f")} {
		kept, err := tunings.keep(t.Context(), "desk-1", r)
		if err != nil || kept.Accepted != r.Good() || kept.Version != Version {
			t.Errorf("kept as %v of version %s: %v", kept.Accepted, kept.Version, err)
		}
		if got, err := d.backend.Acceptance(t.Context(), "desk-1"); err != nil || !reflect.DeepEqual(got, kept) || !reflect.DeepEqual(tunings.last("desk-1"), kept) {
			t.Errorf("the last is %+v, %v", got, err)
		}
	}
	if _, err := tunings.keep(t.Context(), "desk-2", bad); err == nil {
		t.Error("a line's report is kept as another's")
	}
	log, err := d.audit.Recent(t.Context(), 10)
	if err != nil || len(log) != 3 || log[0].Action != "line.tuned" || log[0].Result != "accepted" || log[1].Result != "refused" || log[0].Actor != "line desk-1" {
		t.Errorf("the audit log has %+v, %v", log, err)
	}

	if err := os.Chmod(h.path("state/acceptance/desk-1.json"), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := tunings.last("desk-1"); r.Good() || !strings.Contains(h.log.String(), "tuned again") {
		t.Errorf("a report that others could have written is used: %s", h.log.String())
	}
}

// What helps a line that is barred for nothing but that is told with the refusal.
func TestAnUntunedLineNamesItsRemedy(t *testing.T) {
	for why, want := range map[string]string{
		"it may not: untuned": "flattone tune one", "it may not: monitor_open, untuned": "flattone watch one shows how it is", "it is busy": "flattone watch one shows how it is",
	} {
		var e *control.Error
		if !errors.As(refusal("one", why), &e) || e.Remedy != want || e.Text != why {
			t.Errorf("%s: %+v", why, e)
		}
	}
}
