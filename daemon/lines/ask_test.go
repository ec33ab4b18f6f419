package lines

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// asked is a Manager whose program is a script.
func asked(t *testing.T, script string) *Manager {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "flattone-line")
	if err := os.WriteFile(bin, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	m, err := New(Config{Bin: bin}, Deps{Log: newRecords().log()})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAsk(t *testing.T) {
	m := asked(t, `echo "$@" $GOTRACEBACK; echo noise >&2`)
	if got, err := m.Ask(t.Context(), "-devices", "-config", "f"); err != nil || string(got) != "-devices -config f none\n" {
		t.Errorf("it answers %q, %v", got, err)
	}
	for script, says := range map[string]string{
		"echo half; echo ALSA noise >&2; echo flattone-line: no sound here >&2; exit 1": ": flattone-line: no sound here",
		"exit 3":                    "exit status 3",
		"head -c 1100000 /dev/zero": "it answers with more than 1048576 bytes",
	} {
		if got, err := asked(t, script).Ask(t.Context()); err == nil || !strings.Contains(err.Error(), says) || got != nil {
			t.Errorf("%s: %q, %v", script, got, err)
		}
	}
}

// Neither a program that hangs nor one that writes without an end is waited for, and nobody is started who would wait for it.
func TestAskGivesUp(t *testing.T) {
	m := asked(t, "while :; do echo noise >&2; done")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	second := make(chan error)
	go func() {
		for len(m.asking) == 0 {
			time.Sleep(time.Millisecond)
		}
		_, err := m.Ask(ctx)
		second <- err
	}()
	if _, err := m.Ask(ctx); err == nil || !strings.Contains(err.Error(), "has not answered") {
		t.Errorf("the first gets %v", err)
	}
	if err := <-second; !errors.Is(err, context.DeadlineExceeded) && !strings.Contains(err.Error(), "has not answered") {
		t.Errorf("the second gets %v", err)
	}
}
