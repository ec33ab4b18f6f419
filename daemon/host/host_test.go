package host_test

import (
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
