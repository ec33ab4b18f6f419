package e2e

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/resample"
	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/vault"
	"github.com/flattone/flattone/demo/box"
	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/hwtest/modem"
	"github.com/flattone/flattone/proof/channels"
)

// modemLine is a line whose caller comes through a modem, to a headset. channel is what lies between the caller and the modem, if anything does.
type modemLine struct {
	soundLine
	kind    modem.Kind
	profile string
	channel channels.Channel
	by      int // the headset runs at so many times 8 kHz
	modem   *modem.Modem
	headset *card.Card
}

// says has the headset say what is at 8 kHz.
func (l *modemLine) says(x []int16) []int16 {
	out := make([]int16, l.by*len(x))
	resample.NewUp(l.by, len(x)).Convert(out, x)
	return out
}

// hears is what the headset was given, at 8 kHz.
func (l *modemLine) hears() []int16 {
	x := l.headset.Heard(1)
	out := make([]int16, len(x)/l.by)
	resample.NewDown(l.by, len(out)).Convert(out, x[:len(out)*l.by])
	return out
}

// TestCallsThroughModems is the main job with callers on mobile telephones and on a telephone line, through every modem that can be simulated, in real time: each
// recorded call on the lines of one box side by side, to headsets that run at a modem's rate or at a multiple.
func TestCallsThroughModems(t *testing.T) {
	coder, err := channels.Open(filepath.Join("..", channels.Program), []channels.Channel{"amr12.2", "amr7.95", "amr12.2-dtx"})
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range append(slices.Clone(cards), noCard) {
		t.Run(call, func(t *testing.T) {
			// Neither a modem's clock nor a recorded caller waits for a busy machine: what it was too late for is not keyed again.
			for range 4 {
				if callThroughModems(t, call, coder) {
					return
				}
			}
			t.Error("a key was unclear each time, or the sound stood still")
		})
	}
}

// callThroughModems is one call through each modem; it isn't done if a key was unclear on one, or its sound stood still.
func callThroughModems(t *testing.T, call string, coder *channels.Coder) (done bool) {
	lines := []*modemLine{
		{kind: modem.Quectel, profile: "quectel-ec25", channel: "amr12.2", by: 6}, {kind: modem.SIMCom, profile: "simcom-sim7600", channel: "amr7.95", by: 1},
		{kind: modem.Huawei, profile: "huawei", channel: "amr12.2-dtx", by: 1}, {kind: modem.V253, profile: "v253", by: 2},
	}
	var sounds []soundLine
	for i, l := range lines {
		l.soundLine = soundLine{call, audio.Rate8k, 80, []int{200, -200}[i%2], fmt.Sprintf("modem%d", i), fmt.Sprintf("headset%d", i)}
		sounds = append(sounds, l.soundLine)
	}
	// Before the call the caller talks, and the agent does all the time: the recorded ones say little before the first key.
	talk := func(who string) []int16 { return readWAV(t, filepath.Join(calls, noCard, who+".wav")) }
	said, before, always := allSaid(t, sounds), talk("caller")[:audio.Rate8k.Frames(leadIn)], slices.Repeat(talk("agent"), 4)
	var specs []card.Spec
	var cfg box.Config
	for i, l := range lines {
		copy(said[i].caller, before)
		said[i].agent = always
		if l.channel != "" {
			var err error
			if said[i].caller, err = coder.Sound(l.channel, said[i].caller); err != nil {
				t.Fatal(err)
			}
		}
		l.modem = modem.New(t, modem.Spec{Kind: l.kind, PPM: -l.ppm, Echo: true, In: said[i].caller})
		specs = append(specs, card.Spec{Name: l.agent, Rate: 8000 * l.by, Patient: true, In: [][]int16{l.says(said[i].agent)}})
		port, sound := l.modem.TTYs()
		at := fmt.Sprintf("profile = %q\nport = %q", l.profile, port)
		if sound != "" {
			at += fmt.Sprintf("\nsound_port = %q", sound)
		}
		cfg.Lines = append(cfg.Lines, box.Line{Name: l.name(), CallerModem: at, Sound: fmt.Sprintf("agent = %q\ndevice_rate_hz = %d\nperiod_frames = %d", l.agent, 8000*l.by, l.period*l.by)})
	}
	for i, headset := range card.New(t, specs...) {
		lines[i].headset = headset
	}
	r := newRig(t, cfg)
	r.accept(t)
	r.start(t)
	for _, l := range lines {
		told, when := 0, time.Now()
		r.until(t, "the modem of "+l.name()+" to be told all that brings it up", func() bool { // some refuse that while they ring
			if now := len(l.modem.Log()); now != told {
				told, when = now, time.Now()
			}
			return told > 2 && time.Since(when) > 500*time.Millisecond
		})
		l.modem.Ring("5550100")
	}
	for _, l := range lines {
		r.until(t, "an answer on "+l.name(), func() bool { return r.client.Answer(t.Context(), l.name()) == nil })
		r.wait(t, "a call on "+l.name(), func(e control.Event) bool { return e.Line == l.name() && e.Code == control.CallBegan })
		if _, err := r.client.Arm(t.Context(), l.name(), ""); err != nil {
			t.Fatal(err)
		}
	}
	tokens := map[string]string{}
	for i, l := range lines {
		if l.talk() {
			done = r.talked(t, l.soundLine, func() bool { return len(l.headset.Heard(1)) >= l.by*len(said[i].caller) })
		} else {
			tokens[l.name()] = r.token(t, l.name())
			done = tokens[l.name()] != ""
		}
		if !done {
			t.Logf("a key is unclear on %s, or its sound stood still", l.name())
			if err := r.Stop(); err != nil {
				t.Error(err)
			}
			return false
		}
	}
	for _, l := range lines {
		l.modem.HangUp()
	}
	for _, l := range lines {
		r.wait(t, "the end of the call on "+l.name(), func(e control.Event) bool { return e.Line == l.name() && e.Code == control.CallEnded })
	}
	if err := r.Stop(); err != nil {
		t.Fatalf("flattoned did not stop in order: %v", err)
	}
	r.vault(t, func(v *vault.Vault, _ *audit.Log) {
		for _, l := range lines {
			if !l.talk() {
				sameCard(t, v, tokens[l.name()], readTruth(t, l.call))
			}
		}
	})
	for i, l := range lines {
		t.Run(l.kind.String(), func(t *testing.T) {
			t.Parallel()
			if blames := l.modem.Blames(); len(blames) > 0 {
				t.Errorf("the modem was told what it can't be: %v", blames)
			}
			heard := l.hears()
			const later = 20 * time.Second // when the modem's call has begun; and before when a caller may say again what he said
			late := intact(t, "toward the agent", said[i].caller[:len(before)], heard[:min(len(heard), audio.Rate8k.Frames(later+10*time.Second))])
			intact(t, "toward the caller", said[i].agent[audio.Rate8k.Frames(later):audio.Rate8k.Frames(later+2*leadIn)], l.modem.Heard())
			if !l.talk() {
				known := l.rate.Frames(30*time.Millisecond) + 2*l.period
				attackSound(t, l.soundLine, said[i].caller, append(make([]int16, known), heard[max(0, late):]...))
			}
		})
	}
	return true
}

