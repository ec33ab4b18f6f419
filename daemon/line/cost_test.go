//go:build cgo

package line

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/sound"
	"golang.org/x/sys/unix"
)

var costFor = flag.Duration("cost-for", time.Second, "for how long TestCPU watches each line")

// TestCPU prints what part of a core a line takes, and where. It judges nothing: time is the machine's, and so is what it costs there to wake a thread.
// Beside each line a bare one is watched, which copies through the same cards: what its sound threads take is PortAudio's and the virtual cards', and
// what a line's take more is ours. The other threads are Go's: its watch over its threads, which each period wakes, and a line's goroutines.
func TestCPU(t *testing.T) {
	for _, clocks := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d clocks", clocks), func(t *testing.T) {
			bare, whole := bareCost(t, clocks), wholeCost(t, clocks)
			t.Logf("of a core at 48 kHz in periods of 128: bare, sound %.1f %%, other threads %.1f; a line, sound %.1f, other threads %.1f",
				bare.sound, bare.others, whole.sound, whole.others)
			if whole.sound == 0 {
				t.Error("no sound thread was seen")
			}
		})
	}
}

// plugIn makes the cards of a line at 48 kHz, which hear noise, and names its sides.
func plugIn(t *testing.T, clocks int) (caller, agent sound.Side) {
	t.Helper()
	noise := voice(0, audio.Rate48k.Frames(*costFor+10*time.Second))
	caller, agent = sound.Side{Device: "one", Channel: 1}, sound.Side{Device: "one", Channel: 2}
	if clocks == 1 {
		card.New(t, card.Spec{Name: "one", Rate: 48000, Channels: 2, In: [][]int16{noise, noise}})
		return caller, agent
	}
	card.New(t, card.Spec{Name: "one", Rate: 48000, In: [][]int16{noise}}, card.Spec{Name: "two", Rate: 48000, PPM: 50, In: [][]int16{noise}})
	return caller, sound.Side{Device: "two", Channel: 1}
}

// bareCost is that of a line whose sides hear themselves.
func bareCost(t *testing.T, clocks int) cost {
	t.Helper()
	caller, agent := plugIn(t, clocks)
	device, err := sound.Open(sound.Config{Rate: audio.Rate48k, PeriodFrames: 128, Caller: caller, Agent: agent, LockDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	ctx, stop := context.WithCancel(t.Context())
	var sides sync.WaitGroup
	watched := watch(device)
	sides.Go(func() { device.Caller.Run(ctx, &echo{}) })
	sides.Go(func() { device.Agent.Run(ctx, &echo{}) })
	c := watched.cost(t)
	stop()
	sides.Wait()
	return c
}

// echo plays what it hears.
type echo struct{ heard [128]int16 }

func (e *echo) Take(in []int16)  { copy(e.heard[:], in) }
func (e *echo) Lost(int)         { clear(e.heard[:]) }
func (e *echo) Fill(out []int16) { copy(out, e.heard[:]) }

// wholeCost is that of an idle line that flattoned listens to.
func wholeCost(t *testing.T, clocks int) cost {
	t.Helper()
	caller, agent := plugIn(t, clocks)
	b := newBox(t, "rate_hz = 48000")
	b.cfg.Lines[0].Sound = &config.Sound{Caller: caller.Device, CallerChannel: caller.Channel, Agent: agent.Device, AgentChannel: agent.Channel}
	b.listen()
	l, err := b.newLine()
	if err != nil {
		t.Fatal(err)
	}
	watched := watch(l.device)
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- l.Run(ctx) }()
	hear(b.accept(), state("idle"))
	c := watched.cost(t)
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	return c
}

// cost is parts of a core, in percent.
type cost struct{ sound, others float64 }

// watched has the threads on which the turns of a line run.
type watched [2]atomic.Int32

// watch puts itself between a line's ports and their turns.
func watch(device *hw.Line) *watched {
	w := &watched{}
	device.Caller, device.Agent = watchedPort{device.Caller, &w[0]}, watchedPort{device.Agent, &w[1]}
	return w
}

type watchedPort struct {
	hw.Port
	thread *atomic.Int32
}

func (p watchedPort) Run(ctx context.Context, turn hw.Turn) error {
	return p.Port.Run(ctx, watchedTurn{turn, p.thread})
}

type watchedTurn struct {
	hw.Turn
	thread *atomic.Int32
}

func (t watchedTurn) Fill(out []int16) {
	if t.thread.Load() == 0 {
		t.thread.Store(int32(unix.Gettid()))
	}
	t.Turn.Fill(out)
}

// cost waits until the line has settled, and watches it.
func (w *watched) cost(t *testing.T) (c cost) {
	t.Helper()
	time.Sleep(time.Second)
	began := time.Now()
	sound, all := w.sound(t), process(t)
	time.Sleep(*costFor)
	sound, all = w.sound(t)-sound, process(t)-all
	part := func(d time.Duration) float64 { return 100 * d.Seconds() / time.Since(began).Seconds() }
	return cost{part(sound), part(all - sound)}
}

// sound is what the sound threads have taken.
func (w *watched) sound(t *testing.T) (sum time.Duration) {
	t.Helper()
	seen := int32(0)
	for i := range w {
		thread := w[i].Load()
		if thread == seen {
			continue // both sides are on one
		}
		seen = thread
		var ns int64
		stat, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/schedstat", thread))
		if _, scan := fmt.Sscan(string(stat), &ns); err != nil || scan != nil {
			t.Fatal("a thread's time can't be read", err, scan)
		}
		sum += time.Duration(ns)
	}
	return sum
}

// process is what all threads have.
func process(t *testing.T) time.Duration {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &now); err != nil {
		t.Fatal(err)
	}
	return time.Duration(now.Nano())
}
