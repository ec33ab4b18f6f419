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
