package lines

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/wire"
)

// asked is Children whose program is a script.
func asked(t *testing.T, script string) *Children {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "flattone-line")
	if err := os.WriteFile(bin, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := NewChildren(Config{Bin: bin, Ask: []string{"-config", "f", "--answer"}}, Deps{Log: newRecords().log()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var devices = wire.Question{Devices: true}

func TestAskChild(t *testing.T) {
	c := asked(t, `read q; echo noise >&2; [ "$q" = '{"devices":true}' ] && echo '{"devices":[{"Name":"'"$*" $GOTRACEBACK'"}]}'`)
	if got, err := c.Ask(t.Context(), devices); err != nil || got.Devices[0].Name != "-config f --answer none" {
		t.Errorf("it answers %+v, %v", got, err)
	}
	for script, says := range map[string]string{
		"echo half; echo ALSA noise >&2; echo flattone-line: no sound here >&2; exit 1": ": flattone-line: no sound here",
		"exit 3": "exit status 3",
	} {
		if _, err := asked(t, script).Ask(t.Context(), devices); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", script, err)
		}
	}
}

// Neither a program that hangs nor one that writes without an end is waited for, and nobody is started who would wait for it.
func TestAskGivesUp(t *testing.T) {
	c := asked(t, "while :; do echo noise >&2; done")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	second := make(chan error)
	go func() {
		for len(c.slot) == 0 {
			time.Sleep(time.Millisecond)
		}
		_, err := c.Ask(ctx, devices)
		second <- err
	}()
	if _, err := c.Ask(ctx, devices); err == nil || !strings.Contains(err.Error(), "has not answered") {
		t.Errorf("the first gets %v", err)
	}
	if err := <-second; !errors.Is(err, context.DeadlineExceeded) && !strings.Contains(err.Error(), "has not answered") {
		t.Errorf("the second gets %v", err)
	}
}

func TestAskSocket(t *testing.T) {
	u := NewUnits(nil, filepath.Join(t.TempDir(), "none"), Deps{Log: newRecords().log()})
	if _, err := u.Ask(t.Context(), devices); err == nil || !strings.Contains(err.Error(), "flattone-probe.socket") {
		t.Errorf("without a socket it says %v", err)
	}
}
