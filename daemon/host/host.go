// Package host is what a flattone process asks of the machine it runs on before it touches anything secret:
// that no core dump of it is ever written, and that no process of another user may look into its memory.
//
// It is called once, first thing in main; a process that can't be hardened doesn't start.
package host

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Harden makes the process undumpable (prctl PR_SET_DUMPABLE), which also denies ptrace and /proc/PID/mem
// to everyone but root, and forbids core files for it and its children. It may be called again.
func Harden() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("make the process undumpable: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("forbid core files: %w", err)
	}
	return nil
}
