//go:build cgo

package sound_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/sound"
)

// noise is as long as any test runs; what comes after it in a card is silence, and is not compared.
func noise(i, channel int) []int16 {
	r := rand.New(rand.NewPCG(uint64(i), uint64(channel)))
	x := make([]int16, 60*8000)
	for i := range x {
		x[i] = int16(r.Uint32() | 1) // no silence in it
	}
	return x
}

// run runs both sides until both have taken a number of turns.
func run(t *testing.T, line *hw.Line, turns int64, caller, agent hw.Turn) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var left atomic.Int32
	left.Store(2)
	counted := func(turn hw.Turn) hw.Turn {
		return &counting{turn, func(n int64) {
			if n == turns && left.Add(-1) == 0 {
				cancel()
			}
		}, 0}
	}
	ended := make(chan error)
	go func() { ended <- line.Caller.Run(ctx, counted(caller)) }()
	go func() { ended <- line.Agent.Run(ctx, counted(agent)) }()
	for range 2 {
		if err := <-ended; err != nil {
			t.Errorf("a side ended with %v", err)
		}
	}
}

// counting tells how many turns have been taken.
type counting struct {
	hw.Turn
	taken func(turns int64)
	turns int64
}

func (c *counting) Fill(out []int16) {
	c.Turn.Fill(out)
	c.turns++
	c.taken(c.turns)
}

// crossing takes into one memory and fills from another; nothing, where there is none.
type crossing struct{ to, from []int16 }

func (c crossing) Take(in []int16)  { copy(c.to, in) }
func (c crossing) Lost(int)         { clear(c.to) }
func (c crossing) Fill(out []int16) { clear(out[copy(out, c.from):]) }

// open opens a line that the test closes.
func open(t *testing.T, cfg sound.Config) *hw.Line {
	t.Helper()
	line, err := sound.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// copying plays what was captured: on a line with one clock on the other side, on one with two on the same side.
func copying(line *hw.Line, period int) (caller, agent hw.Turn) {
	callers, agents := make([]int16, period), make([]int16, period)
	if line.OneClock {
		return crossing{callers, agents}, crossing{agents, callers}
	}
	return crossing{callers, callers}, crossing{agents, agents}
}

// What is captured in a period is played, bit for bit, exactly two periods later, if that is what the turns do.
func TestSamplesAndLatency(t *testing.T) {
	for kind, k := range cards {
		t.Run(kind, func(t *testing.T) {
			made, cfg := plug(t, kind, true, noise)
			line := open(t, cfg)
			turns := int64(k.rate) / 2 / int64(k.period)
			caller, agent := copying(line, k.period)
			run(t, line, turns, caller, agent)
			if err := line.Close(); err != nil {
				t.Error(err)
			}
			frames := int(turns) * k.period
			if line.OneClock {
				delayed(t, "caller to agent", said(kind, cfg.Caller), at(kind, made, cfg.Agent), 2*k.period, frames)
				delayed(t, "agent to caller", said(kind, cfg.Agent), at(kind, made, cfg.Caller), 2*k.period, frames)
			} else {
				delayed(t, "caller and back", said(kind, cfg.Caller), at(kind, made, cfg.Caller), 2*k.period, frames)
				delayed(t, "agent and back", said(kind, cfg.Agent), at(kind, made, cfg.Agent), 2*k.period, frames)
			}
			for i, spec := range k.specs {
				for channel := 1; channel <= spec.Channels; channel++ {
					if s := (sound.Side{Device: spec.Name, Channel: channel}); s == cfg.Caller || s == cfg.Agent {
						continue
					}
					if slices.ContainsFunc(made[i].Heard(channel), func(v int16) bool { return v != 0 }) {
						t.Errorf("channel %d of %s is not the line's, and not silent", channel, spec.Name)
					}
				}
			}
		})
	}
}

// said is what a side's far end says.
func said(kind string, s sound.Side) []int16 {
	i := slices.IndexFunc(cards[kind].specs, func(c card.Spec) bool { return c.Name == s.Device })
	return noise(i, s.Channel-1)
}

func delayed(t *testing.T, what string, said, heard []int16, delay, frames int) {
	t.Helper()
	from := slices.IndexFunc(heard, func(v int16) bool { return v != 0 })
	if from < delay || from-delay+frames > len(said) {
		t.Errorf("%s: heard from frame %d on", what, from)
		return
	}
	if len(heard) < from+frames || !slices.Equal(heard[from:from+frames], said[from-delay:from-delay+frames]) {
		t.Errorf("%s: not bit for bit, or not after %d frames", what, delay)
	}
}

// The turns run on a thread of C's. What is counted is what the whole process allocates meanwhile, PortAudio's binding and the
// watch for a loss included: less than once in a hundred periods, where anything that a period allocates would be once in each.
func TestAPeriodAllocatesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector makes the binding's call allocate")
	}
	for kind, k := range cards {
		t.Run(kind, func(t *testing.T) {
			_, cfg := plug(t, kind, true, nil)
			cfg.PeriodFrames = 16
			line := open(t, cfg)
			turns := max(int64(k.rate)/16, 2000) // enough for what the runtime allocates now and then not to matter
			var before, after runtime.MemStats
			run(t, line, turns, &counting{crossing{}, func(n int64) {
				switch n {
				case turns / 4: // the line has settled
					runtime.ReadMemStats(&before)
				case turns:
					runtime.ReadMemStats(&after)
				}
			}, 0}, crossing{})
			if err := line.Close(); err != nil {
				t.Error(err)
			}
			allocations, periods := after.Mallocs-before.Mallocs, uint64(turns-turns/4)
			t.Logf("%d allocations in %d periods", allocations, periods)
			if allocations > periods/100 {
				t.Errorf("%d allocations in %d periods", allocations, periods)
			}
		})
	}
}
