// Package lockout counts wrong attempts on an account, locks it, and says when it opens again (PCI DSS 8.3.4: at most ten, half an hour at least).
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

// MomentOf is what [Moment.Micro] has made two numbers of; of zeros it is none.
func MomentOf(wall, up int64) Moment {
	if wall == 0 {
		return Moment{}
	}
	return Moment{time.UnixMicro(wall), time.Duration(up) * time.Microsecond}
}

// Micro is the moment in microseconds, since 1970 and since the machine started, for a table's columns. None is zeros.
func (m Moment) Micro() (wall, up int64) {
	if m.Wall.IsZero() {
		return 0, 0
	}
	return m.Wall.UnixMicro(), m.Up.Microseconds()
}

// Account is what is kept of somebody's attempts. Its zero is open.
//
//	open ──Wrong, for the max-th time in a row──▶ locked ──half an hour──▶ open
//	 ▲ │
//	 └─┘ a good attempt: its owner begins the account anew
type Account struct {
	Tries  int    // wrong ones since the last good one, or the last lock
	Locked Moment // when its lock began
}

// Error says for how long no attempt is looked at.
type Error struct{ Left time.Duration }

func (e *Error) Error() string {
	return "too many wrong attempts: locked for " + e.Left.Round(time.Second).String()
}

// Left is how long the account stays locked. It may change the account, which is then to be kept.
func (a *Account) Left(now Moment) (left time.Duration) {
	if a.Locked == (Moment{}) {
		return 0
	}
	if left, a.Locked = Left(a.Locked, now); left == 0 {
		a.Locked = Moment{}
	}
	return left
}

// Wrong counts a wrong attempt: an [Error] if it is one of max in a row, and so locks the account.
func (a *Account) Wrong(now Moment, max int) error {
	if a.Tries++; a.Tries < max {
		return nil
	}
	*a = Account{Locked: now}
	return &Error{Time}
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
