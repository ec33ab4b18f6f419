// Package child starts processes that don't outlive this one, for tests and the demonstration: what a test that panics or is killed leaves behind would hold
// devices, sockets and memory, and be there when the next one runs. It must never be what flattoned starts lines by, which are its own to end in order.
package child

import (
	"os/exec"
	"runtime"
	"syscall"
)

// Child is a process that was started. Its methods are safe for concurrent use.
type Child struct {
	gone chan struct{}
	err  error
}

// Start starts cmd, in a group of its own, so that Ctrl-C reaches its owner alone, who then ends it in order. If the owner ends first, the kernel sends it the signal
// dies: it ties that to the thread that started the process, so the thread is kept until that is gone.
func Start(cmd *exec.Cmd, dies syscall.Signal) (*Child, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: dies}
	c, started := &Child{gone: make(chan struct{})}, make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			c.err = cmd.Wait()
			close(c.gone)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}

// Gone is closed once the process is gone.
func (c *Child) Gone() <-chan struct{} { return c.gone }

// Runs reports that it isn't gone.
func (c *Child) Runs() bool {
	select {
	case <-c.gone:
		return false
	default:
		return true
	}
}

// Err waits until it is gone, and says how it ended, as [exec.Cmd.Wait] does.
func (c *Child) Err() error {
	<-c.gone
	return c.err
}
