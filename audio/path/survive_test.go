package path

import (
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/tone"
)

// If the detector or the masker breaks, the path outlives it: nothing more comes through, and it tells.
func TestSurvivesItsParts(t *testing.T) {
	for name, wreck := range map[string]func(*Path) error{
		"detector": func(p *Path) error { return p.detect.Close() },
		"masker":   func(p *Path) error { return p.mask.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			p, err := New(Config{Rate: audio.Rate8k})
			if err != nil {
				t.Fatal(err)
			}
			p.SetGrade(mask.Idle)
			in, out := make([]int16, 800), make([]int16, 800)
			for i := range in {
				in[i] = int16(1000 + i)
			}
			p.Write(in)
			p.Read(out)
			if out[799] != in[799-p.Delay()] {
				t.Fatal("a sound path doesn't let speech through")
			}
			if err := wreck(p); err != nil { // its state is gone: the next tick dereferences nil
				t.Fatal(err)
			}
			p.Write(in)
			p.Read(out)
			// One tick had been released before the break, and not been read yet.
			for i, v := range out {
				if i >= p.tick && v != 0 {
					t.Fatalf("a broken path let frame %d through", i)
				}
			}
			if !p.Broken() || p.Stats().Faults == 0 || p.Grade() != mask.Closed {
				t.Errorf("a broken path tells broken %v, %d faults, grade %v", p.Broken(), p.Stats().Faults, p.Grade())
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// If what listens to the agent breaks, the agent is still heard, and the path tells, for keys of his could now be captured.
func TestAgentSurvivesItsParts(t *testing.T) {
	p, err := New(Config{Rate: audio.Rate8k})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	a, err := NewAgent(p)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	p.SetGrade(mask.Armed)
	if err := a.detect.Close(); err != nil {
		t.Fatal(err)
	}
	x := make([]int16, 160)
	for i := range x {
		x[i] = int16(i)
	}
	a.Pass(x)
	a.Pass(x)
	for i, v := range x {
		if v != int16(i) {
			t.Fatalf("frame %d was changed", i)
		}
	}
	if !p.Broken() || p.Stats().Faults != 1 {
		t.Errorf("it tells broken %v, %d faults", p.Broken(), p.Stats().Faults)
	}
}

// Where the owner chose so, a path that breaks while idle is a wire, with the same delay; until more is asked for, and then never again. One that was
// armed, or whose tail of that wasn't over, is silent for good.
func TestABrokenPathIsAWire(t *testing.T) {
	for name, c := range map[string]struct {
		cfg     Config
		grades  []mask.Grade // asked for, a second each, before it breaks
		through bool
	}{
		"idle":          {Config{Wire: true}, []mask.Grade{mask.Idle}, true},
		"idle, as pass": {Config{Wire: true, Idle: mask.Pass}, []mask.Grade{mask.Idle}, true},
		"pass":          {Config{Wire: true}, []mask.Grade{mask.Pass}, true},
		"mute":          {Config{}, []mask.Grade{mask.Idle}, false},
		"armed":         {Config{Wire: true}, []mask.Grade{mask.Armed}, false},
		"its tail":      {Config{Wire: true}, []mask.Grade{mask.Armed, mask.Idle}, false},
		"closed":        {Config{Wire: true}, []mask.Grade{mask.Closed}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.cfg.Rate = audio.Rate8k
			p, err := New(c.cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			second := func() (in, out []int16) {
				in, out = make([]int16, 8000), make([]int16, 8000)
				for i := range in {
					in[i] = int16(i%4000 + 1)
					if i%80 == 79 {
						p.Write(in[i-79 : i+1])
						p.Read(out[i-79 : i+1])
					}
				}
				return in, out
			}
			for _, g := range c.grades {
				p.SetGrade(g)
				if second(); name == "its tail" && g == mask.Armed {
					pair, _ := tone.Pair('5', -10, 0)
					p.Write(tone.Append(nil, audio.Rate8k, 800, 8, pair[:]...))
					p.Read(make([]int16, 800))
				}
			}
			if err := p.mask.Close(); err != nil {
				t.Fatal(err)
			}
			second()
			check := func(through bool) {
				t.Helper()
				in, out := second()
				if through && !slices.Equal(out[p.delay:], in[:len(in)-p.delay]) || !through && slices.ContainsFunc(out[p.delay:], func(v int16) bool { return v != 0 }) {
					t.Errorf("through is not %v", through)
				}
				if g := p.Grade(); g != map[bool]mask.Grade{true: mask.Pass, false: mask.Closed}[through] {
					t.Errorf("it tells grade %v", g)
				}
			}
			check(c.through)
			if c.through {
				covered(t, p)
				check(true)
			}
			p.SetGrade(mask.Armed)
			check(false)
			p.SetGrade(mask.Idle)
			check(false)
			if !p.Broken() || p.Stats().Faults != 1 {
				t.Errorf("it tells broken %v, %d faults", p.Broken(), p.Stats().Faults)
			}
		})
	}
}

// covered covers a wire: nothing comes through of what is held by then, and nothing of what came in until it isn't any more.
func covered(t *testing.T, p *Path) {
	t.Helper()
	in, out := make([]int16, 400), make([]int16, 400)
	for i := range in {
		in[i] = int16(i + 1)
	}
	for _, on := range []bool{true, true, false} {
		p.Cover(on)
		p.Write(in[:203])
		p.Read(out[:203])
		end := 203
		if !on {
			end = p.delay
		}
		if i := slices.IndexFunc(out[p.tick:min(end, 203)], func(v int16) bool { return v != 0 }); i >= 0 {
			t.Errorf("frame %d comes through", i)
		}
	}
}
