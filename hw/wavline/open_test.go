package wavline_test

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/hw/wavline"
)

// odd writes a recording whose header was changed at one place.
func odd(t *testing.T, path string, offset int, value uint16) string {
	t.Helper()
	b, err := os.ReadFile(saved(t, path, audio.Rate8k, speech(100, 1)))
	if err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint16(b[offset:], value)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	good := saved(t, file("good.wav"), audio.Rate8k, speech(100, 1))
	if err := os.WriteFile(file("text"), []byte("somebody's own words"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file("early"), []byte(`{"frame":-1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(file("fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	truncated := odd(t, file("truncated.wav"), 40, 240)
	for name, c := range map[string]struct {
		change func(*wavline.Config)
		says   []string
	}{
		"a missing recording": {func(c *wavline.Config) { c.CallerIn[0] = file("none.wav") }, []string{"none.wav", "no such file", "check the path"}},
		"a FIFO":              {func(c *wavline.Config) { c.CallerIn[0] = file("fifo") }, []string{"fifo", "not a file"}},
		"a folder":            {func(c *wavline.Config) { c.CallerIn[0] = dir }, []string{dir, "not a file"}},
		"another rate": {func(c *wavline.Config) { c.AgentIn[0] = saved(t, file("16k.wav"), audio.Rate16k, speech(9, 1)) },
			[]string{"16k.wav", "16000 Hz", "line runs at 8000 Hz", "sox IN.wav -r 8000 OUT.wav"}},
		"stereo":    {func(c *wavline.Config) { c.AgentIn[0] = odd(t, file("stereo.wav"), 22, 2) }, []string{"stereo.wav", "2 channels", "sox"}},
		"24 bits":   {func(c *wavline.Config) { c.AgentIn[0] = odd(t, file("24.wav"), 34, 24) }, []string{"24.wav", "24 bits", "sox"}},
		"truncated": {func(c *wavline.Config) { c.CallerIn[0] = truncated }, []string{"truncated.wav", "20 of 120 frames are missing", "sox"}},
		"all that is wrong": {func(c *wavline.Config) { c.CallerIn[0], c.AgentIn[0] = file("none.wav"), truncated },
			[]string{"none.wav", "truncated.wav"}},
		"an unpaired recording": {func(c *wavline.Config) { c.AgentIn = nil }, []string{"1 recordings of the caller and 0 of the agent"}},
		"no output":             {func(c *wavline.Config) { c.AgentOut = "" }, []string{"no file for what the agent hears"}},
		"an output without a folder": {func(c *wavline.Config) { c.AgentOut = file("none/heard.wav") },
			[]string{"none/heard.wav", "no such file", "check the folder"}},
		"an output over a recording": {func(c *wavline.Config) { c.AgentOut = good }, []string{"good.wav can't be an output"}},
		"one file for both outputs":  {func(c *wavline.Config) { c.CallerOut = c.AgentOut }, []string{"heard.wav can't be an output"}},
		"an output that is a text":   {func(c *wavline.Config) { c.AgentOut = file("text") }, []string{"text", "not a WAV", "move it away"}},
		"a clock that is a text":     {func(c *wavline.Config) { c.ClockFile = file("text") }, []string{"text", "not a line's clock", "remove it"}},
		"a clock before its time":    {func(c *wavline.Config) { c.ClockFile = file("early") }, []string{"early", "not a line's clock"}},
		"a clock without a place":    {func(c *wavline.Config) { c.ClockFile = file("none/clock") }, []string{"none/clock", "no such file"}},
		"every odd number": {func(c *wavline.Config) { c.Pace, c.Gap, c.PeriodMS, c.WaitArmed = -1, -1, 1001, true },
			[]string{"pace -1", "gap of -1ns", "period of 1001 ms", "nothing can release them"}},
		"no pace at all": {func(c *wavline.Config) { c.Pace = math.NaN() }, []string{"pace NaN"}},
	} {
		cfg := wavline.Config{CallerIn: []string{good}, AgentIn: []string{good}, AgentOut: file("heard.wav"), Pace: 1}
		c.change(&cfg)
		_, err := wavline.Open(cfg, audio.Rate8k)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, says := range c.says {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %q does not say %q", name, err, says)
			}
		}
	}
	if b, err := os.ReadFile(file("text")); err != nil || string(b) != "somebody's own words" {
		t.Error("a file of somebody's was changed")
	}
	if n := len(loaded(t, good)); n != 100 {
		t.Errorf("the recording has %d frames now", n)
	}
	if _, err := wavline.Open(wavline.Config{AgentOut: file("heard.wav")}, 11025); err == nil {
		t.Error("a line runs at 11025 Hz")
	}
}

func TestRefusedRecordingIsAWavError(t *testing.T) {
	dir := t.TempDir()
	path := odd(t, filepath.Join(dir, "stereo.wav"), 22, 2)
	_, err := wavline.Open(wavline.Config{CallerIn: []string{path}, AgentIn: []string{path}, AgentOut: filepath.Join(dir, "out.wav")}, audio.Rate8k)
	var e *wav.Error
	if !errors.As(err, &e) || !errors.Is(err, wav.ErrChannels) {
		t.Errorf("got %v", err)
	}
}

// A line that was refused has left nothing open: its lock is free.
func TestRefusedLineGivesItsLockBack(t *testing.T) {
	dir := t.TempDir()
	cfg := wavline.Config{AgentOut: filepath.Join(dir, "heard.wav"), CallerOut: filepath.Join(dir, "none", "heard.wav")}
	if _, err := wavline.Open(cfg, audio.Rate8k); err == nil {
		t.Fatal("accepted")
	}
	cfg.CallerOut = ""
	line, err := wavline.Open(cfg, audio.Rate8k)
	if err != nil {
		t.Fatal(err)
	}
	if err := line.Close(); err != nil {
		t.Error(err)
	}
}
