//go:build lab

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/path"
)

// judgeOf runs the verb and answers what it printed and its exit code.
func judgeOf(t *testing.T, args ...string) (stdout string, code int, err error) {
	t.Helper()
	var out bytes.Buffer
	c := judgeCommand()
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetOut(&out)
	c.SetArgs(args)
	err = c.Execute()
	var f *failure
	if errors.As(err, &f) {
		code = f.code
	} else if err != nil {
		t.Fatalf("an error without an exit code: %v", err)
	}
	return out.String(), code, err
}

func call(name, file string) string { return filepath.Join("..", "..", "data", "calls", name, file) }

// maskedCall is a recorded call as the sample path lets it through.
func maskedCall(t *testing.T, name string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.wav")
	c := maskCommand()
	c.SetOut(&bytes.Buffer{})
	c.SetArgs([]string{call(name, "caller.wav"), out})
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	return out
}

// No key of the recorded calls can be read in what the agent hears, and every one where nothing is masked.
func TestJudgeVerb(t *testing.T) {
	for _, name := range []string{"visa", "amex-corrected", "no-card-just-talk"} {
		in, truth := call(name, "caller.wav"), call(name, "truth.json")
		out, code, err := judgeOf(t, in, maskedCall(t, name), "--truth", truth)
		if code != exitOK || !strings.Contains(out, "keys readable  0 of ") || !strings.Contains(out, "delay          240 samples, 30.0 ms") {
			t.Errorf("%s, masked: exit %d, %v, and\n%s", name, code, err, out)
		}
	}
	out, code, err := judgeOf(t, call("visa", "caller.wav"), call("visa", "caller.wav"), "--truth", call("visa", "truth.json"))
	if code != exitFailed || err == nil || !strings.Contains(out, "keys readable  26 of 26") || !strings.Contains(out, "accuracy       100.0 %") {
		t.Errorf("unmasked: exit %d, %v, and\n%s", code, err, out)
	}
}

// A leak too short to read any key for sure is one all the same.
func TestJudgeVerbCountsGuesses(t *testing.T) {
	in, truth := readTestWAV(t, call("visa", "caller.wav")), call("visa", "truth.json")
	name := maskedCall(t, "visa")
	out := readTestWAV(t, name)
	keys, err := readTruth(truth)
	if err != nil {
		t.Fatal(err)
	}
	const delay, from, leak = 240, 1, 6 // samples: three quarters of a millisecond
	for _, k := range keys {
		copy(out[int(k.Start)+delay+from:][:leak], in[int(k.Start)+from:])
	}
	if err := writeWAV(name, out, path.Config{Rate: audio.Rate8k}); err != nil {
		t.Fatal(err)
	}
	printed, code, err := judgeOf(t, call("visa", "caller.wav"), name, "--truth", truth, "--delay", "240")
	if code != exitFailed || err == nil || !strings.Contains(printed, "keys readable  0 of 26") || !strings.Contains(err.Error(), "guesses are right") {
		t.Errorf("exit %d, %v, and\n%s", code, err, printed)
	}
}

func readTestWAV(t *testing.T, name string) []int16 {
	t.Helper()
	samples, _, err := readRecording(name)
	if err != nil {
		t.Fatal(err)
	}
	return samples
}

// The object holds these fields, and nothing that could name a key.
func TestJudgeVerbJSON(t *testing.T) {
	out, _, err := judgeOf(t, call("visa", "caller.wav"), maskedCall(t, "visa"), "--truth", call("visa", "truth.json"), "--json", "--delay", "240")
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(out), &fields); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	for _, want := range []string{"keys", "readable", "correct", "accuracy", "chance", "by_chance", "interval", "leaked_ms", "delay_samples",
		"decoys", "blind", "head_ms", "mask_tone_hz", "attackers", "added_latency_ms"} {
		if _, ok := fields[want]; !ok {
			t.Errorf("%s is missing", want)
		}
		delete(fields, want)
	}
	if len(fields) > 0 {
		t.Errorf("also has %v", fields)
	}
}

