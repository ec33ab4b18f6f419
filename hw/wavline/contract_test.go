package wavline_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/hw/hwtest"
	"github.com/flattone/flattone/hw/wavline"
)

// saved writes a recording and names it.
func saved(t testing.TB, path string, rate audio.Rate, samples []int16) string {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := wav.Append(f, 0, rate)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(samples); err != nil {
		t.Fatal(err)
	}
	return path
}

// loaded reads a recording; one without a frame is no error here.
func loaded(t testing.TB, path string) []int16 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) == 44 {
		return nil
	}
	r, err := wav.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.All()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestContract(t *testing.T) {
	for _, c := range []struct {
		name     string
		rate     audio.Rate
		pace     float64
		periodMS int
	}{
		{"as fast as possible", audio.Rate8k, 0, 0},
		{"in real time", audio.Rate8k, 1, 0},
		{"four times real time at 44.1 kHz in odd periods", audio.Rate44k, 4, 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			hwtest.TestLine(t, hwtest.Suite{
				Within: func(t *testing.T, body func(*testing.T)) { synctest.Test(t, body) },
				Open: func(t *testing.T, m hwtest.Material) hwtest.Rig {
					dir := t.TempDir()
					cfg := wavline.Config{
						CallerIn:  []string{saved(t, filepath.Join(dir, "caller.wav"), c.rate, m.Caller)},
						AgentIn:   []string{saved(t, filepath.Join(dir, "agent.wav"), c.rate, m.Agent)},
						CallerOut: filepath.Join(dir, "caller-heard.wav"),
						AgentOut:  filepath.Join(dir, "agent-heard.wav"),
						ClockFile: filepath.Join(dir, "clock"),
						Pace:      c.pace,
						Gap:       50 * time.Millisecond,
						PeriodMS:  c.periodMS,
					}
					line, err := wavline.Open(cfg, c.rate)
					if err != nil {
						t.Fatal(err)
					}
					return hwtest.Rig{
						Line:  line,
						Plays: true,
						Heard: func(t *testing.T) (caller, agent []int16) {
							return loaded(t, cfg.CallerOut), loaded(t, cfg.AgentOut)
						},
						Again: func() error {
							again, err := wavline.Open(cfg, c.rate)
							if err != nil {
								return err
							}
							return again.Close()
						},
						Lose: func(t *testing.T) {
							if err := os.Truncate(cfg.CallerIn[0], 50); err != nil {
								t.Error(err)
							}
						},
					}
				},
			})
		})
	}
}
