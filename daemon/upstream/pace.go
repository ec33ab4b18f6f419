package upstream

import (
	"slices"
	"time"
)

// doubtful is after how many different keys in a row, and none delivered between them, it is the destination that fails, and not the events.
const doubtful = 16

// learn takes note of what an answer says of the destination.
func (d *dispatcher) learn(a attempt) {
	delete(d.away, a.seq)
	if State(d.state.Load()) == Disabled { // what was on its way when it was gone changes nothing
		return
	}
	d.state.Store(int32(a.state()))
	switch {
	case a.Outcome != Later:
		d.failing, d.pause = nil, 0
		return
	case !slices.Contains(d.failing, a.Key) && !d.doubts():
		d.failing = append(d.failing, a.Key)
	}
	if d.doubts() && !a.at.Before(d.until) {
		d.pause++
		d.until = a.at.Add(max(d.backOff(d.pause), min(a.After, d.to.MaxWait)))
	}
}

// doubts reports whether it is the destination that fails, and not its events.
func (d *dispatcher) doubts() bool { return len(d.failing) == doubtful }

// room is how many events may be sent now. A destination that fails as a whole is tried with one event at a time, and more and more seldom.
func (d *dispatcher) room(now time.Time) int {
	switch {
	case State(d.state.Load()) == Disabled:
		return 0
	case !d.doubts():
		return d.to.AtOnce - len(d.away)
	case len(d.away) > 0 || now.Before(d.until):
		return 0
	}
	return 1
}

// backOff is the time before the attempt that follows the n-th: full jitter under a doubling bound.
func (d *dispatcher) backOff(n int) time.Duration {
	bound := d.to.BackOff
	for range n - 1 {
		if bound >= d.to.MaxWait/2 {
			bound = d.to.MaxWait
			break
		}
		bound *= 2
	}
	return d.o.jitter(bound)
}
