package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// rolledUp is the action of a roll-up.
const rolledUp = "audit.rolled_up"

// Rollup is what the log tells of the time since the roll-up before (PCI DSS 10.4.1.1: the log is reviewed daily, by machine).
type Rollup struct {
	From, To int64          // entries, To not included
	Counts   map[string]int // by action
	Look     map[string]int // by action: what a person should look at
}

// worth reports that an entry is one to look at: somebody was turned away, a control failed, or what was done didn't end well.
func worth(e Event) bool {
	a, _ := Lookup(e.Action)
	return a.Is == BadAccess || a.Is == ControlFailed || a.Is == CardAccess && e.Result != "ok" || a.Is == Credentials && e.Result != "ok"
}

// Text is the roll-up in one line, which is the result in its entry.
func (r Rollup) Text() string {
	look := "nothing to look at"
	if len(r.Look) > 0 {
		look = "to look at: " + tally(r.Look)
	}
	return fmt.Sprintf("%d entries; %s; all: %s", r.To-r.From, look, tally(r.Counts))
}

func tally(counts map[string]int) string {
	var all []string
	for _, action := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprint(action, " ", counts[action]))
	}
	return strings.Join(all, ", ")
}

// RollUp writes an entry with what was logged since the one before, if that is of another day than now (UTC). It is false if it isn't. Whoever logs in between is
// counted the next time.
func (l *Log) RollUp(ctx context.Context, now time.Time) (r Rollup, due bool, err error) {
	r, last, err := l.sinceRollup(ctx)
	if err != nil {
		return r, false, fmt.Errorf("audit: roll up: %w", err)
	}
	if r.From == r.To || last.UTC().Format(time.DateOnly) == now.UTC().Format(time.DateOnly) {
		return r, false, nil
	}
	err = l.store.Write(ctx, func(tx *store.Tx) error {
		return l.Append(tx, Event{Actor: "flattoned", Action: rolledUp, Object: fmt.Sprintf("entries %d to %d", r.From, r.To-1), Result: r.Text(), Origin: "audit log", Time: now})
	})
	if err != nil {
		return r, false, fmt.Errorf("audit: roll up: %w", err)
	}
	return r, true, nil
}

// sinceRollup counts backward to the last roll-up, and says when that was; where there was none, when the log began.
func (l *Log) sinceRollup(ctx context.Context) (r Rollup, last time.Time, err error) {
	r.Counts, r.Look = map[string]int{}, map[string]int{}
	err = l.store.Read(ctx, func(tx *store.Tx) error {
		head, err := l.head(tx)
		if err == nil {
			r.From, r.To = head.Size(), head.Size()
		}
		return err
	})
	for err == nil && r.From > 0 {
		from := r.From
		last, err = l.countBack(ctx, &r)
		if err == errFound {
			return r, last, nil
		}
		if err == nil && r.From == from {
			err = fmt.Errorf("%w: entry %d is missing", ErrTampered, from-1)
		}
	}
	return r, last, err
}

var errFound = errors.New("found")

// countBack counts a page of entries below r.From, which is the lowest then; it is errFound at a roll-up.
func (l *Log) countBack(ctx context.Context, r *Rollup) (last time.Time, err error) {
	err = l.store.Read(ctx, func(tx *store.Tx) error {
		return l.back(tx, r.From, page, func(e Entry) error {
			if last = e.Time; e.Action == rolledUp {
				return errFound
			}
			r.From = e.Seq
			r.Counts[e.Action]++
			if worth(e.Event) {
				r.Look[e.Action]++
			}
			return nil
		})
	})
	return last, err
}
