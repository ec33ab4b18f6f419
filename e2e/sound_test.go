package e2e

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/adversary"
	"github.com/flattone/flattone/audio/detect"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/vault"
	"github.com/flattone/flattone/demo/box"
	"github.com/flattone/flattone/hw/hwtest/card"
)

// leadIn is for how long nobody says anything: time to arm the line, however busy the machine is.
const leadIn = 5 * time.Second

// TestCallsThroughSoundCards is the main job again, in real time through PortAudio and cards: on one clock and on two, the agent hears no key, and the
// vault has the caller's card.
func TestCallsThroughSoundCards(t *testing.T) {
	one := `caller = "both"
agent = "both"
agent_channel = 2`
	two := `caller = "trunk"
agent = "headset"`
	for name, c := range map[string]struct {
		call  string
		rate  audio.Rate
		sound string
		ppm   int // of the agent's clock
	}{
		"one clock at 44.1 kHz": {"visa", audio.Rate44k, one, 0},
		"two clocks at 8 kHz":   {"amex-corrected", audio.Rate8k, two, 200},
		"two clocks at 48 kHz":  {"visa", audio.Rate48k, two, -200},
	} {
		t.Run(name, func(t *testing.T) {
			want := readTruth(t, c.call)
			said := func(who string) []int16 {
				quiet := make([]int16, audio.Rate8k.Frames(leadIn))
				x := append(quiet, readWAV(t, filepath.Join(calls, c.call, who+".wav"))...)
				if c.rate == audio.Rate8k {
					return x
				}
				return stretched(x, 8000/float64(c.rate))
			}
			caller, agent := said("caller"), said("agent")
			spec := card.Spec{Rate: int(c.rate), Patient: c.sound == one} // a clock that is alone can wait for a busy machine
			var heard func() []int16
			if c.sound == one {
				spec.Name, spec.Channels, spec.In = "both", 2, [][]int16{caller, agent}
				cards := card.New(t, spec)
				heard = func() []int16 { return cards[0].Heard(2) }
			} else {
				trunk, headset := spec, spec
				trunk.Name, trunk.In = "trunk", [][]int16{caller}
				headset.Name, headset.In, headset.PPM = "headset", [][]int16{agent}, c.ppm
				cards := card.New(t, trunk, headset)
				heard = func() []int16 { return cards[1].Heard(1) }
			}
			r := newRig(t, box.Config{Lines: []box.Line{{Name: "one", Sound: c.sound, Options: fmt.Sprintf("rate_hz = %d", int(c.rate))}}})
			r.start(t)
			r.wait(t, "the line", func(e control.Event) bool { return e.Line == "one" && e.Code == control.CallPresumed })
			if _, err := r.client.Arm(t.Context(), "one", ""); err != nil {
				t.Fatal(err)
			}
			told := r.wait(t, "the token", kind("one", control.KindToken))
			r.waitFrom(t, r.heardSoFar(), "the end of the masking", func(e control.Event) bool { return e.Kind == control.KindState && e.State == "idle" })
			if err := r.Stop(); err != nil {
				t.Fatalf("flattoned did not stop in order: %v", err)
			}
			r.vault(t, func(v *vault.Vault, _ *audit.Log) { sameCard(t, v, told.Token, want) })
			attacked := adversary.Case{Rate: c.rate, In: caller, Out: heard(), DelayFrames: c.rate.Frames(30*time.Millisecond) + 2*128,
				FlatTone: adversary.OurFlatTone()} // through the look-ahead, and a period on either side
			if c.sound == two { // the output is the input nowhere, and the attacker, who knows his clock, goes by the keys' times alone
				attacked.In, attacked.DelayFrames = nil, adversary.FindDelay
				attacked.Out = stretched(attacked.Out, 1+float64(c.ppm)*1e-6)
			}
			for _, k := range want.Keys {
				at := func(frame int) audio.Position {
					return audio.Position(c.rate.Frames(leadIn + audio.Rate8k.Duration(int64(frame))))
				}
				d, _ := audio.NewDigit(k.Digit[0])
				attacked.Keys = append(attacked.Keys, adversary.Key{Symbol: d, Start: at(k.Start), End: at(k.End)})
			}
			report, err := adversary.Judge(attacked)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d keys, %d readable, %d frames later", report.Keys, report.Readable, report.DelayFrames)
			for i, row := range report.Rows {
				if row.Readable {
					t.Logf("key %d at %d: %.1f nats by %.1f ms, right: %v, %d ms leaked", i, row.Start, row.LogRatio, row.WindowMS, row.Correct, row.LeakedMS)
				}
			}
			// Gaps of a busy machine bend the flat tones where clocks differ, and the templates' threshold isn't for such: there only their guesses count.
			if report.Keys != len(want.Keys) || report.Guessed() || c.sound == one && report.Leaks() {
				t.Errorf("%d of %d keys are readable in what the agent heard, and %d are guessed", report.Readable, report.Keys, report.Correct)
			}
			if n := suspicious(t, attacked.Out, c.rate); n > 0 {
				t.Errorf("%d ms of what the agent heard may be a key", n)
			}
		})
	}
}