// token waits for a line's token, and for the end of the masking; there is none if a key was unclear, or the line is held.
func (r *rig) token(t *testing.T, line string) (token string) {
	t.Helper()
	r.wait(t, "the end of the masking on "+line, func(e control.Event) bool {
		if e.Line == line && e.Kind == control.KindToken {
			token = e.Token
		}
		unclear := e.Kind == control.KindVerdict && e.Code == "unclear_key"
		return e.Line == line && (unclear || e.State == "held" || token != "" && e.Kind == control.KindState && e.State == "idle")
	})
	return token
}

// intact: what was said is heard, block by block, and how much later is answered, in frames at 8 kHz. Clocks differ, so each block is looked for around where
// the last one was, and further off where that one wasn't found: a machine that is busy makes gaps, and what follows one comes at another time. What is to
// the bit is shown in virtual time, by the tests of hw/serial.
func intact(t *testing.T, way string, said, heard []int16) (late int) {
	t.Helper()
	const block = 400
	late = shift(said, heard)
	loud, same, at, last, lost := 0, 0, late, 0, true
	for i := 0; i+block <= len(said); i += block {
		x := said[i : i+block]
		if loudness(x, block)[0] < 100*block || i+at < 0 || i+at+block > len(heard) {
			continue // nothing is said, or nobody listens yet, or any more
		}
		loud++
		width := 16 + (i-last)/1000 // clocks differ by hundreds of ppm while nobody speaks, too
		if lost {
			width = 2 * block
		}
		best, by := 0.0, 0
		for d := -width; d <= width; d++ {
			if from := i + at + d; from >= 0 && from+block <= len(heard) {
				if c := likeness(x, heard[from:from+block]); c > best {
					best, by = c, d
				}
			}
		}
		if lost = best <= 0.9; !lost {
			same++
			at, last = at+by, i
		}
	}
	t.Logf("%s %d of %d blocks of speech come through, %.3f s later", way, same, loud, float64(late)/8000)
	if loud < 10 || 3*same < 2*loud {
		t.Errorf("%s only %d of %d blocks of speech come through", way, same, loud)
	}
	return late
}

// shift is by how many frames y comes later than x: where the loudest two seconds of x are found in y. First their loudness is compared, in steps of a
// millisecond, and then the sound.
func shift(x, y []int16) int {
	const step, long = 8, 2000
	ex, ey := loudness(x, step), loudness(y, step)
	from, most := 0, 0.0
	for i := 0; i+long < len(ex); i += long / 4 {
		all := 0.0
		for _, v := range ex[i : i+long] {
			all += v
		}
		if all > most {
			from, most = i, all
		}
	}
	best, at := math.Inf(-1), 0
	for i := 0; i+long < len(ey); i++ {
		if c := likeness(ex[from:from+long], ey[i:i+long]); c > best {
			best, at = c, i
		}
	}
	return (at - from) * step
}

// loudness is that of each so many frames.
func loudness(x []int16, frames int) (out []float64) {
	for ; len(x) >= frames; x = x[frames:] {
		all := 0.0
		for _, v := range x[:frames] {
			all += math.Abs(float64(v))
		}
		out = append(out, all)
	}
	return out
}

// likeness is how alike two sounds of one length are, whatever their loudness: 1 at most.
func likeness[T int16 | float64](x, y []T) float64 {
	var mx, my, xx, yy, xy float64
	for i, v := range x {
		mx, my = mx+float64(v)/float64(len(x)), my+float64(y[i])/float64(len(x))
	}
	for i, v := range x {
		a, b := float64(v)-mx, float64(y[i])-my
		xx, yy, xy = xx+a*a, yy+b*b, xy+a*b
	}
	return xy / math.Sqrt(max(1, xx)*max(1, yy))
}
