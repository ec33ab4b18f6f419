package path_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
)

// The recorded calls give exactly the keys that were pressed, and none of them is left in what comes out.
func TestRecordedCalls(t *testing.T) {
	for _, name := range []string{"visa", "amex-corrected"} {
		c := loadCall(t, name)
		for _, lookAhead := range []time.Duration{shortest, usual} {
			for _, grade := range []mask.Grade{mask.Idle, mask.Armed} {
				for _, shield := range []mask.Shield{mask.Keys, mask.Run} {
					t.Run(fmt.Sprintf("%s/%v/%v/%v", name, lookAhead, grade, shield), func(t *testing.T) {
						p := open(t, path.Config{Rate: audio.Rate8k, LookAhead: lookAhead, Shield: shield}, grade)
						out, events := flow(p, c.samples, 160)
						checkKeys(t, c.keys, events)
						for i, k := range c.keys {
							if n := leaked(c.samples, out, audio.Rate8k, p.Delay(), k.Start, k.End); n > 0 {
								t.Errorf("key %d: %d frames came through", i, n)
							}
							// The mask's own sound correlates with a tone by chance, up to about 3 %.
							if g := residue(c.samples, out, p.Delay(), k.Start, k.End); g > 0.05 {
								t.Errorf("key %d: %.1f %% of its amplitude is left", i, 100*g)
							}
						}
						if f := p.Stats().Faults; f != 0 {
							t.Errorf("%d faults", f)
						}
					})
				}
			}
		}
	}
}

// checkKeys compares without ever printing a key.
func checkKeys(t *testing.T, want []keyed, events []path.Event) {
	t.Helper()
	keys := slices.DeleteFunc(slices.Clone(events), func(e path.Event) bool { return e.Kind != path.Key })
	ends := slices.DeleteFunc(slices.Clone(events), func(e path.Event) bool { return e.Kind != path.KeyEnd })
	if len(keys) != len(want) || len(ends) != len(want) || len(events) != 2*len(want) {
		t.Fatalf("%d keys, %d ends of %d pressed; %d events", len(keys), len(ends), len(want), len(events))
	}
	const near = 40 // 5 ms
	for i, k := range want {
		if keys[i].Digit.Reveal() != k.Digit[0] {
			t.Fatalf("key %d differs", i)
		}
		start, end := int(keys[i].Start)-k.Start, int(ends[i].End)-k.End
		if start < -near || start > near || end < -near || end > near {
			t.Errorf("key %d: start %+d frames off, end %+d", i, start, end)
		}
		if late := int(keys[i].Decided) - k.Start; late > 400 {
			t.Errorf("key %d was decided after %d frames", i, late)
		}
		if i > 0 && keys[i].Slot < keys[i-1].Slot+800 {
			t.Errorf("key %d shares a slot with the key before", i)
		}
		if after := int(keys[i].Slot) - k.Start; keys[i].Slot%800 != 0 || after < 400 {
			t.Errorf("key %d: its slot is %d frames after its onset, at %d", i, after, keys[i].Slot)
		}
	}
}

// Speech comes through bit for bit on an idle line; on an armed one it makes no key and loses next to nothing.
func TestSpeechAlone(t *testing.T) {
	c := loadCall(t, "no-card-just-talk")
	for _, lookAhead := range []time.Duration{shortest, usual} {
		p := open(t, path.Config{Rate: audio.Rate8k, LookAhead: lookAhead}, mask.Idle)
		out, events := flow(p, c.samples, 160)
		if !slices.Equal(out[p.Delay():], c.samples) {
			t.Errorf("look-ahead %v: an idle line changed speech", lookAhead)
		}
		if len(events) != 0 || p.Stats().MaskedFrames != 0 {
			t.Errorf("look-ahead %v: %d events, %d frames masked on an idle line", lookAhead, len(events), p.Stats().MaskedFrames)
		}

		p = open(t, path.Config{Rate: audio.Rate8k, LookAhead: lookAhead}, mask.Armed)
		_, events = flow(p, c.samples, 160)
		s := p.Stats()
		if len(events) != 0 || s.MaskedFrames*100 > s.Frames {
			t.Errorf("look-ahead %v: %d events, %d of %d frames masked on an armed line", lookAhead, len(events), s.MaskedFrames, s.Frames)
		}
		if at := p.LastSpeech(); at < audio.Position(len(c.samples)/2) {
			t.Errorf("the last speech was heard at %d of %d", at, len(c.samples))
		}
	}
}
