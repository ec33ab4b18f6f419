package host_test

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

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

// Every thread has real-time priority, and so has one that begins later; or it is said what is missing.
func TestRealTime(t *testing.T) {
	if os.Getenv(realTimeChild) == "" {
		child := exec.Command(os.Args[0], "-test.run=^TestRealTime$")
		child.Env = append(os.Environ(), realTimeChild+"=1")
		if out, err := child.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if err := host.RealTime(); err != nil {
		if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "CAP_SYS_NICE") {
			t.Error(err)
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
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil || len(tasks) < threads {
		t.Fatalf("%d threads, %v", len(tasks), err)
	}
	for _, task := range tasks {
		id, err := strconv.Atoi(task.Name())
		if err != nil {
			t.Fatal(err)
		}
		attr, err := unix.SchedGetAttr(id, 0)
		if err != nil || attr.Policy != unix.SCHED_FIFO {
			t.Errorf("thread %d has policy %+v, %v", id, attr, err)
		}
	}
	close(checked)
	later.Wait()
}