// A recording alone: the delay is found by the keys' rhythm, keys are read where they can be, and what only the input
// would tell is said to be unknown.
func TestJudgeVerbBlind(t *testing.T) {
	for _, name := range []string{"visa", "amex-corrected"} {
		masked, truth := maskedCall(t, name), call(name, "truth.json")
		out, code, err := judgeOf(t, "--blind", masked, "--truth", truth)
		if code != exitOK || !strings.Contains(out, "keys readable  0 of ") || !strings.Contains(out, "leaked         not known") {
			t.Errorf("%s, masked: exit %d, %v, and\n%s", name, code, err, out)
		}
		out, code, err = judgeOf(t, "--blind", call(name, "caller.wav"), "--truth", truth)
		if code != exitFailed || err == nil || !strings.Contains(out, "accuracy       100.0 %") {
			t.Errorf("%s, unmasked: exit %d, %v, and\n%s", name, code, err, out)
		}
	}
	out, _, err := judgeOf(t, "--blind", maskedCall(t, "visa"), "--truth", call("visa", "truth.json"), "--delay", "240", "--json")
	if err != nil || !strings.Contains(out, `"leaked_ms":null`) || !strings.Contains(out, `"added_latency_ms":null`) ||
		strings.Count(out, `"bits_per_key"`) != 3 {
		t.Errorf("%v, and %s", err, out)
	}
}

func TestJudgeVerbRefuses(t *testing.T) {
	in, truth, dir := call("visa", "caller.wav"), call("visa", "truth.json"), t.TempDir()
	file := func(name string, content []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	recording, err := os.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	other := bytes.Clone(recording)
	copy(other[24:], []byte{0x80, 0x3e, 0, 0, 0, 0x7d, 0, 0}) // says 16 kHz
	for says, args := range map[string][]string{
		"two recordings":             {in},
		"no truth":                   {in, in},
		"takes no recording but":     {in, "--blind", in, "--truth", truth},
		"not a WAV":                  {"--blind", truth, "--truth", truth},
		"read the truth":             {in, in, "--truth", filepath.Join(dir, "none")},
		"is no truth file":           {in, in, "--truth", in},
		"no list of keys":            {in, in, "--truth", file("empty", []byte(`{"card": null}`))},
		"the digit of key 1 is none": {in, in, "--truth", file("odd", []byte(`{"keys": [{"digit": "55", "start": 1, "end": 2}]}`))},
		"lasts from":                 {in, in, "--truth", file("past", []byte(`{"keys": [{"digit": "5", "start": 9, "end": 2}]}`))},
		"read the recording":         {filepath.Join(dir, "none.wav"), in, "--truth", truth},
		"not a WAV recording":        {in, truth, "--truth", truth},
		"at 16000 Hz":                {in, file("fast.wav", other), "--truth", truth},
		"the output 207864":          {in, in, "--truth", truth, "--delay", "100000"},
		"can't come before":          {in, in, "--truth", truth, "--delay", "-9"},
	} {
		out, code, err := judgeOf(t, args...)
		if code != exitUsage || out != "" || err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: exit %d, %v, printed %q", says, code, err, out)
		}
		if err != nil && strings.Contains(err.Error(), `"55"`) {
			t.Error("an error names what was keyed")
		}
	}
}

// Whatever a truth file holds, it gives keys that are keys, or an error.
func FuzzTruth(f *testing.F) {
	b, err := os.ReadFile(call("amex-corrected", "truth.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"keys": [{"digit": "", "start": -1, "end": 1e99}]}`))
	f.Add([]byte(`{"keys": null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		keys, err := parseTruth("truth", b)
		if err == nil && keys == nil || err != nil && keys != nil {
			t.Error("neither keys nor an error, or both")
		}
		for _, k := range keys {
			if k.Symbol.IsNone() {
				t.Error("a key is none")
			}
		}
	})
}
