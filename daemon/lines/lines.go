// Package lines keeps the lines' processes running, one flattone-line for each line of the config: as units of systemd
// ([Units]), or as children of flattoned where systemd doesn't run it ([Children]).
//
// It exists because a line whose device is lost, or whose code fails, is cured by a new process, and one
// line's end must be no other's.
//
// Both promise that every line has a process, or is about to have one, and that each end of one is told. A unit outlives flattoned: it is found
// running, and adopted, when flattoned is back. A child never does, however flattoned ends.
//
// It knows nothing of calls and cards. A line's process comes up held if it died while armed; that is its
// own doing (daemon/line), not this package's.
package lines

import (
	"log/slog"
	"time"
)

// How long a line's process is awaited before it is started again.
const (
	firstWait   = 100 * time.Millisecond
	longestWait = 10 * time.Second
	steady      = 10 * time.Second // a process that was up this long is taken for sound
)

// Deps is what keeps lines works with. Of its functions each may be nil. They are called by several goroutines, and the line waits for them.
type Deps struct {
	Log *slog.Logger
	// OnExit is told of each process that ended or could not be started, though not of those that somebody had stopped: how often that has happened to
	// the line.
	OnExit func(line string, times int)
	// OnStop is told of a line that somebody has stopped by systemctl: it stays so until somebody has it started.
	OnStop func(line string)
	// OnTrouble is told that systemd can't be had to keep a line's unit, or if line is empty, any; and with no error, that it can again.
	OnTrouble func(line string, err error)
}
