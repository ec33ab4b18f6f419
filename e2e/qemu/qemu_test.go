// Package qemu tests what a container can't show of the box: the package, installed in a machine that is emulated whole, with sound cards of ALSA's, serial
// ports, a TPM, and a root who may raise limits.
//
// It exists because units let devices in, and priorities and locked memory be had, only where a kernel agrees. One machine is booted for all of it,
// because that takes minutes where the processor doesn't help. It runs by `make e2e-qemu`, which makes what it needs, and never skips: without that it fails.
// How fast anything is can't be told there.
package qemu

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/flattone/flattone/e2e/shell"
)

// rig is what `make e2e-qemu` made: a disk with what finds it, a kernel, the package, and a receiver of tokens.
const rig = "../../build/qemu"

const recordings = "../../data/calls"

// patience bounds every wait for something that must happen, and bootPatience that for a machine. They are no measure of speed.
const (
	patience     = 3 * time.Minute
	bootPatience = 6 * time.Minute
)

func TestMain(m *testing.M) {
	for _, file := range []string{"disk", "initrd", "vmlinuz", "flattone.deb", "receiver"} {
		if _, err := os.Stat(rig + "/" + file); err != nil {
			fmt.Fprintf(os.Stderr, "these tests need a machine to install the package in: %v; run make e2e-qemu\n", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// soon waits until something holds.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	shell.Soon(t, patience, what, holds)
}
