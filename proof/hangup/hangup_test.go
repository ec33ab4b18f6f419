// Package hangup proves that masking makes no port hang up: what an agent hears while keys are masked is no key, no call progress
// tone, no fax or modem and no special information tone to the detectors of Debian's libspandsp.
package hangup

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/tone"
)

// driver is peers/spandsp_hear.c, built.
const driver = "../../build/peers/spandsp_hear"

const rate = audio.Rate8k

// Ten minutes under each shield, of keys pressed as fast as they come and as slowly as people search for them.
func TestTheFlatToneIsNothingToAnyDetector(t *testing.T) {
	for _, shield := range []mask.Shield{mask.Keys, mask.Run} {
		t.Run(shield.String(), func(t *testing.T) {
			x, tones := masked(t, shield)
			if len(x) < rate.Frames(10*time.Minute) || tones < 1500 {
				t.Fatalf("%d flat tones in %v", tones, rate.Duration(int64(len(x))))
			}
			for detector, n := range hear(t, x) {
				if n > 0 {
					t.Errorf("%s: fired %d times on %d flat tones", detector, n, tones)
				}
			}
		})
	}
}

// Each detector hears its own signal at the flat tone's level.
func TestTheDetectorsHearTheirOwnSignals(t *testing.T) {
	controls := map[string][]int16{
		"dtmf":                  pulses(pulse{[]float64{770, 1336}, 60}, pulse{nil, 60}),
		"fax-calling":           pulses(pulse{[]float64{1100}, 500}, pulse{nil, 3000}),
		"fax-answer":            pulses(pulse{[]float64{2100}, 3000}, pulse{nil, 75}),
		"modem-answer":          pulses(pulse{[]float64{2100}, 3000}, pulse{nil, 75}),
		"modem-answer-reversed": reversed(pulses(pulse{[]float64{2100}, 3600})),
		"modem-answer-bell":     pulses(pulse{[]float64{2225}, 3000}),
		"modem-calling":         pulses(pulse{[]float64{1300}, 600}, pulse{nil, 2000}),
		"dial-us":               pulses(pulse{[]float64{350, 440}, 3000}),
		"dial-europe":           pulses(pulse{[]float64{425}, 3000}),
		"busy-us":               pulses(pulse{[]float64{480, 620}, 500}, pulse{nil, 500}),
		"reorder-us":            pulses(pulse{[]float64{480, 620}, 250}, pulse{nil, 250}),
		"busy-europe":           pulses(pulse{[]float64{425}, 500}, pulse{nil, 500}),
		"congestion-europe":     pulses(pulse{[]float64{425}, 250}, pulse{nil, 250}),
		"busy-uk":               pulses(pulse{[]float64{400}, 375}, pulse{nil, 375}),
		"ringback-us":           pulses(pulse{[]float64{440, 480}, 2000}, pulse{nil, 4000}),
		"ringback-europe":       pulses(pulse{[]float64{425}, 1000}, pulse{nil, 4000}),
		"ringback-uk":           pulses(pulse{[]float64{400, 450}, 400}, pulse{nil, 200}, pulse{[]float64{400, 450}, 400}, pulse{nil, 2000}),
		"special-information":   pulses(pulse{[]float64{950}, 330}, pulse{[]float64{1400}, 330}, pulse{[]float64{1800}, 330}, pulse{nil, 1000}),
	}
	for own, x := range controls {
		fired := hear(t, x)
		if fired[own] == 0 {
			t.Errorf("%s doesn't hear its own signal: its silence would prove nothing", own)
		}
		if have, want := slices.Sorted(maps.Keys(fired)), slices.Sorted(maps.Keys(controls)); !slices.Equal(have, want) {
			t.Fatalf("the driver has the detectors %v, and there are signals for %v", have, want)
		}
	}
}

// masked is what the agent hears of ten minutes of keys over a quiet line, and how many flat tones sound in it.
func masked(t *testing.T, shield mask.Shield) (heard []int16, tones int) {
	p, err := path.New(path.Config{Rate: rate, Shield: shield})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.SetGrade(mask.Armed)
	r := rand.New(rand.NewPCG(uint64(shield), 12))
	rms := audio.Amplitude(-58) / math.Sqrt2
	x := make([]int16, rate.Frames(10*time.Minute)+8*path.MaxBlock)
	for i := range x {
		x[i] = int16(math.Round(rms * r.NormFloat64()))
	}
	for at := 8000; at < len(x)-8000; {
		sines, _ := tone.Pair(tone.Keys[r.IntN(16)], -22+16*r.Float64(), 3*r.NormFloat64())
		key := tone.Append(nil, rate, ms(45+150*r.Float64()), ms(1), sines[:]...)
		for i, v := range key {
			x[at+i] += v
		}
		// Minutes of fast keying, of slow, and of both.
		pause := []float64{60, 700, 60 + 640*r.Float64()*r.Float64()}[at/rate.Frames(time.Minute)%3]
		at += len(key) + ms(pause*(0.8+0.4*r.Float64()))
	}
	for in := range slices.Chunk(x, 160) {
		out := make([]int16, len(in))
		p.Write(in)
		p.Read(out)
		heard = append(heard, out...)
		for e, ok := p.Next(); ok; e, ok = p.Next() {
			if e.Slot >= 0 {
				tones++
			}
		}
	}
	if f := p.Stats().Faults; f != 0 {
		t.Fatalf("the path had %d faults", f)
	}
	return heard, tones
}

// hear is how often each detector fired.
func hear(t *testing.T, x []int16) map[string]int {
	t.Helper()
	if _, err := os.Stat(driver); err != nil {
		t.Fatalf("the driver of libspandsp is not built (make hangup builds and runs): %v", err)
	}
	file := filepath.Join(t.TempDir(), "heard.s16")
	raw := make([]byte, 0, 2*len(x))
	for _, v := range x {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(v))
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(driver, file).Output()
	if err != nil {
		t.Fatal(err)
	}
	fired := map[string]int{}
	for line := range bytes.Lines(out) {
		var name string
		var n int
		if _, err := fmt.Sscan(string(line), &name, &n); err != nil {
			t.Fatalf("the driver printed %q: %v", line, err)
		}
		fired[name] = n
	}
	return fired
}

// pulse is a sound of some frequencies, or a pause.
type pulse struct {
	hz []float64
	ms float64
}

// pulses repeats a cadence for 20 s, after half a second of silence.
func pulses(cadence ...pulse) []int16 {
	x := make([]int16, ms(500))
	for len(x) < ms(20_000) {
		for _, p := range cadence {
			sines := make([]tone.Sine, len(p.hz))
			for i, hz := range p.hz {
				sines[i] = tone.Sine{Hz: hz, DBm0: mask.DefaultToneDBm0}
			}
			x = tone.Append(x, rate, ms(p.ms), 0, sines...)
		}
	}
	return x
}

// reversed turns a tone's phase by half a turn every 450 ms, as those do that tell echo cancellers to go.
func reversed(x []int16) []int16 {
	for i := range x {
		if i/ms(450)%2 == 1 {
			x[i] = -x[i]
		}
	}
	return x
}

func ms(n float64) int { return int(n * float64(rate) / 1000) }
