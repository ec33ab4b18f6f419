package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/flattone/flattone/hw/hwtest/pty"
)

// liveWatch is [live] for `flattone watch demo`, which the box is watched by when play is called.
func liveWatch(t *testing.T, play func(b *aBox, keyboard *os.File), args ...string) (drawn string, code int) {
	t.Helper()
	return live(t, nil, func(b *aBox, keyboard *os.File) {
		<-b.watchers
		play(b, keyboard)
	}, append([]string{"watch", "demo"}, args...)...)
}

// live runs the tool on a terminal, with a box behind it, and answers with what was drawn and the exit code. play is called once the screen is drawn.
func live(t *testing.T, env []string, play func(b *aBox, keyboard *os.File), args ...string) (drawn string, code int) {
	t.Helper()
	person, program := pty.Open(t)
	before, err := unix.IoctlGetTermios(int(program.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	b := newBox()
	ctx, stop := context.WithCancel(t.Context())
	socket := filepath.Join(t.TempDir(), "admin.sock")
	ended, err := b.serve(ctx, socket)
	if err != nil {
		t.Fatal(err)
	}
	drawing, entered := make(chan string), make(chan struct{})
	go func() {
		var all strings.Builder
		enter := sync.OnceFunc(func() { close(entered) })
		buf := make([]byte, 4096)
		for {
			n, err := person.Read(buf)
			all.Write(buf[:n])
			if strings.Contains(all.String(), enterScreen) {
				enter()
			}
			if err != nil { // EIO: the program's end has been closed
				drawing <- all.String()
				return
			}
		}
	}()
	played, left := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(played)
		// Until the screen is drawn the terminal still makes a signal of Ctrl-C, for whoever it controls: nobody here.
		select {
		case <-entered:
			play(b, person)
		case <-left:
		}
	}()
	tl := &tool{in: program, out: program, errs: program, env: append([]string{"TERM=xterm-256color", "LANG=C.UTF-8"}, env...)}
	root := tl.rootCommand()
	root.SetArgs(append([]string{"--socket", socket}, args...))
	code = tl.explain(root.ExecuteContext(ctx))
	close(left)
	<-played
	after, err := unix.IoctlGetTermios(int(program.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	if *after != *before {
		t.Error("the terminal is not as it was found")
	}
	program.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	return <-drawing, code
}

const (
	enterScreen = "\x1b[?1049h"
	leaveScreen = "\x1b[?1049l"
)

func TestLiveUntilDelivered(t *testing.T) {
	drawn, code := liveWatch(t, func(b *aBox, _ *os.File) {
		for _, e := range aCapture("demo", "cap_1") {
			b.Publish(e)
		}
	}, "--until", "delivered")
	live, left, ok := strings.Cut(drawn, leaveScreen)
	if code != exitOK || !ok || !strings.Contains(live, enterScreen) {
		t.Fatalf("exit code %d, drawn %q", code, drawn)
	}
	if left = withoutColours(left); !strings.Contains(left, "tok_bbbbbbbbbbbbbbbbbbbbbbbbbb  Visa ending in 4242") || !strings.Contains(left, "DONE") {
		t.Errorf("left behind is %q", left)
	}
}

func TestLiveCtrlC(t *testing.T) {
	ctrlC := func(_ *aBox, keyboard *os.File) { keyboard.WriteString("\x03") }
	if drawn, code := liveWatch(t, ctrlC); code != exitOK || !strings.Contains(drawn, leaveScreen) {
		t.Errorf("exit code %d, drawn %q", code, drawn)
	}
	drawn, code := liveWatch(t, ctrlC, "--until", "delivered")
	if code != exitNotYet || !strings.Contains(drawn, "error: left before a token was delivered") {
		t.Errorf("exit code %d, drawn %q", code, drawn)
	}
}

func TestLiveTimeout(t *testing.T) {
	drawn, code := liveWatch(t, func(*aBox, *os.File) {}, "--timeout", "50ms", "--until", "idle")
	if code != exitNotYet || !strings.Contains(drawn, "50ms passed before the line was idle") {
		t.Errorf("exit code %d, drawn %q", code, drawn)
	}
}
