// Package acceptancetest gives tests a line that was tuned, for those that are about something else: every figure at its bound, and
// the report where flattoned looks for it.
//
// It is for tests only. What it does takes a write to the state folder, as whoever forges a report would need.
package acceptancetest

import (
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/acceptance"
)

// Good is a report of a line that just passes.
func Good(line, fingerprint string) acceptance.Report {
	r := acceptance.Report{Line: line, Time: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), Version: "test", Fingerprint: fingerprint, Accepted: true}
	for _, name := range acceptance.Names() {
		f := acceptance.Measured(name, 0)
		if f.Most != nil {
			f = acceptance.Measured(name, *f.Most)
		} else if f.Least != nil {
			f = acceptance.Measured(name, *f.Least)
		}
		r.Figures = append(r.Figures, f)
	}
	return r
}

// Place puts such a report into a state folder.
func Place(t testing.TB, stateDir, line, fingerprint string) {
	t.Helper()
	if err := acceptance.In(stateDir).Keep(Good(line, fingerprint)); err != nil {
		t.Fatal(err)
	}
}
