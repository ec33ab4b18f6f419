package e2e

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
	"testing"
)

// TestNoStackIsPrinted starts flattoned as an owner would, and has it and its line do what makes Go print stacks.
func TestNoStackIsPrinted(t *testing.T) {
	t.Parallel()
	cfg := oneLine("visa")
	cfg.Wrap = []string{"env", "-u", "GOTRACEBACK"}
	r := newRig(t, cfg)
	r.start(t)
	r.arm(t, "one")
	first, err := r.client.Lines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{r.PID(), first[0].PID} {
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil || !bytes.Contains(append([]byte{0}, env...), []byte("\x00GOTRACEBACK=none\x00")) {
			t.Errorf("a process runs without GOTRACEBACK=none (%v)", err)
		}
	}
	quit := func(pid int) {
		if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
			t.Fatal(err)
		}
	}
	quit(first[0].PID)
	r.until(t, "the line's process to be another", func() bool {
		now, err := r.client.Lines(t.Context())
		return err == nil && now[0].Up && now[0].PID != first[0].PID
	})
	quit(r.PID())
	if err := r.Stop(); err != nil {
		t.Errorf("flattoned did not end in order: %v", err)
	}
	log, err := os.ReadFile(r.Log())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(log, []byte("goroutine ")) || bytes.Contains(log, []byte(".go:")) {
		t.Error("a stack is in the log")
	}
}
