package lines

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
)

// process starts a line's process and waits until it and its output have ended. When ctx ends it sends SIGTERM,
// and SIGKILL after the grace. The error says how it ended, and is never nil.
//
// The calling goroutine must be locked to its thread: see keep.
func (c *Children) process(ctx context.Context, name string) error {
	log := c.deps.Log.With("line", name)
	out := &output{log: log}
	cmd := exec.CommandContext(ctx, c.cfg.Bin, c.cfg.Args(name)...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = environment(os.Environ())
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = c.cfg.Grace
	cmd.SysProcAttr = &syscall.SysProcAttr{
		// Ctrl-C on the terminal is for flattoned, which then stops its lines in order.
		Setpgid: true,
		// However flattoned dies, its lines die with it. The kernel clears this where the program has file
		// capabilities or is set-uid: such a flattone-line belongs to systemd, not here.
		Pdeathsig: syscall.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", c.cfg.Bin, err)
	}
	log.Info("the line's process has started", "pid", cmd.Process.Pid)
	err := cmd.Wait()
	out.close()
	if err == nil {
		err = errors.New("ended by itself, without an error")
	}
	return err
}

// environment is flattoned's own without what systemd meant for flattoned alone, and with what host.Harden asks
// for.
func environment(own []string) []string {
	private := []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
		"CREDENTIALS_DIRECTORY", "INVOCATION_ID", "GOTRACEBACK"}
	env := slices.DeleteFunc(slices.Clone(own), func(entry string) bool {
		key, _, _ := strings.Cut(entry, "=")
		return slices.Contains(private, key)
	})
	return append(env, "GOTRACEBACK=none")
}