// TestACardIsPulledOut: the line's process leaves, comes back once the card does, and is held if a card was being keyed; the other line doesn't notice, and
// the log isn't flooded by what PortAudio writes meanwhile. The other line's agent hums, louder for its gain, and its caller's input is dead, as it says.
func TestACardIsPulledOut(t *testing.T) {
	hum := tone.Append(nil, audio.Rate8k, 8*8000, 80, tone.Sine{Hz: 150, DBm0: -30})
	made := card.New(t, card.Spec{Name: "trunk", Rate: 8000}, card.Spec{Name: "headset", Rate: 8000, Mixer: []card.Control{card.Switch("Sidetone Playback Switch", 0)}},
		card.Spec{Name: "other", Rate: 8000, Channels: 2, In: [][]int16{nil, hum}})
	r := newRig(t, box.Config{Lines: []box.Line{
		{Name: "one", Sound: "caller = \"trunk\"\nagent = \"headset\""},
		{Name: "two", Sound: "caller = \"other\"\nagent = \"other\"\nagent_channel = 2\ngain_to_caller_db = 6"},
	}})
	r.start(t)
	for _, line := range []string{"one", "two"} {
		r.wait(t, line, func(e control.Event) bool { return e.Line == line && e.Code == control.CallPresumed })
	}
	for _, line := range []string{"one", "two"} {
		if _, err := r.client.Arm(t.Context(), line, ""); err != nil {
			t.Fatal(err)
		}
		r.wait(t, line+" armed", func(e control.Event) bool { return e.Line == line && e.State == "armed" })
	}
	before := r.heardSoFar()
	made[1].Unplug()
	r.waitFrom(t, before, "the line's end", kind("one", control.KindLineDown))
	time.Sleep(3 * time.Second) // as long as a cable is out
	gone := r.heardSoFar()
	made[1].Plug()
	r.waitFrom(t, gone, "the line again", kind("one", control.KindLineUp))
	r.waitFrom(t, gone, "its mark", func(e control.Event) bool {
		return e.Line == "one" && e.State == "held" && e.Reason == "line_restarted"
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := r.client.Acknowledge(ctx, "one"); err != nil {
		t.Fatal(err)
	}
	r.waitFrom(t, gone, "the line's release", func(e control.Event) bool { return e.Line == "one" && e.State == "idle" })
	r.wait(t, "word of the dead input", func(e control.Event) bool {
		return e.Line == "two" && e.Kind == control.KindInput && e.Leg == control.LegCaller && e.Code == "input_dead"
	})
	if heard, want := float64(slices.Max(made[2].Heard(1))), audio.Amplitude(-24); heard < 0.97*want || heard > 1.03*want {
		t.Errorf("the other line's caller hears a hum of %.0f at its peak, want %.0f", heard, want)
	}
	r.mu.Lock()
	for _, e := range r.events[before:] {
		if e.Line == "two" && (e.Kind == control.KindState || e.Kind == control.KindLineDown) {
			t.Errorf("the other line says %s %s %s", e.Kind, e.State, e.Reason)
		}
	}
	r.mu.Unlock()
	log, err := os.ReadFile(r.Log())
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(log, []byte("\n")); lines > 300 {
		t.Errorf("the log has %d lines", lines)
	}
}

// suspicious is how many milliseconds our own detector would take for a key's.
func suspicious(t *testing.T, x []int16, rate audio.Rate) (ms int) {
	d, err := detect.New(rate)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var v detect.Verdict
	for tick := rate.TickFrames(); len(x) >= tick; x = x[tick:] {
		if d.Tick(x[:tick], &v); v.Strict || v.Held {
			ms++
		}
	}
	return ms
}

// stretched is sound at another rate, so many frames of it for each frame given out: a sum of the 32 around.
func stretched(x []int16, step float64) []int16 {
	out := make([]int16, int(float64(len(x))/step))
	const half = 16
	for i := range out {
		at := float64(i) * step
		first := int(at)
		var v float64
		for k := max(0, first-half+1); k <= min(len(x)-1, first+half); k++ {
			d := at - float64(k)
			v += float64(x[k]) * sinc(d) * (0.5 + 0.5*math.Cos(math.Pi*d/(half+1)))
		}
		out[i] = int16(math.RoundToEven(min(max(v, math.MinInt16), math.MaxInt16)))
	}
	return out
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}
