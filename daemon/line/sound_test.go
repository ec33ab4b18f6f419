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
// periods, exactly; on two clocks the median stays within what is promised for it. So it is again a second after a card stood still, for longer than what is
// held for it; but the depth between two clocks is then set by one moment, when a thread may be late by a sixth of a period.
func TestLatencyThroughDevices(t *testing.T) {
	const stall = 300 * time.Millisecond
	for _, c := range []latencyCase{
		{audio.Rate48k, 128, 1, 5.4, -1, 0}, {audio.Rate48k, 64, 1, 2.7, -1, 0}, {audio.Rate8k, 24, 1, 8.5, -1, 0},
		{audio.Rate48k, 128, 2, 9, -1, 0}, {audio.Rate48k, 64, 2, 5, -1, 0}, {audio.Rate8k, 24, 2, 13, -1, 0},
		{audio.Rate48k, 128, 1, 5.4, 0, stall}, {audio.Rate48k, 128, 2, 9.45, 0, stall}, {audio.Rate48k, 128, 2, 9.45, 1, stall},
	} {
		t.Run(c.String(), func(t *testing.T) {
			ms := func(frames int) float64 { return 1000 * float64(frames) / float64(c.rate) }
			// Two cards' clocks can't wait for a busy machine as one's can. After a gap the latency is another one, so it is a run without that counts.
			tries := 6
			if c.stalls >= 0 {
				tries = 2 // that both sides are heard again at all is what matters most
			}
			few := 0
			for range tries {
				toAgent, toCaller, gaps := c.measure(t)
				t.Logf("to the agent %d frames, %.2f ms; to the caller %d, %.2f ms; %d gaps", toAgent, ms(toAgent), toCaller, ms(toCaller), gaps)
				if toAgent < 0 || toCaller < 0 {
					few++
					continue
				}
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
			if few == tries {
				t.Error("few clicks were heard, however often it was tried")
			}
			t.Log("the machine was too busy to measure it")
		})
	}
}

type latencyCase struct {
	rate   audio.Rate
	period int
	clocks int
	mostMS float64
	stalls int // the card that stands still before it is measured, none below 0
	stall  time.Duration
}

func (c latencyCase) String() string {
	name := fmt.Sprintf("%v/%d/%d clocks", c.rate, c.period, c.clocks)
	if c.stalls >= 0 {
		name += fmt.Sprintf("/card %d stood still for %v", c.stalls, c.stall)
	}
	return name
}

// measure is by how many frames clicks come late each way, without the look-ahead, and how many gaps the cards saw meanwhile.
func (c latencyCase) measure(t *testing.T) (toAgent, toCaller, gaps int) {
	t.Helper()
	const begins, measured = 500 * time.Millisecond, 1500 * time.Millisecond
	settled := time.Duration(0)
	if c.stalls >= 0 {
		settled = begins + c.stall + time.Second
	}
	clicks := make([]int16, c.rate.Frames(settled+measured))
	every := c.rate.Frames(100 * time.Millisecond)
	for i := c.rate.Frames(settled) + every; i < len(clicks); i += every {
		clicks[i] = 20000
	}
	caller, agent := sound.Side{Device: "one", Channel: 1}, sound.Side{Device: "one", Channel: 2}
	specs := []card.Spec{{Name: "one", Rate: int(c.rate), Channels: 2, Patient: c.stalls < 0, In: [][]int16{clicks, clicks}}}
	if c.clocks == 2 {
		agent = sound.Side{Device: "two", Channel: 1}
		specs = []card.Spec{{Name: "one", Rate: int(c.rate), In: [][]int16{clicks}}, {Name: "two", Rate: int(c.rate), PPM: 50, In: [][]int16{clicks}}}
	}
	cards := card.New(t, specs...)
	device, err := sound.Open(sound.Config{Rate: c.rate, PeriodFrames: c.period, Caller: caller, Agent: agent, LockDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	p, err := path.New(path.Config{Rate: c.rate, Idle: mask.Pass})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.SetGrade(mask.Idle)
	b, err := newBridge(p, c.rate, device.OneClock)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, stop := context.WithTimeout(t.Context(), settled+measured)
	defer stop()
	var sides sync.WaitGroup
	sides.Go(func() { device.Caller.Run(ctx, callerSide{b}) })
	sides.Go(func() { device.Agent.Run(ctx, agentSide{b}) })
	if c.stalls >= 0 {
		time.Sleep(begins)
		cards[c.stalls].Stall(c.stall)
		time.Sleep(settled - begins)
		for _, c := range cards {
			gaps -= c.Xruns()
		}
	}
	sides.Wait()
	if err := device.Close(); err != nil {
		t.Error(err)
	}
	for _, c := range cards {
		gaps += c.Xruns()
	}
	toAgent = late(clicks, cards[len(cards)-1].Heard(agent.Channel), every)
	if toAgent >= 0 {
		toAgent -= p.Delay()
	}
	return toAgent, late(clicks, cards[0].Heard(1), every), gaps
}

// late is by how many frames the clicks come late, in the middle; -1 if too few were heard to say.
func late(clicks, heard []int16, every int) int {
	var delays []int
	for at := every; at < len(clicks); at += every {
		best, most := -1, int16(5000)
		for i := at; i < min(at+every, len(heard)); i++ {
			if heard[i] > most {
				best, most = i-at, heard[i]
			}
		}
		if clicks[at] != 0 && best >= 0 {
			delays = append(delays, best)
		}
	}
	if len(delays) < 5 {
		return -1
	}
	slices.Sort(delays)
	return delays[len(delays)/2]
}
