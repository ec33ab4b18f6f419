package qemu

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// agent is QEMU's guest agent in a machine: a program that does there what it is told over a serial port, in JSON (QEMU Guest Agent Protocol
// Reference). It needs no network, and no secret.
type agent struct {
	mu   sync.Mutex
	conn net.Conn
	in   *bufio.Reader
}

// wake waits until the agent is there. What it is asked before waits for it; the byte, which is no JSON, has both sides begin anew.
func (a *agent) wake(patience time.Duration) error {
	const anew = 0xff
	a.conn.SetDeadline(time.Now().Add(patience))
	if _, err := a.conn.Write([]byte{anew}); err != nil {
		return err
	}
	if err := a.write("guest-sync-delimited", map[string]any{"id": 1}); err != nil {
		return err
	}
	if _, err := a.in.ReadBytes(anew); err != nil {
		return err
	}
	return a.answer(nil)
}

// call asks for one thing, and reads the answer into got, unless that is nil.
func (a *agent) call(command string, arguments, got any) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conn.SetDeadline(time.Now().Add(patience))
	if err := a.write(command, arguments); err != nil {
		return err
	}
	if err := a.answer(got); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	return nil
}

func (a *agent) write(command string, arguments any) error {
	question, err := json.Marshal(map[string]any{"execute": command, "arguments": arguments})
	if err == nil {
		_, err = a.conn.Write(append(question, '\n'))
	}
	return err
}

func (a *agent) answer(got any) error {
	line, err := a.in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var answer struct {
		Return json.RawMessage
		Error  *struct{ Desc string }
	}
	switch err := json.Unmarshal(line, &answer); {
	case err != nil:
		return fmt.Errorf("the answer is %q: %w", line, err)
	case answer.Error != nil:
		return fmt.Errorf("the agent says: %s", answer.Error.Desc)
	case got == nil:
		return nil
	}
	return json.Unmarshal(answer.Return, got)
}

// exec runs a program as root, and waits until it has ended.
func (a *agent) exec(argv ...string) (output string, code int, err error) {
	var begun struct{ PID int }
	err = a.call("guest-exec", map[string]any{"path": argv[0], "arg": argv[1:], "capture-output": true}, &begun)
	if err != nil {
		return "", 0, err
	}
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, 200*time.Millisecond) {
		var ended struct {
			Exited           bool
			ExitCode, Signal int
			Out              []byte `json:"out-data"`
			Err              []byte `json:"err-data"`
		}
		switch err := a.call("guest-exec-status", map[string]any{"pid": begun.PID}, &ended); {
		case err != nil:
			return "", 0, err
		case ended.Signal != 0:
			return "", 0, fmt.Errorf("%s was ended by signal %d", strings.Join(argv, " "), ended.Signal)
		case ended.Exited:
			return string(ended.Out) + string(ended.Err), ended.ExitCode, nil
		}
		time.Sleep(wait)
	}
}
