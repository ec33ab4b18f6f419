package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The two ways in which there may be no configuration. They call for different remedies: a missing file
// is written, a wrong one is corrected.
var (
	ErrAbsent  = errors.New("no configuration file")
	ErrInvalid = errors.New("configuration is not valid")
)

// Fault is one thing wrong with the file.
type Fault struct {
	// File is the file's name as it was given, Line the line it is about, from 1; 0 if none is.
	File string
	Line int
	// Key is the path of the key, such as line[1].lookahead_ms. Lines count from 0. Empty for a fault
	// of the file as a whole.
	Key string
	// Value is what was written, as TOML would write it; empty if nothing was or it may not be shown.
	Value string
	// Reason says what is wrong, Remedy what to do about it.
	Reason, Remedy string
}

// Error is the fault on one line: file:line: key = value: reason; remedy.
func (f Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
	}
	if f.Key != "" {
		b.WriteString(": " + f.Key)
		if f.Value != "" {
			b.WriteString(" = " + f.Value)
		}
	}
	b.WriteString(": " + f.Reason)
	if f.Remedy != "" {
		b.WriteString("; " + f.Remedy)
	}
	return b.String()
}

// Faults is everything wrong with the file, and with what it was read with, in the files' order. It is an [ErrInvalid].
type Faults []Fault

// Error is all faults, one a line.
func (f Faults) Error() string {
	texts := make([]string, len(f))
	for i := range f {
		texts[i] = f[i].Error()
	}
	return strings.Join(texts, "\n")
}

// Unwrap lists the faults.
func (f Faults) Unwrap() []error {
	errs := make([]error, len(f))
	for i := range f {
		errs[i] = f[i]
	}
	return errs
}

// Is says that faults make a configuration invalid.
func (f Faults) Is(target error) bool { return target == ErrInvalid }

// err is f as an error: nil if there is no fault.
func (f Faults) err() error {
	if len(f) == 0 {
		return nil
	}
	slices.SortStableFunc(f, func(a, b Fault) int { return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line) })
	return f
}
