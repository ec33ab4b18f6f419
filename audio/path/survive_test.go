package path

import (
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
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
