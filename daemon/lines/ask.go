package lines

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Bounds on a question: PortAudio may hang on a card, and write without an end.
const (
	askTime    = 6 * time.Second
	mostAnswer = 1 << 20 // bytes
	mostSaid   = 4 << 10 // bytes of standard error, the last
)

// Ask runs the lines' program with args, one question at a time, and answers with what it prints. It is for what only a process with devices can find out.
// One that takes too long is killed.
func (m *Manager) Ask(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	select {
	case m.asking <- struct{}{}:
		defer func() { <-m.asking }()
	case <-ctx.Done():
		return nil, fmt.Errorf("ask %s: another question is not answered yet: %w", m.cfg.Bin, ctx.Err())
	}
	// See keep.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var answer, said tail
	answer.most, said.most = mostAnswer, mostSaid
	cmd := exec.CommandContext(ctx, m.cfg.Bin, args...)
	cmd.Stdout, cmd.Stderr = &answer, &said
	cmd.Env = environment(os.Environ())
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		err = fmt.Errorf("it has not answered in %v", askTime)
	case err != nil && len(said.text) > 0:
		lines := bytes.Split(bytes.TrimSpace(said.text), []byte("\n"))
		err = errors.New(string(lines[len(lines)-1])) // it says why last
	case err == nil && answer.cut:
		err = fmt.Errorf("it answers with more than %d bytes", mostAnswer)
	}
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", m.cfg.Bin, err)
	}
	return answer.text, nil
}

// tail keeps the end of what is written to it.
type tail struct {
	text []byte
	most int
	cut  bool
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if over := len(t.text) - t.most; over > 0 {
		t.text, t.cut = append(t.text[:0], t.text[over:]...), true
	}
	return len(p), nil
}
