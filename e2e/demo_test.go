package e2e

import (
	"bytes"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
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

// TestDemoEndsCleanly: Ctrl-C in the middle of the call leaves no process behind.
func TestDemoEndsCleanly(t *testing.T) {
	t.Parallel()
	cmd, out := demo(t)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(out, "flattoned.log")
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if b, err := os.ReadFile(log); err == nil && strings.Contains(string(b), "state=armed") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the line was never armed")
		}
	}
	// A terminal sends Ctrl-C to the whole group.
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("it ended with %d, %v:\n%s", code, err, text.String())
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
