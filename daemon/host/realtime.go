package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// realTimePriority is below the 50 of the kernel's interrupt threads: a card's interrupt comes before who waits for it.
	realTimePriority = 40
	// monitorSlack is how late Go's monitor may be.
	monitorSlack = 100 * time.Millisecond
	// realTimeEvery is how soon a thread that the monitor began has real-time priority too.
	realTimeEvery = time.Second
)

// RealTime gives every thread of the process real-time priority (SCHED_FIFO) but Go's monitor, and until ctx ends every thread it will have. All of them: a
// thread that carries sound, alone above the others, waits for one that the scheduler has put aside while it holds what the runtime needs.
//
// The monitor (runtime.sysmon) takes the place at which a thread runs Go away from who is in C for 10 ms, and PortAudio's threads are there between periods.
// It would be woken in every period, several times, for 6 % of a core on a virtual machine with one stream, and each period would begin with looking for
// another place. None of its work is urgent: with a late timer (PR_SET_TIMERSLACK, which real-time threads have none of) it does it ten times a second. A
// sound thread can wait for it only while it has that thread in hand, some 100 ns in a look.
//
// The error says what is missing; no thread has another priority then.
func RealTime(ctx context.Context) error {
	const again = 3 // for threads that begin meanwhile, from one that has no priority yet
	for range again {
		if err := realTime(); err != nil {
			return fmt.Errorf("real-time priority: %w: give the process CAP_SYS_NICE", err)
		}
	}
	go func() {
		tick := time.NewTicker(realTimeEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_ = realTime() // which could be done before
			}
		}
	}()
	return nil
}

func realTime() error {
	threads, err := threads()
	if err != nil {
		return err
	}
	// The monitor first: slack is for who has normal priority, which it may have to be given back.
	id := threads[monitor]
	slack := strconv.FormatInt(monitorSlack.Nanoseconds(), 10)
	if err := errors.Join(priority(id, unix.SCHED_NORMAL, 0), os.WriteFile(fmt.Sprintf("/proc/%d/timerslack_ns", id), []byte(slack), 0)); err != nil {
		return err
	}
	for _, id := range slices.Delete(threads, monitor, monitor+1) {
		if err := priority(id, unix.SCHED_FIFO, realTimePriority); err != nil && err != unix.ESRCH { // one that has ended needs none
			return err
		}
	}
	return nil
}

func priority(thread int, policy, level uint32) error {
	return unix.SchedSetAttr(thread, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: policy, Priority: level}, 0)
}

// monitor is the monitor's place among the threads: Go begins it before any other.
const monitor = 1

// threads are the process's, in the order in which they began, which is the directory's own.
func threads() (ids []int, err error) {
	dir, err := os.Open("/proc/self/task")
	if err != nil {
		return nil, err
	}
	names, err := dir.Readdirnames(-1)
	if err = errors.Join(err, dir.Close()); err != nil {
		return nil, err
	}
	for _, name := range names {
		id, err := strconv.Atoi(name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	if len(ids) <= monitor {
		return nil, fmt.Errorf("%d threads", len(ids))
	}
	return ids, nil
}
