package jack

import (
	"bytes"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// child is a process that doesn't outlive this one.
type child struct {
	cmd  *exec.Cmd
	said *bytes.Buffer // on standard error
	done chan struct{}
}

// start starts a process. The kernel ties its death to the thread that started it, so the thread is kept until it is gone.
func start(t testing.TB, cmd *exec.Cmd) *child {
	t.Helper()
	c := &child{cmd: cmd, said: new(bytes.Buffer), done: make(chan struct{})}
	cmd.Stderr = c.said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
			close(c.done)
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("start %s: %v: apt-get install jackd2", cmd.Path, err)
	}
	return c
}

// patience is how long a process may take to end as it is told. It is no measure of speed.
const patience = 10 * time.Second

// end tells it to end, waits until it is gone, and answers what it said.
func (c *child) end(how syscall.Signal) string {
	c.cmd.Process.Signal(how)
	select {
	case <-c.done:
	case <-time.After(patience):
		c.cmd.Process.Kill()
		<-c.done
	}
	return c.said.String()
}

func (c *child) gone() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}
