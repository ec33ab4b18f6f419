//go:build cgo

package line

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/host"
	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/sound"
	"golang.org/x/sys/unix"
)

// BenchmarkLine is what part of a core an idle line at 48 kHz in periods of 128 takes, in all and of it the sound threads, at real-time priority where that
// is allowed. Beside each line stand threads that are woken as often and do nothing, which costs more than all else where the machine is a virtual one; and a
// bare line, which copies through the same cards: what a whole one takes more is ours, and what that takes more is PortAudio's and the virtual cards'.
func BenchmarkLine(b *testing.B) {
	if err := host.RealTime(b.Context()); err != nil {
		b.Log(err)
	}
	for _, clocks := range []int{1, 2} {
		b.Run(fmt.Sprintf("woken, clocks=%d", clocks), func(b *testing.B) { wakingCost(b, clocks) })
		b.Run(fmt.Sprintf("bare, clocks=%d", clocks), func(b *testing.B) { bareCost(b, clocks) })
		b.Run(fmt.Sprintf("whole, clocks=%d", clocks), func(b *testing.B) { wholeCost(b, clocks) })
	}
}

// wakingCost is that of a thread for each clock which the kernel wakes once a period.
func wakingCost(b *testing.B, clocks int) {
	var w watched
	var threads sync.WaitGroup
	ctx, stop := context.WithCancel(b.Context())
	for i := range clocks {
		timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC)
		if err != nil {
			b.Fatal(err)
		}
		period := unix.NsecToTimespec(audio.Rate48k.Duration(128).Nanoseconds())
		if err := unix.TimerfdSettime(timer, 0, &unix.ItimerSpec{Interval: period, Value: period}, nil); err != nil {
			b.Fatal(err)
		}
		threads.Go(func() {
			runtime.LockOSThread()
			defer unix.Close(timer)
			for side := i; side < len(w); side += clocks {
				w[side].Store(int32(unix.Gettid()))
			}
			for times := make([]byte, 8); ctx.Err() == nil; {
				if _, err := unix.Read(timer, times); err != nil && err != unix.EINTR {
					b.Error(err)
					return
				}
			}
		})
	}
	w.cost(b)
	stop()
	threads.Wait()
}

// plugIn makes the cards of a line at 48 kHz, which hear noise, and names its sides.
func plugIn(b *testing.B, clocks int) (caller, agent sound.Side) {
	b.Helper()
	noise := voice(0, audio.Rate48k.Frames(20*time.Second))
	caller, agent = sound.Side{Device: "one", Channel: 1}, sound.Side{Device: "one", Channel: 2}
	if clocks == 1 {
		card.New(b, card.Spec{Name: "one", Rate: 48000, Channels: 2, In: [][]int16{noise, noise}})
		return caller, agent
	}
	card.New(b, card.Spec{Name: "one", Rate: 48000, In: [][]int16{noise}}, card.Spec{Name: "two", Rate: 48000, PPM: 50, In: [][]int16{noise}})
	return caller, sound.Side{Device: "two", Channel: 1}
}

// bareCost is that of a line whose sides hear themselves.
func bareCost(b *testing.B, clocks int) {
	caller, agent := plugIn(b, clocks)
	device, err := sound.Open(sound.Config{Rate: audio.Rate48k, PeriodFrames: 128, Caller: caller, Agent: agent, LockDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer device.Close()
	ctx, stop := context.WithCancel(b.Context())
	var sides sync.WaitGroup
	watched := watch(device)
	sides.Go(func() { device.Caller.Run(ctx, &echo{}) })
	sides.Go(func() { device.Agent.Run(ctx, &echo{}) })
	watched.cost(b)
	stop()
	sides.Wait()
}

// echo plays what it hears.
type echo struct{ heard [128]int16 }

func (e *echo) Take(in []int16)  { copy(e.heard[:], in) }
func (e *echo) Lost(int)         { clear(e.heard[:]) }
func (e *echo) Fill(out []int16) { copy(out, e.heard[:]) }

// wholeCost is that of an idle line that flattoned listens to.
func wholeCost(b *testing.B, clocks int) {
	caller, agent := plugIn(b, clocks)
	x := newBox(b, "rate_hz = 48000")
	x.cfg.Lines[0].Sound = &config.Sound{Caller: caller.Device, CallerChannel: caller.Channel, Agent: agent.Device, AgentChannel: agent.Channel}
	x.listen()
	l, err := x.newLine()
	if err != nil {
		b.Fatal(err)
	}
	watched := watch(l.device)
	ctx, stop := context.WithCancel(b.Context())
	ran := make(chan error, 1)
	go func() { ran <- l.Run(ctx) }()
	hear(x.accept(), state("idle"))
	watched.cost(b)
	stop()
	if err := <-ran; err != nil {
		b.Error(err)
	}
}

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
func (w *watched) cost(b *testing.B) {
	time.Sleep(time.Second)
	began, sound, all := time.Now(), w.sound(b), process(b)
	for b.Loop() {
		time.Sleep(100 * time.Millisecond)
	}
	part := func(d time.Duration) float64 { return 100 * d.Seconds() / time.Since(began).Seconds() }
	sound, all = w.sound(b)-sound, process(b)-all
	if sound == 0 {
		b.Error("no sound thread was seen")
	}
	b.ReportMetric(part(all), "%core")
	b.ReportMetric(part(sound), "%sound")
	b.ReportMetric(0, "ns/op") // none is shown
}

// sound is what the sound threads have taken.
func (w *watched) sound(b *testing.B) (sum time.Duration) {
	b.Helper()
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
			b.Fatal("a thread's time can't be read", err, scan)
		}
		sum += time.Duration(ns)
	}
	return sum
}

// process is what all threads have.
func process(b *testing.B) time.Duration {
	b.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &now); err != nil {
		b.Fatal(err)
	}
	return time.Duration(now.Nano())
}
