package wavline_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/wavline"
)

const period = 160 // frames of 20 ms at 8 kHz

// played is what one process saw of a line.
type played struct {
	caller, agent []int16 // what came in
	edges         []hw.Edge
	last          audio.Position
}

// turn is a hw.Turn of two functions.
type turn struct{ take, fill func([]int16) }

func (t turn) Take(in []int16)  { t.take(in) }
func (t turn) Lost(frames int)  { t.take(make([]int16, frames)) }
func (t turn) Fill(out []int16) { t.fill(out) }

// play opens a line and runs it as a wire, each side hearing what the other says, until stop says so. Follow,
// if it is set in cfg, is called as well.
func play(t *testing.T, cfg wavline.Config, stop func(at audio.Position) bool) played {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var p played
	var line *hw.Line
	fetch := func() {
		select {
		case e := <-line.Calls:
			p.edges = append(p.edges, e)
		default:
		}
	}
	follow := cfg.Follow
	cfg.Follow = func(at audio.Position) {
		fetch()
		p.last = at
		if follow != nil {
			follow(at)
		}
		if stop(at) {
			cancel()
		}
	}
	line, err := wavline.Open(cfg, audio.Rate8k)
	if err != nil {
		t.Fatal(err)
	}
	said := make([]int16, period)
	var both sync.WaitGroup
	both.Go(func() {
		err := line.Caller.Run(ctx, turn{func(in []int16) {
			fetch() // one that was sent before the first turn of a call
			p.caller = append(p.caller, in...)
			copy(said, in)
		}, func(out []int16) { clear(out) }})
		if err != nil {
			t.Error(err)
		}
	})
	both.Go(func() {
		err := line.Agent.Run(ctx, turn{func(in []int16) { p.agent = append(p.agent, in...) }, func(out []int16) { copy(out, said) }})
		if err != nil {
			t.Error(err)
		}
	})
	both.Wait()
	if err := line.Close(); err != nil {
		t.Error(err)
	}
	return p
}

func until(frames audio.Position) func(audio.Position) bool {
	return func(at audio.Position) bool { return at >= frames }
}

func speech(frames int, seed uint64) []int16 {
	r := rand.New(rand.NewPCG(seed, 0))
	x := make([]int16, frames)
	for i := range x {
		x[i] = int16(r.IntN(2000) + 1) // no zero, so that silence is told from speech
	}
	return x
}

// twoCalls is a line with two calls: 1 s of the caller with 0.5 s of the agent, and 0.4 s with 0.8 s, each
// after 100 ms of silence, and the whole of it as it is played.
func twoCalls(t *testing.T) (cfg wavline.Config, caller, agent []int16) {
	t.Helper()
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	c1, a1 := speech(8001, 1), speech(4000, 2)
	c2, a2 := speech(3200, 3), speech(6400, 4)
	cfg = wavline.Config{
		CallerIn:  []string{saved(t, file("c1.wav"), audio.Rate8k, c1), saved(t, file("c2.wav"), audio.Rate8k, c2)},
		AgentIn:   []string{saved(t, file("a1.wav"), audio.Rate8k, a1), saved(t, file("a2.wav"), audio.Rate8k, a2)},
		AgentOut:  file("agent-heard.wav"),
		CallerOut: file("caller-heard.wav"),
		ClockFile: file("clock"),
		Gap:       100 * time.Millisecond,
	}
	caller, agent = make([]int16, wholeLine), make([]int16, wholeLine)
	copy(caller[800:], c1)
	copy(agent[800:], a1)
	copy(caller[9760:], c2) // 8801, up to a whole period, and the gap
	copy(agent[9760:], a2)
	return cfg, caller, agent
}

// wholeLine is the length of twoCalls, in whole periods.
const wholeLine audio.Position = 16_160

var allEdges = []hw.Edge{{Kind: hw.CallBegan, At: 800}, {Kind: hw.CallEnded, At: 8801}, {Kind: hw.CallBegan, At: 9760}, {Kind: hw.CallEnded, At: 16_160}}

