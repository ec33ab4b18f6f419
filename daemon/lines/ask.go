package lines

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/flattone/flattone/daemon/wire"
)

// Bounds on a question: PortAudio may hang on a card, and write without an end.
const (
	askTime    = 6 * time.Second
	mostAnswer = 1 << 20 // bytes
	mostSaid   = 4 << 10 // bytes of standard error, the last
)

// asker asks what only a process with devices can find out, one question at a time.
type asker struct {
	slot chan struct{} // has room for one question
	// reach has a process of the lines' program hear a line, and answers with what it says.
	reach func(ctx context.Context, question []byte) (answer []byte, err error)
}

func newAsker(reach func(context.Context, []byte) ([]byte, error)) asker {
	return asker{make(chan struct{}, 1), reach}
}

// Ask asks, and waits for 6 seconds at the most.
func (a asker) Ask(ctx context.Context, q wire.Question) (wire.Found, error) {
	var found wire.Found
	if err := q.Judge(); err != nil {
		return found, err
	}
	question, err := json.Marshal(q)
	if err != nil {
		return found, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	select {
	case a.slot <- struct{}{}:
		defer func() { <-a.slot }()
	case <-ctx.Done():
		return found, fmt.Errorf("ask flattone-line: another question is not answered yet: %w", ctx.Err())
	}
	answer, err := a.reach(ctx, append(question, '\n'))
	switch {
	case ctx.Err() != nil:
		err = fmt.Errorf("it has not answered in %v", askTime)
	case err == nil && len(answer) > mostAnswer:
		err = fmt.Errorf("it answers with more than %d bytes", mostAnswer)
	case err == nil:
		if err = json.Unmarshal(answer, &found); err != nil {
			err = fmt.Errorf("what it says can't be read: %w; is it of this version?", err)
		} else if found.Error != "" {
			err = errors.New(found.Error)
		}
	}
	if err != nil {
		return wire.Found{}, fmt.Errorf("ask flattone-line: %w", err)
	}
	return found, nil
}

// askChild asks a process that it starts for this. One that takes too long is killed.
func (c *Children) askChild(ctx context.Context, question []byte) ([]byte, error) {
	// See keep.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var answer, said tail
	answer.most, said.most = mostAnswer+1, mostSaid
	cmd := exec.CommandContext(ctx, c.cfg.Bin, c.cfg.Ask...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(question), &answer, &said
	cmd.Env = environment(os.Environ())
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	if err != nil && len(said.text) > 0 {
		lines := bytes.Split(bytes.TrimSpace(said.text), []byte("\n"))
		err = errors.New(string(lines[len(lines)-1])) // it says why last
	}
	return answer.text, err
}

// askSocket asks the process that systemd starts for a connection to a socket.
func askSocket(path string) func(ctx context.Context, question []byte) ([]byte, error) {
	return func(ctx context.Context, question []byte) ([]byte, error) {
		c, err := new(net.Dialer).DialContext(ctx, "unix", path)
		if err != nil {
			return nil, fmt.Errorf("%w; look at systemctl status flattone-probe.socket", err)
		}
		defer c.Close()
		defer context.AfterFunc(ctx, func() { c.Close() })()
		if _, err := c.Write(question); err != nil {
			return nil, err
		}
		answer, err := io.ReadAll(io.LimitReader(c, mostAnswer+1))
		if err == nil && len(answer) == 0 {
			err = errors.New("it says nothing; journalctl -u 'flattone-probe@*' says why")
		}
		return answer, err
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	text []byte
	most int
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if over := len(t.text) - t.most; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}
