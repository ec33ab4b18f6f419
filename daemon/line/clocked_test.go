package line

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/hw"
)

// clocked is one side of a line in virtual time: a device of its own clock, which says a click now and then, and notes when it hears one.
type clocked struct {
	frames  int           // that it gives at a time
	ppm     int           // by how much it is fast
	stallAt time.Duration // when it stands still, to give all that came meanwhile at once
	stall   time.Duration

	said, heard []time.Duration
}

const clickEvery = 173 * time.Millisecond // no multiple of any device's period

// run takes turns until ctx ends.
func (c *clocked) run(ctx context.Context, turn hw.Turn) {
	began := time.Now()
	// when is the moment at which the device's clock comes to a frame.
	when := func(frame int) time.Duration {
		return time.Duration(float64(frame) / 8000 / (1 + float64(c.ppm)*1e-6) * float64(time.Second))
	}
	in, out := make([]int16, c.frames), make([]int16, c.frames)
	next := clickEvery
	for at := 0; ; at += c.frames {
		due := when(at + c.frames)
		if c.stall > 0 && due >= c.stallAt && due < c.stallAt+c.stall {
			due = c.stallAt + c.stall
		}
		if wait := due - time.Since(began); wait > 0 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
		}
		clear(in)
		for i := range in {
			if t := when(at + i); t >= next {
				in[i] = 20000
				c.said, next = append(c.said, t), next+clickEvery
			}
		}
		turn.Take(in)
		turn.Fill(out)
		if i := slices.Index(out, slices.Max(out)); out[i] > 5000 {
			c.heard = append(c.heard, due+when(i))
		}
	}
}

// delays is by how much each click came late that was said between two moments, without the look-ahead of the path.
func delays(t *testing.T, said, heard []time.Duration, from, to, lookAhead time.Duration) (all []time.Duration) {
	t.Helper()
	for _, s := range said {
		if s < from || s >= to {
			continue
		}
		i, _ := slices.BinarySearch(heard, s)
		if i == len(heard) || heard[i]-s > lookAhead+clickEvery/2 {
			t.Fatalf("what was said at %v isn't heard", s)
		}
		all = append(all, heard[i]-s-lookAhead)
	}
	return all
}

// What a line adds to the look-ahead each way between a modem, whose frames take 20 ms, and a sound device or another modem, whose clocks differ: the
// same at every moment of ten minutes; and a second after the modem stood still for longer than is held for it, the same again.
func TestLatencyOfModems(t *testing.T) {
	const (
		begins = time.Second
		stall  = 300 * time.Millisecond
		flat   = time.Millisecond
	)
	lasts := 10 * time.Minute
	if testing.Short() { // the race detector takes its time
		lasts = time.Minute
	}
	stallAt := lasts / 2
	for name, c := range map[string]struct {
		agent clocked
		most  time.Duration
	}{
		"to sound": {clocked{frames: 24}, 30 * time.Millisecond},
		"to modem": {clocked{frames: modemFrame}, 47 * time.Millisecond},
	} {
		for _, ppm := range []int{-200, 200} {
			t.Run(fmt.Sprintf("%s/%d ppm", name, ppm), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					caller, agent := clocked{frames: modemFrame, ppm: ppm, stallAt: stallAt, stall: stall}, c.agent
					lookAhead := cross(t, &caller, &agent, lasts)
					for way, clicks := range map[string]struct {
						said, heard []time.Duration
						lookAhead   time.Duration
					}{"to the agent": {caller.said, agent.heard, lookAhead}, "to the caller": {agent.said, caller.heard, 0}} {
						before := delays(t, clicks.said, clicks.heard, begins, stallAt-clickEvery, clicks.lookAhead)
						after := delays(t, clicks.said, clicks.heard, stallAt+stall+time.Second, lasts-time.Second, clicks.lookAhead)
						all := slices.Concat(before, after)
						least, most := slices.Min(all), slices.Max(all)
						t.Logf("%s: %v to %v", way, least, most)
						if most > c.most || most-least > flat {
							t.Errorf("%s: %v to %v are not the same, or more than %v", way, least, most, c.most)
						}
					}
				})
			})
		}
	}
}

// cross has two devices run with a line between them, and answers with its look-ahead.
func cross(t *testing.T, caller, agent *clocked, lasts time.Duration) (lookAhead time.Duration) {
	t.Helper()
	p, err := path.New(path.Config{Rate: audio.Rate8k, Idle: mask.Pass})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.SetGrade(mask.Idle)
	b, err := newBridge(p, audio.Rate8k, false)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, stop := context.WithTimeout(t.Context(), lasts)
	defer stop()
	var sides sync.WaitGroup
	sides.Go(func() { caller.run(ctx, callerSide{b}) })
	sides.Go(func() { agent.run(ctx, agentSide{b}) })
	sides.Wait()
	return audio.Rate8k.Duration(int64(p.Delay()))
}
