package wavline_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/wavline"
)

// silent is x with silence from one frame to another.
func silent(x []int16, from, to int) []int16 {
	x = slices.Clone(x)
	clear(x[from:to])
	return x
}

func TestAtPaceZeroTheLineGoesOnWhereItStopped(t *testing.T) {
	for name, c := range map[string]struct {
		stop  audio.Position
		edges []hw.Edge // in frames of the second process
	}{
		"in the gap before":  {320, []hw.Edge{{Kind: hw.CallBegan, At: 480}, {Kind: hw.CallEnded, At: 8481}, {Kind: hw.CallBegan, At: 9440}, {Kind: hw.CallEnded, At: 15_840}}},
		"at the first frame": {800, []hw.Edge{{Kind: hw.CallBegan, At: 0}, {Kind: hw.CallEnded, At: 8001}, {Kind: hw.CallBegan, At: 8960}, {Kind: hw.CallEnded, At: 15_360}}},
		"in the first call":  {4800, []hw.Edge{{Kind: hw.CallJoined, At: 0}, {Kind: hw.CallEnded, At: 4001}, {Kind: hw.CallBegan, At: 4960}, {Kind: hw.CallEnded, At: 11_360}}},
		"between the calls":  {9120, []hw.Edge{{Kind: hw.CallBegan, At: 640}, {Kind: hw.CallEnded, At: 7040}}},
		"in the last call":   {16_000, []hw.Edge{{Kind: hw.CallJoined, At: 0}, {Kind: hw.CallEnded, At: 160}}},
		"after it":           {wholeLine, nil},
	} {
		cfg, caller, _ := twoCalls(t)
		play(t, cfg, until(c.stop))
		p := play(t, cfg, until(max(wholeLine-c.stop, period)))
		if !slices.Equal(p.edges, c.edges) {
			t.Errorf("%s: edges %v, want %v", name, p.edges, c.edges)
		}
		if !slices.Equal(p.caller[:wholeLine-c.stop], caller[c.stop:]) {
			t.Errorf("%s: does not go on with the next frame", name)
		}
		if !slices.Equal(loaded(t, cfg.AgentOut)[:wholeLine], caller) {
			t.Errorf("%s: the agent missed something", name)
		}
	}
}

func TestALiveLineWentOnMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		away  time.Duration
		from  int // the frame at which the second process joins
		edges int
	}{
		"within the call":   {300 * time.Millisecond, 4800 + 2400, 4},
		"into the next":     {800 * time.Millisecond, 4800 + 6400, 2},
		"for part a period": {25 * time.Millisecond, 4800 + 320, 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg, caller, _ := twoCalls(t)
				cfg.Pace = 1
				began := time.Now()
				play(t, cfg, until(4800))
				time.Sleep(c.away)
				p := play(t, cfg, until(wholeLine-audio.Position(c.from)))
				if !slices.Equal(p.caller, caller[c.from:]) {
					t.Error("does not join where the call is by now")
				}
				if len(p.edges) != c.edges || p.edges[0].Kind != hw.CallJoined {
					t.Errorf("edges %v", p.edges)
				}
				if !slices.Equal(loaded(t, cfg.AgentOut), silent(caller, 4800, c.from)) {
					t.Error("the output is not aligned with the recordings")
				}
				if len(loaded(t, cfg.CallerOut)) != len(caller) {
					t.Error("the two outputs differ in length")
				}
				if took := time.Since(began); took != audio.Rate8k.Duration(int64(wholeLine)) {
					t.Errorf("the call took %v", took)
				}
			})
		})
	}
}

func TestAwayForDaysLeavesABoundedOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, caller, _ := twoCalls(t)
		cfg.Pace = 1
		play(t, cfg, until(4800))
		time.Sleep(48 * time.Hour)
		if p := play(t, cfg, until(8000)); len(p.edges) != 0 || slices.Max(p.caller) != 0 {
			t.Errorf("the calls are not over: edges %v", p.edges)
		}
		out := loaded(t, cfg.AgentOut)
		if len(loaded(t, cfg.CallerOut)) != len(out) {
			t.Error("the two outputs differ in length")
		}
		if len(out) != int(wholeLine)+60*8000 || !slices.Equal(out[:wholeLine], silent(caller, 4800, int(wholeLine))) {
			t.Errorf("the output has %d frames, or not silence for what was missed", len(out))
		}
	})
}