func TestCallsFollowOneAnother(t *testing.T) {
	cfg, caller, agent := twoCalls(t)
	p := play(t, cfg, until(wholeLine))
	if !slices.Equal(p.caller, caller) || !slices.Equal(p.agent, agent) {
		t.Error("what came in is not what was recorded")
	}
	if !slices.Equal(p.edges, allEdges) {
		t.Errorf("edges %v", p.edges)
	}
	if !slices.Equal(loaded(t, cfg.AgentOut), caller) {
		t.Error("the agent did not hear the caller")
	}
	if heard := loaded(t, cfg.CallerOut); len(heard) != int(wholeLine) || slices.ContainsFunc(heard, func(v int16) bool { return v != 0 }) {
		t.Error("the caller did not hear as much silence")
	}
}

func TestPeriodsAreDueOnAnAbsoluteSchedule(t *testing.T) {
	for _, pace := range []float64{0.5, 1, 4} {
		synctest.Test(t, func(t *testing.T) {
			cfg, _, _ := twoCalls(t)
			cfg.Pace = pace
			began := time.Now()
			cfg.Follow = func(at audio.Position) {
				want := time.Duration(float64(audio.Rate8k.Duration(int64(at))) / pace)
				if at == 10*period {
					time.Sleep(time.Second) // an owner that holds the line up
				}
				if late := time.Since(began) - want; late < 0 || at < 10*period && late > 0 {
					t.Errorf("pace %g: frame %d came %v late", pace, at, late)
				}
			}
			play(t, cfg, until(wholeLine))
			want := time.Duration(float64(audio.Rate8k.Duration(int64(wholeLine))) / pace)
			if took := time.Since(began); pace < 4 && took != want || pace == 4 && took != time.Second+50*time.Millisecond {
				t.Errorf("pace %g: took %v, not %v: the time lost was not made up for", pace, took, want)
			}
		})
	}
}

func TestAfterTheLastRecordingTheLineStaysUpInRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, _, _ := twoCalls(t)
		began := time.Now()
		p := play(t, cfg, func(audio.Position) bool { return time.Since(began) >= 5*time.Minute })
		if want := wholeLine + 8000*300; p.last != want {
			t.Errorf("played %d frames, want %d", p.last, want)
		}
		if slices.ContainsFunc(p.caller[wholeLine:], func(v int16) bool { return v != 0 }) {
			t.Error("the line is not silent")
		}
		// The outputs don't grow for ever.
		if n := len(loaded(t, cfg.AgentOut)); n != int(wholeLine)+8000*60 {
			t.Errorf("recorded %d frames", n)
		}
	})
}

func TestLineWithoutRecordingsIsSilentInRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		p := play(t, wavline.Config{AgentOut: filepath.Join(t.TempDir(), "heard.wav")}, until(8000))
		if time.Since(began) != time.Second || len(p.edges) != 0 {
			t.Errorf("a second took %v, with edges %v", time.Since(began), p.edges)
		}
	})
}

func TestRecordingsWaitForTheirRelease(t *testing.T) {
	for _, pace := range []float64{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			cfg, caller, _ := twoCalls(t)
			cfg.Pace = pace
			release := make(chan struct{})
			cfg.WaitArmed, cfg.Released = true, release
			arm := make(chan audio.Position)
			seen := map[audio.Position]int{}
			cfg.Follow = func(at audio.Position) {
				if seen[at]++; seen[at] == 2 { // Follow without a new frame: the line waits
					go func() { arm <- at }()
				}
			}
			go func() {
				for _, want := range []audio.Position{800, 9760} {
					at := <-arm
					if at != want {
						t.Errorf("waits at frame %d, want %d", at, want)
					}
					time.Sleep(10 * time.Second)
					if seen[at+period] != 0 {
						t.Error("the clock ran on")
					}
					release <- struct{}{}
				}
			}()
			began := time.Now()
			p := play(t, cfg, until(wholeLine))
			if !slices.Equal(p.caller, caller) || !slices.Equal(p.edges, allEdges) {
				t.Errorf("the line is not the same as without waiting: edges %v", p.edges)
			}
			if want := 20*time.Second + time.Duration(pace)*audio.Rate8k.Duration(int64(wholeLine)); time.Since(began) != want {
				t.Errorf("pace %g: took %v, want %v", pace, time.Since(began), want)
			}
		})
	}
}

func TestClosedReleaseLetsEveryRecordingGo(t *testing.T) {
	cfg, caller, _ := twoCalls(t)
	release := make(chan struct{})
	close(release)
	cfg.WaitArmed, cfg.Released = true, release
	if p := play(t, cfg, until(wholeLine)); !slices.Equal(p.caller, caller) {
		t.Error("not all was played")
	}
}
