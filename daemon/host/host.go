// Package host is what a flattone process asks of the machine it runs on before it touches anything secret:
// that no core dump of it is ever written, that no process of another user may look into its memory, and that
// a crash prints no stack: that shows the words of functions' arguments, and some of those are digits.
//
// It is called once, first thing in main; a process that can't be hardened doesn't start. One that carries live sound also asks for real-time
// priority, and does without it where it must, with a warning.
//
// It is also the one way to systemd and the system bus: what a process tells of itself ([Alive], [KeepAlive]), the socket it is handed ([Listener]),
// and other units ([Units]). Where there is no systemd, telling it something does nothing. It never speaks to the bus on a sample's thread.
package host

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// Harden makes the process undumpable (prctl PR_SET_DUMPABLE), which also denies ptrace and /proc/PID/mem
// to everyone but root, and forbids core files for it and its children. It may be called again.
//
// A process that was started without GOTRACEBACK=none starts over with it, under the same pid, and this call
// doesn't return: only the environment turns a panic's stack off (runtime/debug.SetTraceback can't go below that).
// Who starts a process that shall die with its parent sets it there: a death signal belongs to a thread, and exec
// keeps it only on that one.
func Harden() error {
	if os.Getenv("GOTRACEBACK") != "none" {
		return startOver()
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("make the process undumpable: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("forbid core files: %w", err)
	}
	return nil
}

// UntilStopped returns a context that ends when the process is told to stop. SIGQUIT and SIGABRT tell it that too:
// left alone, they print all stacks and registers, whatever GOTRACEBACK says.
func UntilStopped() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGQUIT, unix.SIGABRT)
}

func startOver() error {
	program, err := os.Executable()
	if err == nil {
		err = os.Setenv("GOTRACEBACK", "none")
	}
	if err == nil {
		err = unix.Exec(program, os.Args, os.Environ())
	}
	return fmt.Errorf("start over without stack traces: %w", err)
}