func TestAClockSetBackHoldsNothingUp(t *testing.T) {
	for _, frame := range []int{0, 4800} {
		synctest.Test(t, func(t *testing.T) {
			cfg, caller, _ := twoCalls(t)
			cfg.Pace = 1
			play(t, cfg, until(4800))
			ahead := fmt.Sprintf(`{"began":%q,"frame":%d}`, time.Now().Add(time.Hour).Format(time.RFC3339), frame)
			if err := os.WriteFile(cfg.ClockFile, []byte(ahead), 0o600); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			p := play(t, cfg, until(wholeLine-4800))
			if !slices.Equal(p.caller, caller[4800:]) || time.Since(began) != audio.Rate8k.Duration(int64(wholeLine)-4800) {
				t.Errorf("does not go on where it stopped; took %v", time.Since(began))
			}
		})
	}
}

func TestARecordingThatWaitedStillWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, caller, _ := twoCalls(t)
		cfg.Pace, cfg.WaitArmed = 1, true
		release := make(chan struct{}, 1)
		cfg.Released = release
		waits := 0
		play(t, cfg, func(at audio.Position) bool { // the first process ends while the call waits
			if at == 800 {
				waits++
			}
			return waits == 2
		})
		time.Sleep(time.Hour)
		release <- struct{}{}
		p := play(t, cfg, until(4000)) // the second one plays half of it
		if !slices.Equal(p.caller, caller[800:4800]) || len(p.edges) != 1 {
			t.Errorf("did not wait at the first frame; edges %v", p.edges)
		}
		time.Sleep(300 * time.Millisecond)
		release <- struct{}{} // for the second call; the first was released before
		p = play(t, cfg, until(wholeLine-7200))
		if !slices.Equal(p.caller, caller[7200:]) {
			t.Error("a released recording did not go on")
		}
		time.Sleep(time.Second)
	})
}

func TestALostClockIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, caller, _ := twoCalls(t)
		release := make(chan struct{}, 1)
		cfg.Pace, cfg.WaitArmed, cfg.Released = 1, true, release
		release <- struct{}{}
		play(t, cfg, until(4000))
		if err := os.Remove(cfg.ClockFile); err != nil {
			t.Fatal(err)
		}
		play(t, cfg, until(800)) // in the middle of a call that was released
		time.Sleep(100 * time.Millisecond)
		if p := play(t, cfg, until(800)); !slices.Equal(p.caller, caller[5600:6400]) {
			t.Error("does not join where the call is by now")
		}
	})
}

func TestWithoutAClockFileTheOutputIsTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, caller, _ := twoCalls(t)
		cfg.Pace, cfg.ClockFile = 1, ""
		play(t, cfg, until(4800))
		time.Sleep(time.Hour)
		if p := play(t, cfg, until(1600)); !slices.Equal(p.caller, caller[4800:6400]) {
			t.Error("does not go on where the output stopped")
		}
	})
}

// TestKilled kills a process that plays, as hard as can be, a few times over one line, and lets the last one
// play it out. Every frame the agent heard must lie where the recording has it.
func TestKilled(t *testing.T) {
	const variable = "FLATTONE_WAVLINE_DIR"
	config := func(dir string) wavline.Config {
		return wavline.Config{
			CallerIn: []string{filepath.Join(dir, "c.wav")}, AgentIn: []string{filepath.Join(dir, "c.wav")},
			AgentOut: filepath.Join(dir, "agent-heard.wav"), CallerOut: filepath.Join(dir, "caller-heard.wav"),
			ClockFile: filepath.Join(dir, "clock"), Pace: 20, PeriodMS: 20,
		}
	}
	if dir := os.Getenv(variable); dir != "" { // the process that is killed
		play(t, config(dir), func(at audio.Position) bool {
			if at == period || at == 60*period {
				os.Stdout.WriteString(".")
			}
			return false
		})
		return
	}
	dir := t.TempDir()
	cfg := config(dir)
	caller := speech(1_280_000, 1) // 8 s at pace 20
	saved(t, cfg.CallerIn[0], audio.Rate8k, caller)
	for range 4 {
		child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		child.Env = append(os.Environ(), variable+"="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		mark := make([]byte, 1)
		if _, err := io.ReadFull(out, mark); err != nil { // it plays
			t.Fatal(err)
		}
		held := fmt.Sprintf("in use by process %d", child.Process.Pid)
		if _, err := wavline.Open(cfg, audio.Rate8k); !errors.Is(err, hw.ErrBusy) || !strings.Contains(err.Error(), held) {
			t.Errorf("a second owner gets %v", err)
		}
		if _, err := io.ReadFull(out, mark); err != nil { // it has played for a while
			t.Fatal(err)
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		child.Wait()
		loaded(t, cfg.AgentOut) // plays
	}
	cfg.Pace = 0
	play(t, cfg, until(1_600))
	out := loaded(t, cfg.AgentOut)
	heard := 0
	for i, v := range out {
		if i < len(caller) && v == caller[i] {
			heard++
		} else if v != 0 {
			t.Fatalf("frame %d is not what the caller said then", i)
		}
	}
	if heard < 4*60*period {
		t.Errorf("the agent heard %d frames", heard)
	}
}
