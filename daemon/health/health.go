// Package health knows every unhealthy state of the box, and which of them stand now.
//
// It exists so that status, the journal, metrics, the audit log and D-Bus say the same of the same trouble: each state
// is declared once, in table.go, with its severity, its words and its remedy, and whoever meets it sets it on the one [Board]. What is not
// declared can still be set, lest a fault go untold for want of words; it then counts as a fault.
//
// It promises that a condition's beginning and its end are each told once to every subscriber, in order, unless it is thousands behind. It knows of
// no card and no caller, and does no I/O; daemon, tool and metrics import it, and it imports nothing of the house.
package health

import (
	"fmt"
	"time"
)

// Severity says how much a condition matters.
type Severity int

// The severities, in order.
const (
	Notice  Severity = iota // passes by itself
	Warning                 // calls go on; somebody should see to it
	Fault                   // something the box is there for doesn't work
)

var severities = [...]string{"notice", "warning", "fault"}

func (s Severity) String() string { return severities[s] }

// MarshalText writes the severity's name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a severity's name.
func (s *Severity) UnmarshalText(text []byte) error {
	for i, name := range severities {
		if name == string(text) {
			*s = Severity(i)
			return nil
		}
	}
	return fmt.Errorf("%q is no severity", text)
}

// Code names a condition everywhere: small letters and underscores, never a digit.
type Code string

// Condition is an unhealthy state that stands.
type Condition struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	// Line is the line that it is about; empty for the box.
	Line string `json:"line,omitempty"`
	// Words say what is wrong, Detail what is known besides, Remedy what to do.
	Words  string    `json:"words"`
	Detail string    `json:"detail,omitempty"`
	Remedy string    `json:"remedy"`
	Since  time.Time `json:"since"`
}

// Change is the beginning of a condition, or its end.
type Change struct {
	Condition
	// Raised says which. Time is when.
	Raised bool
	Time   time.Time
}
