package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/demo/box"
	"github.com/flattone/flattone/demo/receiver"
)

// today is the date the demo's line believes in: the recorded cards expire, the demo should not.
const today = "2026-11-22"

const line = "demo"

// stage is one performance.
type stage struct {
	bin, calls, call, out string
	fast                  bool

	received *receiver.Receiver
}

// play is the demo from the first word to the verdict.
func (s *stage) play(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(s.calls, s.call, "caller.wav")); err != nil {
		return fmt.Errorf("there is no recorded call %q in %s: %w", s.call, s.calls, err)
	}
	if err := os.RemoveAll(s.out); err != nil {
		return err
	}
	if err := os.MkdirAll(s.out, 0o700); err != nil {
		return err
	}
	s.say("A whole box is set up in %s, and the recorded call %q played through it.", s.out, s.call)
	secret := box.NewSecret()
	url, closeReceiver, err := s.receive(secret)
	if err != nil {
		return err
	}
	defer closeReceiver()
	pace := 1.0
	if s.fast {
		pace = 0
	}
	b, err := box.New(box.Config{Bin: s.bin, Dir: s.out, Webhook: url, Secret: secret, Today: today,
		Lines: []box.Line{{Name: line, Calls: []string{filepath.Join(s.calls, s.call)}, Pace: pace, WaitArmed: true}}})
	if err != nil {
		return err
	}
	defer b.Stop()
	client, err := b.Start(ctx)
	if err != nil {
		return err
	}
	if err := s.take(ctx, b, client); err != nil {
		return err
	}
	if err := b.Stop(); err != nil {
		return fmt.Errorf("flattoned did not stop in order: %w", err)
	}
	return s.judge(ctx, b)
}

// receive starts the small upstream system that the token is delivered to.
func (s *stage) receive(secret string) (url string, stop func(), err error) {
	kept, err := os.OpenFile(filepath.Join(s.out, "upstream.jsonl"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return "", nil, err
	}
	if s.received, err = receiver.New(secret, kept); err != nil {
		return "", nil, err
	}
	l, err := receiver.Listen("127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	srv := &http.Server{Handler: s.received, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() { srv.Serve(l); close(done) }()
	return "http://" + l.Addr().String() + "/flattone", func() { srv.Close(); <-done; kept.Close() }, nil
}

// take arms the line as an agent would, shows what happens until upstream has the token, and waits for the
// end of the call.
func (s *stage) take(ctx context.Context, b *box.Box, client *control.Client) error {
	ended := make(chan error, 1)
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	began := make(chan struct{}, 1)
	go func() { ended <- hear(watching, client, began) }()
	select {
	case <-began:
	case err := <-ended:
		return err
	}
	face := b.Tool(ctx, "watch", line, "--until", "delivered", "--timeout", "3m")
	face.Stdin, face.Stdout, face.Stderr = os.Stdin, os.Stdout, os.Stderr
	face.Cancel = func() error { return face.Process.Signal(syscall.SIGINT) }
	face.WaitDelay = 2 * time.Second
	if err := face.Start(); err != nil {
		return err
	}
	_, armed := client.Arm(ctx, line, "")
	if armed != nil {
		face.Process.Signal(syscall.SIGINT)
	}
	if err := errors.Join(armed, face.Wait()); err != nil {
		return fmt.Errorf("the card did not arrive: %w", err)
	}
	s.say("Upstream has the token, and has verified its signature. The call goes on to its end.")
	if err := <-ended; err != nil {
		return err
	}
	for _, verb := range []string{"tokens", "events"} {
		s.say("\n$ flattone %s", verb)
		ask := b.Tool(ctx, verb)
		ask.Stdout, ask.Stderr = os.Stdout, os.Stderr
		if err := ask.Run(); err != nil {
			return fmt.Errorf("flattone %s: %w", verb, err)
		}
	}
	return nil
}

// hear tells when the call on the line begins, and returns when it has ended.
func hear(ctx context.Context, client *control.Client, began chan<- struct{}) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	over := false
	err := client.Watch(ctx, func(e control.Event) {
		if e.Line != line || e.Kind != control.KindCall {
			return
		}
		if e.Code == control.CallBegan {
			began <- struct{}{}
		} else {
			over = true
			stop()
		}
	})
	if err == nil && !over {
		return context.Cause(ctx)
	}
	return err
}

// judge draws the picture, checks what is left behind, and lets the attacker try.
func (s *stage) judge(ctx context.Context, b *box.Box) error {
	agent := filepath.Join(s.out, "agent.wav")
	if err := os.Rename(b.Heard(line), agent); err != nil {
		return err
	}
	call := filepath.Join(s.calls, s.call)
	if err := draw(filepath.Join(call, "caller.wav"), agent, filepath.Join(s.out, "call.png")); err != nil {
		return err
	}
	s.say("\n%d event received upstream. The attacker now has the caller's recording, the agent's, and the times of all keys:\n", s.received.Count())
	judge := b.Tool(ctx, "judge", filepath.Join(call, "caller.wav"), agent, "--truth", filepath.Join(call, "truth.json"))
	judge.Stdout, judge.Stderr = os.Stdout, os.Stderr
	verdict := judge.Run()
	s.say("\nIn %s:", s.out)
	for _, f := range [][2]string{
		{"agent.wav", "what the agent heard; play it"},
		{"call.png", "the caller's leg above the agent's"},
		{"state/", "vault, outbox and audit log"},
		{"upstream.jsonl", "what upstream received and verified"},
		{"flattoned.log", "what the processes logged"},
	} {
		s.say("  %-16s%s", f[0], f[1])
	}
	var exit *exec.ExitError
	if errors.As(verdict, &exit) && exit.ExitCode() == 1 {
		return errors.New("the attacker reads keys in what the agent heard")
	}
	return verdict
}

func (s *stage) say(format string, args ...any) { fmt.Printf(format+"\n", args...) }
