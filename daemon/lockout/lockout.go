// Package lockout says when an account opens again that too many wrong attempts have locked (PCI DSS 8.3.4: at most ten, half an hour at least).
//
// It exists because no one clock is enough. Whoever can set the machine's clock could end a lock by setting it forward, and a restart of the machine sets
// back the time since it started. So a lock is stamped by both, and ends when both say that its time has passed. A clock that reads less than at the stamp was set back
// or has begun anew, and what it says of the time between is nothing: then the lock begins anew. So no lock is ever cut short by a restart, by a clock that
// is set, or by another box on the same store; the worst is that it lasts [Time] longer.
package lockout

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Time is how long a lock lasts.
const Time = 30 * time.Minute

// Moment is a point in time by both clocks. Its zero is none.
type Moment struct {
	Wall time.Time     // the machine's clock, which people set
	Up   time.Duration // since the machine started, asleep or not: CLOCK_BOOTTIME, which nobody can set
}

// Clock tells the moment: [Now], or a test's.
type Clock func() Moment

// Now is the moment by the machine's own clocks.
func Now() Moment {
	var up unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &up); err != nil { // none that Go runs on lacks it
		panic(fmt.Sprintf("lockout: the time since the machine started: %v", err))
	}
	return Moment{time.Now(), time.Duration(up.Nano())}
}

// Left is how long a lock still lasts that began at since, and since when it counts: since itself, or now where that begins it anew, which is
// then to be kept. Zero says that it is over.
func Left(since, now Moment) (left time.Duration, from Moment) {
	passed := min(now.Up-since.Up, now.Wall.Round(0).Sub(since.Wall)) // without the monotonic reading, which is a third clock
	if passed < 0 {
		return Time, now
	}
	return max(Time-passed, 0), since
}
