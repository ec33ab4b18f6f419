package jack

import (
	"bytes"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/flattone/flattone/hw/hwtest/child"
)

// process is one that doesn't outlive this one, with what it says on standard error.
type process struct {
	*child.Child
	cmd  *exec.Cmd
	said *bytes.Buffer
}

func start(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, said: new(bytes.Buffer)}
	cmd.Stderr = p.said
	var err error
	if p.Child, err = child.Start(cmd, syscall.SIGKILL); err != nil {
		t.Fatalf("start %s: %v: apt-get install jackd2", cmd.Path, err)
	}
	return p
}

// patience is how long a process may take to end as it is told. It is no measure of speed.
const patience = 10 * time.Second

// end tells it to end, waits until it is gone, and answers what it said.
func (p *process) end(how syscall.Signal) string {
	p.cmd.Process.Signal(how)
	select {
	case <-p.Gone():
	case <-time.After(patience):
		p.cmd.Process.Kill()
		<-p.Gone()
	}
	return p.said.String()
}
