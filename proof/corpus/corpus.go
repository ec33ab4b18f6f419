// Package corpus makes what flattone is measured on: keys as every kind of telephone sends them and every kind of line spoils
// them, signals that are no keys, speech and music, each with the truth beside it.
//
// Everything is made from a seed, bit for bit the same on every machine; another seed gives other material of the same kinds.
// Speech and music are the recordings of Debian's asterisk packages, see [Library]. Nothing is written to a disk: a [Recipe]
// makes its [Unit] when it is wanted, and whoever has measured it drops it.
//
// Levels are in dBm0, per tone unless something else is said. The categories and what they demand follow ITU-T Q.23 and Q.24,
// ETSI ES 201 235-3, and the test tapes of Mitel as they are described in public. It must never name a key in a group or an error.
package corpus

import (
	"math"
	"strings"

	"github.com/flattone/flattone/audio"
)

// Rate of every unit.
const Rate = audio.Rate8k

// Expect is what is owed to a signal.
type Expect uint8

// What may be owed.
const (
	Accept Expect = iota + 1 // a key that must be recognised, and masked
	May                      // a key that may be recognised
	Reject                   // must not be taken for a key
	Hide                     // below what need be recognised, and to be masked all the same
)

// Event is one signal of a unit.
type Event struct {
	Key        byte // 0 if it is no key
	Start, End int  // frames
	Expect     Expect
	Group      string  // series within the category
	X          float64 // swept value of the series
	Bridge     bool    // it has a hole so short that it must count once
}

// Judged reports that the event is a key whose sound must not be heard.
func (e Event) Judged() bool { return e.Key != 0 && (e.Expect == Accept || e.Expect == Hide) }

// Unit is one stretch of a caller's leg.
type Unit struct {
	Category string
	PCM      []int16
	Events   []Event
	// Sounds tells of every frame whether a key can be heard in it: whether what the line made of the keys alone, echo and
	// tail included, is above Faintest there. It is nil if the unit has no keys.
	Sounds []bool
}

// Faintest is the level in dBm0 from which a key's sound counts.
const Faintest = -50

// Recipe makes one unit. Make may be called from any goroutine, and gives the same each time.
type Recipe struct {
	Category string
	Make     func() (*Unit, error)
}

// Matches reports whether the category begins with one of several prefixes, or there are none.
func Matches(category string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(category, p) {
			return true
		}
	}
	return len(prefixes) == 0
}

// Pick keeps the recipes whose category begins with one of the prefixes.
func Pick(all []Recipe, prefixes []string) (picked []Recipe) {
	for _, r := range all {
		if Matches(r.Category, prefixes) {
			picked = append(picked, r)
		}
	}
	return picked
}

// frames is a time in ms as a number of frames.
func frames(ms float64) int { return int(math.Round(ms * float64(Rate) / 1000)) }

// Tallies are what a judge made of a unit: a tally for each series.
type Tallies[T any] map[string]*T

// Of is the tally of a series.
func (t Tallies[T]) Of(series string) *T {
	if t[series] == nil {
		t[series] = new(T)
	}
	return t[series]
}
