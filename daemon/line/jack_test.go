//go:build cgo

package line

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/hwtest/jack"
	"github.com/flattone/flattone/hw/sound"
)

// Minutes of sound through two JACK devices and the whole line, as fast as the machine goes: each click comes through, both ways, and by how much it
// is late stays the same to a frame. (The server has one clock, but PortAudio opens two streams: the line takes it for two.)
func TestMinutesThroughJACK(t *testing.T) {
	const rate, period = audio.Rate8k, 64
	minutes := 10
	if testing.Short() { // the race detector
		minutes = 1
	}
	clicks, every := make([]int16, int(rate)*60*minutes), rate.Frames(250*time.Millisecond)
	for i := every; i < len(clicks); i += every {
		clicks[i] = 20000
	}
	card.New(t)
	server := jack.New(t, jack.Spec{Rate: int(rate), PeriodFrames: period, Devices: []jack.Device{{Name: "trunk", In: clicks}, {Name: "headset", In: clicks}}})
	device, err := sound.Open(sound.Config{Rate: rate, PeriodFrames: period, LockDir: t.TempDir(),
		Caller: sound.Side{Device: "trunk", Channel: 1}, Agent: sound.Side{Device: "headset", Channel: 1}})
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
	// The server's time, which isn't the machine's.
	b.now = func() time.Duration { return rate.Duration(int64(max(p.Position(), b.back.Written()))) }
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var sides sync.WaitGroup
	for port, turn := range map[hw.Port]hw.Turn{device.Caller: callerSide{b}, device.Agent: agentSide{b}} {
		sides.Go(func() {
			if err := port.Run(ctx, turn); err != nil {
				t.Error(err)
			}
		})
	}
	began := time.Now()
	until := func(done func() bool) {
		for !done() && time.Since(began) < patience*time.Duration(minutes) {
			time.Sleep(50 * time.Millisecond)
		}
	}
	until(func() bool { return p.Position() > 0 && b.back.Written() > 0 }) // both sides run
	server.Freewheel()
	until(func() bool { return server.Frames("headset") >= len(clicks) })
	server.Freewheel()
	stop()
	sides.Wait()
	if err := device.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("%d minutes in %v; %d jumps", minutes, time.Since(began).Round(time.Second), b.down.Jumps()+b.up.Jumps())
	for _, name := range []string{"headset", "trunk"} {
		heard := server.Heard(name)
		late, all := lates(clicks[:min(len(clicks), len(heard))], heard, every), len(clicks)/every-1
		if len(late) < all*99/100 {
			t.Fatalf("%s heard %d of %d clicks", name, len(late), all)
		}
		slices.Sort(late)
		least, middle, most := late[len(late)/20], late[len(late)/2], late[len(late)*19/20]
		t.Logf("%s heard %d of %d clicks, %d frames late, nine in ten %d to %d", name, len(late), all, middle, least, most)
		if most-least > 1 {
			t.Errorf("%s heard them %d to %d frames late", name, least, most)
		}
	}
}

// lates is by how many frames each click comes late that is heard.
func lates(clicks, heard []int16, every int) (late []int) {
	for at := every; at+every <= len(clicks); at += every {
		best, most := -1, int16(5000)
		for i := at; i < at+every; i++ {
			if heard[i] > most {
				best, most = i-at, heard[i]
			}
		}
		if best >= 0 {
			late = append(late, best)
		}
	}
	return late
}
