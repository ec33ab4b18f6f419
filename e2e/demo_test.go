package e2e

import (
	"bytes"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flattone/flattone/hw/hwtest/pty"
)

// demo builds the demonstration beside the binaries it shows, and readies a run of it.
func demo(t *testing.T, args ...string) (cmd *exec.Cmd, out string) {
	t.Helper()
	program := filepath.Join(bin, "demo")
	build := exec.Command("go", "build", "-tags", "lab", "-o", program, "../demo")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	out = filepath.Join(t.TempDir(), "demo")
	cmd = exec.Command(program, append([]string{"-bin", bin, "-calls", calls, "-out", out}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd, out
}

func TestDemoShowsTheProductAtWork(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"visa", "amex-corrected"} {
		cmd, out := demo(t, "-fast", "-call", call)
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		says(t, string(text), "delivered", "readable", "0 of "+map[string]string{"visa": "26", "amex-corrected": "33"}[call], "chance")
		for _, file := range []string{"agent.wav", "call.png", "state/flattone.db", "upstream.jsonl", "flattoned.log"} {
			if info, err := os.Stat(filepath.Join(out, file)); err != nil || info.Size() == 0 {
				t.Errorf("%s is not there: %v", file, err)
			}
		}
		f, err := os.Open(filepath.Join(out, "call.png"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(f); err != nil {
			t.Errorf("the picture: %v", err)
		}
		f.Close()
	}
}

// TestDemoAtFullSpeedShowsEveryStar: the line is armed once the watch has begun, so none of its events is missed.
func TestDemoAtFullSpeedShowsEveryStar(t *testing.T) {
	t.Parallel()
	cmd, out := demo(t, "-fast")
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	for field, most := range map[string]int{"card number": 16, "expiry date": 4, "security code": 3} {
		if n := strings.Count(string(text), field+": *"); n != most {
			t.Errorf("%d rows of stars for the %s, want %d", n, field, most)
		}
	}
	says(t, string(text), "a call begins", "armed: waiting for the caller's first key")
	if strings.Contains(string(text), "cut off") {
		t.Error("the watch was cut off")
	}
	for line := range strings.Lines(string(text)) {
		if w := len(strings.TrimSuffix(line, "\n")); w > 80 && !strings.Contains(line, out) {
			t.Errorf("a line of %d columns: %s", w, line)
		}
	}
}

// TestDemoOfACallWithoutACard ends with the verdict on silence where no key was pressed, and otherwise says what is
// missing.
func TestDemoOfACallWithoutACard(t *testing.T) {
	t.Parallel()
	cmd, out := demo(t, "-fast", "-call", "no-card-just-talk")
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	says(t, string(text), "no card was keyed in it", "no token yet", "keys readable  0 of 0")
	if _, err := os.Stat(filepath.Join(out, "call.png")); err != nil {
		t.Error(err)
	}

	// The same call, said to have keys that the line did not hear.
	unheard := t.TempDir()
	if err := os.CopyFS(filepath.Join(unheard, "call"), os.DirFS(filepath.Join(calls, "no-card-just-talk"))); err != nil {
		t.Fatal(err)
	}
	truth, err := os.ReadFile(filepath.Join(calls, "visa", "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(unheard, "call", "truth.json"), truth, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd, _ = demo(t, "-fast", "-calls", unheard, "-call", "call")
	text, _ = cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("it ended with %d:\n%s", code, text)
	}
	says(t, string(text), "demo: the call ended without a card")
}

// TestDemoSaysThatItBuilds: nothing else is to be seen for minutes where nothing was built before.
func TestDemoSaysThatItBuilds(t *testing.T) {
	t.Parallel()
	fresh := t.TempDir()
	plan, err := exec.Command("make", "-n", "-C", "..", "demo", "LAB="+fresh).CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, plan)
	}
	before, _, building := strings.Cut(string(plan), "go build")
	if !building || !strings.Contains(before, "Building flattone") {
		t.Errorf("make demo would\n%s", plan)
	}
}

// until waits until the file has the words.
func until(t *testing.T, file, words string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if b, err := os.ReadFile(file); err == nil && strings.Contains(string(b), words) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s never had %q", file, words)
		}
	}
}

// stopped makes sure that somebody who stopped the demo in out is told so and nothing else, and that nothing of it
// runs any more.
func stopped(t *testing.T, cmd *exec.Cmd, out, text string) {
	t.Helper()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("it ended with %d:\n%s", code, text)
	}
	says(t, text, "demo: stopped; nothing of it runs any more")
	if strings.Contains(text, "error") {
		t.Errorf("it speaks of an error:\n%s", text)
	}
	left, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range left {
		if line, err := os.ReadFile(file); err == nil && bytes.Contains(line, []byte(out)) {
			t.Errorf("%s still runs: %q", file, line)
		}
	}
}

// TestDemoEndsCleanly: Ctrl-C in the middle of the call leaves no process behind.
func TestDemoEndsCleanly(t *testing.T) {
	t.Parallel()
	cmd, out := demo(t)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, filepath.Join(out, "flattoned.log"), "state=armed")
	// A terminal sends Ctrl-C to the whole group.
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	stopped(t, cmd, out, text.String())
}

// TestDemoOnATerminalIsLeftByAKey: the live screen reads Ctrl-C as a key, so that no signal comes of it, and q.
func TestDemoOnATerminalIsLeftByAKey(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"\x03", "q"} {
		person, program := pty.Open(t)
		cmd, out := demo(t)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
		cmd.Env = append(os.Environ(), "TERM=xterm-256color")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		program.Close()
		drawn := make(chan string)
		go func() {
			b, _ := io.ReadAll(person) // ends with EIO once nobody has the other end
			drawn <- string(b)
		}()
		until(t, filepath.Join(out, "flattoned.log"), "state=armed")
		if _, err := person.WriteString(key); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		stopped(t, cmd, out, <-drawn)
	}
}
