package line

import (
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/daemon/wire"
)

// An agent who presses keys while the caller keys a number: between the caller's keys, and during every other one. They come back
// on the caller's leg. The card is the caller's, star by star; and the caller hears none of the agent's keys.
func TestAgentsKeysAreNotCaptured(t *testing.T) {
	for _, echo := range []struct{ delayMS, dB float64 }{{5, -10}, {15, -22}, {45, -18}, {90, -25}} {
		t.Run(fmt.Sprintf("%g ms, %g dB", echo.delayMS, echo.dB), func(t *testing.T) {
			const every = 8 * 500
			n := len(visa)
			caller, agent := make([]int16, (n+5)*every), make([]int16, (n+5)*every)
			press := func(x []int16, key byte, at int, dBm0 float64) {
				pair, _ := tone.Pair(key, dBm0, 0)
				for i, v := range tone.Append(nil, audio.Rate8k, 640, 8, pair[:]...) {
					x[at+i] += v
				}
			}
			for i := range n {
				at := (i + 1) * every
				press(caller, visa[i], at, -8)
				press(agent, "7319"[i%4], at+8*230, -12)
				if i%2 == 1 {
					press(agent, "0856"[i/2%4], at-8*10, -12)
				}
			}
			delay, gain := int(8*echo.delayMS), math.Pow(10, echo.dB/20)
			for i := delay; i < len(caller); i++ {
				caller[i] += int16(gain * float64(agent[i-delay]))
			}

			b := newBox(t, "")
			os.Remove(b.path("caller.wav"))
			os.Remove(b.path("agent.wav"))
			b.record("caller.wav", caller)
			b.record("agent.wav", agent)
			d, stop := b.armed()
			for stars := 1; stars <= n; stars++ {
				s := d.next()
				for {
					if _, ok := s.m.(wire.State); !ok {
						break
					}
					s = d.next()
				}
				if k, ok := s.m.(wire.Key); !ok || k.Stars != stars {
					t.Fatalf("at key %d the line says %T", stars, s.m)
				}
			}
			card := hear(d, any[wire.Card])
			if size := card.card[0]; int(size) != n || string(card.card[1:1+size]) != visa {
				t.Error("card differs")
			}
			if err := stop(); err != nil {
				t.Error(err)
			}

			f, err := os.Open(b.path("caller-heard.wav"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			heard, _, err := wav.ReadAll(f)
			if err != nil {
				t.Fatal(err)
			}
			listener, err := detect.New(audio.Rate8k)
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			var v detect.Verdict
			for tick := range slices.Chunk(heard[:len(heard)/8*8], 8) {
				if listener.Tick(tick, &v); v.Event.Kind == detect.Began {
					t.Fatal("the caller hears a key of the agent's")
				}
			}
		})
	}
}
