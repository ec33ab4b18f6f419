package host_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/host"
	"golang.org/x/sys/unix"
)

func TestHardenedProcessLeavesNoCore(t *testing.T) {
	t.Setenv("GOTRACEBACK", "none") // or it would start this test's process over
	if err := host.Harden(); err != nil {
		t.Fatal(err)
	}
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err != nil || dumpable != 0 {
		t.Errorf("dumpable is %d, %v", dumpable, err)
	}
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil || core.Cur != 0 || core.Max != 0 {
		t.Errorf("core limit is %+v, %v", core, err)
	}
}

const realTimeChild = "FLATTONE_HOST_REAL_TIME"

// Every thread has real-time priority but Go's monitor, which may be late, and so has one that begins later or has lost it; or it is said what is missing.
func TestRealTime(t *testing.T) {
	if os.Getenv(realTimeChild) == "" {
		itself := []string{os.Args[0], "-test.run=^TestRealTime$"}
		children := [][]string{itself}
		if os.Geteuid() == 0 {
			children = append(children, append([]string{"setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice"}, itself...))
		}
		for _, args := range children {
			child := exec.Command(args[0], args[1:]...)
			child.Env = append(os.Environ(), realTimeChild+"=1")
			if out, err := child.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", args[0], err, out)
			}
		}
		return
	}
	policy := func(id int) uint32 {
		attr, err := unix.SchedGetAttr(id, 0)
		if err != nil {
			t.Fatal(err)
		}
		return attr.Policy
	}
	if err := host.RealTime(t.Context()); err != nil {
		if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "CAP_SYS_NICE") {
			t.Error(err)
		}
		if slices.ContainsFunc(tasks(t), func(id int) bool { return policy(id) == unix.SCHED_FIFO }) {
			t.Error("a thread has real-time priority all the same")
		}
		return
	}
	var later sync.WaitGroup
	begun, checked := make(chan struct{}), make(chan struct{})
	const threads = 8
	for range threads {
		later.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			begun <- struct{}{}
			<-checked
		})
	}
	for range threads {
		<-begun
	}
	monitor := sleeper(t)
	var lost int
	for _, id := range tasks(t) {
		if lost = id; (policy(id) == unix.SCHED_FIFO) == (id == monitor) {
			t.Errorf("thread %d has policy %d; %d is the monitor", id, policy(id), monitor)
		}
	}
	if slack, err := os.ReadFile(fmt.Sprintf("/proc/%d/timerslack_ns", monitor)); err != nil || string(slack) != "100000000\n" {
		t.Errorf("the monitor's slack is %s, %v", slack, err)
	}
	if err := unix.SchedSetAttr(lost, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}, 0); err != nil {
		t.Fatal(err)
	}
	for tries := 0; policy(lost) != unix.SCHED_FIFO; tries++ {
		if tries == 1000 {
			t.Fatal("a thread without priority isn't given it")
		}
		time.Sleep(10 * time.Millisecond)
	}
	close(checked)
	later.Wait()
}

// sleeper is the thread that sleeps on a timer of its own while others work: nothing does that in Go's runtime but the monitor.
func sleeper(t *testing.T) int {
	var stop atomic.Bool
	defer stop.Store(true)
	go func() {
		for !stop.Load() {
			runtime.Gosched()
		}
	}()
	seen := map[int]int{}
	for range 10_000 {
		for _, id := range tasks(t) {
			does, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/syscall", id))
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(string(does), strconv.Itoa(unix.SYS_NANOSLEEP)+" ") {
				seen[id]++
			}
			if seen[id] == 20 {
				return id
			}
		}
	}
	t.Fatalf("no thread sleeps: %v", seen)
	return 0
}

// tasks are the threads of the process.
func tasks(t *testing.T) (ids []int) {
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		id, err := strconv.Atoi(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}
