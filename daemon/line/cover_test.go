package line

import (
	"os"
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/daemon/wire"
)

// aloud is a caller whose phone speaks each key, before it is keyed, and after: louder than anything that the box makes. He keys slowly, and speaks himself in the end.
func aloud(keys string) []int16 {
	word := func(out []int16) []int16 {
		out = tone.Append(out, audio.Rate8k, 1600, 80, tone.Sine{Hz: 400, DBm0: -6})
		return append(out, make([]int16, 800)...)
	}
	out := make([]int16, 800)
	for i := range len(keys) {
		pair, _ := tone.Pair(keys[i], -10, 0)
		out = append(tone.Append(word(out), audio.Rate8k, 640, 8, pair[:]...), make([]int16, 640)...)
		out = append(word(out), make([]int16, 12000)...) // longer than a run lasts
	}
	return word(append(out, make([]int16, 3*8000)...))
}

// Of a phone that speaks the keys nothing is heard, from arming to two seconds after the last verdict; and what the caller says then is heard.
func TestATalkingKeypadIsNotHeard(t *testing.T) {
	for _, talking := range []bool{true, false} {
		b := newBox(t, "")
		p := b.cfg.Profiles["number"]
		p.TalkingKeypad = talking
		b.cfg.Profiles["number"] = p
		b.record("caller.wav", aloud(visa))
		d, stop := b.armed()
		hear(d, any[wire.Card])
		hear(d, func(m wire.Call) bool { return m.Edge == "call_ended" })
		if err := stop(); err != nil {
			t.Error(err)
		}
		words := loudWords(t, b.path("agent-heard.wav"))
		if talking && words != 1 || !talking && words < len(visa) {
			t.Errorf("talking %v: %d words are heard", talking, words)
		}
	}
}

// loudWords counts what is as loud as a word of aloud, with more than 50 ms between.
func loudWords(t *testing.T, file string) (n int) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	samples, _, err := wav.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	last := -400
	for i, v := range samples {
		if v > 8000 {
			if i-last >= 400 {
				n++
			}
			last = i
		}
	}
	return n
}

// A line is covered and uncovered by command, tells of it, and tells a flattoned that comes anew.
func TestCoverIsTold(t *testing.T) {
	b := newBox(t, "")
	b.cfg.Lines[0].WAV.Pace = 1
	b.listen()
	stop, _ := b.run()
	d := b.accept()
	hear(d, func(m wire.Call) bool { return m.Edge == "call_began" })
	if answer := d.ask(1, wire.Cover{ID: 1, On: true}); answer != "" {
		t.Errorf("it is answered with %q", answer)
	}
	hear(d, func(m wire.Covered) bool { return m.On })
	d.hangUp()
	d = b.accept()
	hear(d, func(m wire.Covered) bool { return m.On })
	if answer := d.ask(2, wire.Cover{ID: 2}); answer != "" {
		t.Errorf("it is answered with %q", answer)
	}
	hear(d, func(m wire.Covered) bool { return !m.On })
	d.hangUp()
	d = b.accept()
	d.ask(3, wire.Cancel{ID: 3})
	if slices.ContainsFunc(d.kept, func(s said) bool { _, covered := s.m.(wire.Covered); return covered }) {
		t.Error("it is told of a cover that is over")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
