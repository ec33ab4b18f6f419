// Package box tests the box as its owner gets it: the package, installed by apt in a container that boots a real systemd, with real users,
// buses, sockets and units, and recorded calls on its lines.
//
// It exists because what holds a box together is mostly not its code: units, rights, the order of starting and stopping. Each test has a
// machine of its own, and commands it as people do: by apt, systemctl and flattone. It runs as root by `make box`, which makes what it
// needs, and never skips: without that it fails.
package box

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/flattone/flattone/e2e/shell"
)

// rig is what `make box` made: the image of a machine; the package, a later version of it that speaks the next version of the wire, too, and an earlier one that
// does not know the vault's schema; and the tests of daemon/lines.
const (
	rig        = "../../build/box"
	image      = rig + "/image"
	pkg        = rig + "/flattone.deb"
	laterPkg   = rig + "/flattone-later.deb"
	earlierPkg = rig + "/flattone-earlier.deb"
	linesTest  = rig + "/lines.test"
)

const recordings = "../../data/calls"

// patience bounds every wait for something that must happen. It is no measure of speed.
const patience = 60 * time.Second

func TestMain(m *testing.M) {
	for _, file := range []string{image, pkg, laterPkg, earlierPkg, linesTest} {
		if _, err := os.Stat(file); err != nil {
			fmt.Fprintf(os.Stderr, "these tests need a machine to install the package in: %v; run make box, as root\n", err)
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
