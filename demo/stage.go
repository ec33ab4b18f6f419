package main

import (
	"bytes"
	"context"
	"encoding/json"
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

	keys     int // that the caller presses
	received *receiver.Receiver
}

// play is the demo from the first word to the verdict.
func (s *stage) play(ctx context.Context) error {
	if err := s.look(); err != nil {
		return fmt.Errorf("there is no recorded call %q in %s: %w", s.call, s.calls, err)
	}
	if err := os.RemoveAll(s.out); err != nil {
		return err
	}
	if err := os.MkdirAll(s.out, 0o700); err != nil {
		return err
	}
	s.say("A whole box is set up in %s,\nand the recorded call %q played through it.", s.out, s.call)
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

// look makes sure that the call is there, and counts its keys.
func (s *stage) look() error {
	if _, err := os.Stat(filepath.Join(s.calls, s.call, "caller.wav")); err != nil {
		return err
	}
	b, err := os.ReadFile(filepath.Join(s.calls, s.call, "truth.json"))
	if err != nil {
		return err
	}
	var truth struct{ Keys []struct{} }
	err = json.Unmarshal(b, &truth)
	s.keys = len(truth.Keys)
	return err
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

// take has the line armed as an agent would, shows what happens until upstream has the token, and waits for the
// end of the call.
func (s *stage) take(ctx context.Context, b *box.Box, client *control.Client) error {
	began, over := make(chan struct{}, 1), make(chan ending, 1)
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	showing, endShow := context.WithCancel(ctx)
	defer endShow()
	go func() {
		end := hear(watching, client, began)
		over <- end
		if !end.delivered {
			endShow() // nothing more will come
		}
	}()
	select {
	case <-began:
	case end := <-over:
		return end.err
	}
	end, err := s.show(showing, b, over)
	switch {
	case err != nil:
		return err
	case !end.delivered && s.keys > 0:
		return errors.New("the call ended without a card")
	case !end.delivered:
		s.say("The call has ended, and no card was keyed in it.")
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

// show is the face of the demo: the tool's watch, which arms the line once it sees it. It returns when the call
// is over, with [errStopped] if somebody left the watch before.
func (s *stage) show(ctx context.Context, b *box.Box, over <-chan ending) (ending, error) {
	var complaint bytes.Buffer
	face := b.Tool(ctx, "watch", line, "--arm", "--until", "delivered")
	face.Stdin, face.Stdout, face.Stderr = os.Stdin, os.Stdout, &complaint
	face.Cancel = func() error { return face.Process.Signal(syscall.SIGINT) }
	face.WaitDelay = 2 * time.Second
	err := face.Run()
	if err == nil {
		s.say("Upstream has the token, and has verified its signature.")
		s.say("The call goes on to its end.")
		end := <-over
		return end, end.err
	}
	select {
	case end := <-over: // which is why the face was told to leave
		return end, end.err
	default:
	}
	// On a terminal Ctrl-C and q are keys that the face reads: nobody else hears of them.
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == exitNotYet {
		return ending{}, errStopped
	}
	os.Stderr.Write(complaint.Bytes())
	return ending{}, fmt.Errorf("the card did not arrive: %w", err)
}

// exitNotYet is what the tool's watch ends with when it is left before what it waits for has come.
const exitNotYet = 6

// errStopped: whoever watches has seen enough.
var errStopped = errors.New("stopped")

// ending is how a call ended: with a token that upstream has, or without a card.
type ending struct {
	delivered bool
	err       error
}

// patience is how long upstream may take after the call, on a slow machine.
const patience = time.Minute

// hear tells when the call on the line begins, and returns when it has ended and its card is delivered or void.
func hear(ctx context.Context, client *control.Client, began chan<- struct{}) ending {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var end ending
	var ended, void bool
	settled := errors.New("settled")
	err := client.Watch(ctx, func(e control.Event) {
		switch {
		case e.Line != line:
		case e.Kind == control.KindCall && e.Code == control.CallBegan:
			began <- struct{}{}
		case e.Kind == control.KindCall:
			ended = true
			time.AfterFunc(patience, func() { stop(fmt.Errorf("upstream does not have the token %v after the call", patience)) })
		case e.Kind == control.KindState && e.State == control.StateVoid:
			void = true
		case e.Kind == control.KindDelivery && e.Delivery == control.DeliveryDelivered:
			end.delivered = true
		}
		if ended && (void || end.delivered) {
			stop(settled)
		}
	})
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, settled) {
		err = cause
	}
	end.err = err
	return end
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
	s.say("\nEvents received upstream: %d.", s.received.Count())
	s.say("The attacker now has the caller's recording, the agent's, and the times of all\nkeys:\n")
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
		return errors.New("what the agent heard tells of the keys")
	}
	return verdict
}

func (s *stage) say(format string, args ...any) { fmt.Printf(format+"\n", args...) }
