//go:build lab

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// The verb gives the recorded call's keys, and a recording that is longer by the delay.
func TestMaskVerb(t *testing.T) {
	calls := filepath.Join("..", "..", "data", "calls", "visa")
	in, dir := filepath.Join(calls, "caller.wav"), t.TempDir()
	out, events := filepath.Join(dir, "out.wav"), filepath.Join(dir, "events")
	var stdout bytes.Buffer
	c := maskCommand()
	c.SetOut(&stdout)
	c.SetArgs([]string{"--lookahead", "20ms", "--events", events, in, out})
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	var result maskResult
	if err := json.Unmarshal(stdout.Bytes(), &result); err != nil {
		t.Fatalf("%v in %q", err, stdout.String())
	}
	var truth struct {
		Keys []struct {
			Digit      string
			Start, End int64
		}
	}
	b, err := os.ReadFile(filepath.Join(calls, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &truth); err != nil {
		t.Fatal(err)
	}
	if result.Rate != 8000 || result.DelaySamples != 160 || result.Digits != len(truth.Keys) || result.MaskedSamples == 0 {
		t.Errorf("result %+v", result)
	}
	if got, want := size(t, out), size(t, in)+2*160; got != want {
		t.Errorf("the output has %d bytes, want %d", got, want)
	}
	f, err := os.Open(events)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for i, want := range truth.Keys {
		var got maskEvent
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &got) != nil {
			t.Fatalf("no event for key %d", i)
		}
		if got.Digit != want.Digit {
			t.Errorf("key %d differs", i)
		}
		if max(got.Start-want.Start, want.Start-got.Start, got.End-want.End, want.End-got.End) > 40 || got.Decided <= got.Start {
			t.Errorf("key %d is out of place", i)
		}
	}
}

func size(t *testing.T, name string) int64 {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// Talk comes through an idle line whole.
func TestMaskVerbIdle(t *testing.T) {
	in := filepath.Join("..", "..", "data", "calls", "no-card-just-talk", "caller.wav")
	out := filepath.Join(t.TempDir(), "out.wav")
	var stdout bytes.Buffer
	c := maskCommand()
	c.SetOut(&stdout)
	c.SetArgs([]string{"--armed=false", "--lookahead", "10ms", in, out})
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	was, err := os.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	is, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	const header, delay = 44, 2 * 80
	if !bytes.Equal(was[header:], is[header+delay:]) {
		t.Error("talk was changed")
	}
}

// Each shield masks more than the one before.
func TestMaskVerbShields(t *testing.T) {
	in, before := filepath.Join("..", "..", "data", "calls", "visa", "caller.wav"), int64(0)
	for _, shield := range []string{"keys", "run", "field"} {
		var stdout bytes.Buffer
		c := maskCommand()
		c.SetOut(&stdout)
		c.SetArgs([]string{"--shield", shield, in, filepath.Join(t.TempDir(), "out.wav")})
		if err := c.Execute(); err != nil {
			t.Fatal(err)
		}
		var result maskResult
		if err := json.Unmarshal(stdout.Bytes(), &result); err != nil {
			t.Fatal(err)
		}
		if int64(result.MaskedSamples) <= before {
			t.Errorf("shield %s masks %d samples, the one before %d", shield, result.MaskedSamples, before)
		}
		before = int64(result.MaskedSamples)
	}
}

func TestMaskVerbRefuses(t *testing.T) {
	in := filepath.Join("..", "..", "data", "calls", "visa", "caller.wav")
	out := filepath.Join(t.TempDir(), "out.wav")
	for name, test := range map[string]struct {
		code int
		args []string
	}{
		"no file":     {exitUsage, nil},
		"one file":    {exitUsage, []string{in}},
		"same file":   {exitUsage, []string{in, in}},
		"look-ahead":  {exitUsage, []string{"--lookahead", "1ms", in, out}},
		"shield":      {exitUsage, []string{"--shield", "none", in, out}},
		"idle":        {exitUsage, []string{"--idle", "closed", in, out}},
		"no such":     {exitFailed, []string{filepath.Join(t.TempDir(), "none.wav"), out}},
		"no WAV":      {exitFailed, []string{"mask_lab.go", out}},
		"no such dir": {exitFailed, []string{in, filepath.Join(t.TempDir(), "none", "out.wav")}},
	} {
		c := maskCommand()
		c.SilenceErrors, c.SilenceUsage = true, true
		c.SetArgs(append([]string{}, test.args...))
		err := c.Execute()
		if err == nil {
			t.Errorf("%s: taken", name)
		}
		if code := (&tool{errs: io.Discard, began: true}).explain(err); code != test.code {
			t.Errorf("%s: exit code %d, want %d", name, code, test.code)
		}
		if _, err := os.Stat(in); err != nil {
			t.Fatal("the input is gone")
		}
	}
}
