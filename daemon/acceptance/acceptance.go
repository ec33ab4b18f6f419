// Package acceptance is the report that an installer gets of a line, and what flattoned keeps of it: the figures that were
// measured, the bound of each, and for which devices and settings they hold.
//
// It exists so that the line that measures, flattoned that keeps, the tool that prints and the line that asks whether it may
// be armed mean the same by a good line. It promises that a verdict is never read but always reckoned: a report is good if every
// figure there has to be is there and within the bounds of this build. It must never hold anything of what was keyed.
package acceptance

import (
	"math"
	"slices"
	"time"
)

// Report is one tuning of one line.
type Report struct {
	Line string    `json:"line"`
	Time time.Time `json:"time"`
	// Version is that of the flattoned that keeps it.
	Version string `json:"version"`
	// Fingerprint stands for the devices and settings that the report holds for, which Devices and Settings say in words.
	Fingerprint string `json:"fingerprint"`
	Devices     string `json:"devices"`
	Settings    string `json:"settings"`
	// Accepted is what [Report.Good] said when it was written, for people and other programs.
	Accepted bool `json:"accepted"`
	// Mixers are the ways that a sound card's own mixer had open past the mask, with the command that closes each.
	Mixers  []string `json:"mixers,omitempty"`
	Figures []Figure `json:"figures"`
	// Recorder is for the site to fill in: what its own recorder took of a test call, judged blind.
	Recorder Recorder `json:"recorder"`
}

// Recorder is the place for a recording made behind the box, and for what an attacker could read in it.
type Recorder struct {
	// File names the recording, JudgedBy who judged it and with what, Verdict what came of it.
	File     string `json:"file"`
	JudgedBy string `json:"judged_by"`
	Verdict  string `json:"verdict"`
}

// Figure is one thing that was measured.
type Figure struct {
	Name Name `json:"name"`
	// What says it in words.
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
	// Least and Most bound it; one that has neither is told for information.
	Least *float64 `json:"least,omitempty"`
	Most  *float64 `json:"most,omitempty"`
	Good  bool     `json:"good"`
}

// Measured is a figure with its bounds, to a tenth.
func Measured(name Name, value float64) Figure {
	b := boundOf(name)
	f := Figure{Name: name, What: b.what, Unit: b.unit, Value: math.Round(min(max(value, -farthest), farthest)*10) / 10}
	if !math.IsInf(b.least, 0) {
		f.Least = &b.least
	}
	if !math.IsInf(b.most, 0) {
		f.Most = &b.most
	}
	f.Good = b.holds(f.Value)
	return f
}

// farthest keeps what has no end, such as the softest of no keys, within what JSON can say.
const farthest = 1e6

// Good reports whether the line may be armed for cards, as far as the report goes.
func (r Report) Good() bool { return len(r.Faults()) == 0 }

// Faults are the figures that are out of bounds, and those that are missing: their Value is then no number's.
func (r Report) Faults() (faults []Figure) {
	for _, b := range bounds {
		i := slices.IndexFunc(r.Figures, func(f Figure) bool { return f.Name == b.name })
		switch {
		case i < 0:
			faults = append(faults, Figure{Name: b.name, What: b.what, Value: math.NaN()})
		case !b.holds(r.Figures[i].Value):
			faults = append(faults, Measured(b.name, r.Figures[i].Value))
		}
	}
	return faults
}

// Holds reports whether the report is good and is of a line with that fingerprint.
func (r Report) Holds(fingerprint string) bool { return r.Fingerprint == fingerprint && r.Good() }
