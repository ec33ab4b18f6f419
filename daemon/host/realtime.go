package host

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// realTimePriority is below the 50 of the kernel's interrupt threads: a card's interrupt comes before who waits for it.
const realTimePriority = 40

// RealTime gives every thread of the process real-time priority (SCHED_FIFO), and with that every thread it will have. All of them: a thread that
// carries sound, alone above the others, waits for one that the scheduler has put aside while it holds what the runtime needs.
func RealTime() error {
	const again = 3 // for threads that begin meanwhile, from one that has no priority yet
	for range again {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("real-time priority: %w", err)
		}
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil {
				continue
			}
			err = unix.SchedSetAttr(id, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: realTimePriority}, 0)
			if err != nil && err != unix.ESRCH { // one that has ended needs none
				return fmt.Errorf("real-time priority: %w: give the process CAP_SYS_NICE or a limit for it (LimitRTPRIO=%d)", err, realTimePriority)
			}
		}
	}
	return nil
}
