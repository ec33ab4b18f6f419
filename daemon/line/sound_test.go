//go:build cgo

package line

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/sound"
)

// What a line adds to the look-ahead each way, through PortAudio and cards, in frames from the one card's input to the other's output: on one clock two
// periods, exactly; on two clocks the median stays within what is promised for it.
func TestLatencyThroughDevices(t *testing.T) {
	for _, c := range []struct {
		rate   audio.Rate
		period int
		clocks int
		mostMS float64
	}{
		{audio.Rate48k, 128, 1, 5.4}, {audio.Rate48k, 64, 1, 2.7}, {audio.Rate8k, 24, 1, 8.5},
		{audio.Rate48k, 128, 2, 9}, {audio.Rate48k, 64, 2, 5}, {audio.Rate8k, 24, 2, 13},
	} {
		t.Run(fmt.Sprintf("%v/%d/%d clocks", c.rate, c.period, c.clocks), func(t *testing.T) {
			ms := func(frames int) float64 { return 1000 * float64(frames) / float64(c.rate) }
			// Two cards' clocks can't wait for a busy machine as one's can. After a gap the latency is another one, so it is a run without that counts.
			for range 6 {
				toAgent, toCaller, gaps := latency(t, c.rate, c.period, c.clocks)
				t.Logf("to the agent %d frames, %.2f ms; to the caller %d, %.2f ms; %d gaps", toAgent, ms(toAgent), toCaller, ms(toCaller), gaps)
				if gaps > 0 {
					continue
				}
				if c.clocks == 1 && (toAgent != 2*c.period || toCaller != 2*c.period) {
					t.Errorf("%d and %d frames, not two periods", toAgent, toCaller)
				}
				if ms(toAgent) > c.mostMS || ms(toCaller) > c.mostMS {
					t.Errorf("%.2f ms to the agent and %.2f to the caller: %.1f are promised", ms(toAgent), ms(toCaller), c.mostMS)
				}
				return
			}
			t.Log("the machine was too busy to measure it")
		})
	}
}

// latency is by how many frames clicks come late each way, without the look-ahead, and how many gaps the cards saw.
func latency(t *testing.T, rate audio.Rate, period, clocks int) (toAgent, toCaller, gaps int) {
	t.Helper()
	const playing = 1500 * time.Millisecond
	clicks := make([]int16, rate.Frames(playing))
	every := rate.Frames(100 * time.Millisecond)
	for i := every; i < len(clicks); i += every {
		clicks[i] = 20000
	}
	caller, agent := sound.Side{Device: "one", Channel: 1}, sound.Side{Device: "one", Channel: 2}
	specs := []card.Spec{{Name: "one", Rate: int(rate), Channels: 2, Patient: true, In: [][]int16{clicks, clicks}}}
	if clocks == 2 {
		agent = sound.Side{Device: "two", Channel: 1}
		specs = []card.Spec{{Name: "one", Rate: int(rate), In: [][]int16{clicks}}, {Name: "two", Rate: int(rate), PPM: 50, In: [][]int16{clicks}}}
	}
	cards := card.New(t, specs...)
	device, err := sound.Open(sound.Config{Rate: rate, PeriodFrames: period, Caller: caller, Agent: agent, LockDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	p, err := path.New(path.Config{Rate: rate, Idle: mask.Pass})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.SetGrade(mask.Idle)
	b, err := newBridge(p, rate, device.OneClock)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, stop := context.WithTimeout(t.Context(), playing)
	defer stop()
	var sides sync.WaitGroup
	sides.Go(func() { device.Caller.Run(ctx, callerSide{b}) })
	sides.Go(func() { device.Agent.Run(ctx, agentSide{b}) })
	sides.Wait()
	if err := device.Close(); err != nil {
		t.Error(err)
	}
	for _, c := range cards {
		gaps += c.Xruns()
	}
	return late(t, clicks, cards[len(cards)-1].Heard(agent.Channel), every) - p.Delay(), late(t, clicks, cards[0].Heard(1), every), gaps
}

// late is by how many frames the clicks come late, in the middle.
func late(t *testing.T, clicks, heard []int16, every int) int {
	t.Helper()
	var delays []int
	for at := every; at < len(clicks); at += every {
		best, most := -1, int16(5000)
		for i := at; i < min(at+every, len(heard)); i++ {
			if heard[i] > most {
				best, most = i-at, heard[i]
			}
		}
		if best >= 0 {
			delays = append(delays, best)
		}
	}
	if len(delays) < 5 {
		t.Fatalf("only %d clicks were heard", len(delays))
	}
	slices.Sort(delays)
	return delays[len(delays)/2]
}
