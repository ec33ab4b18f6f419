package e2e

import (
	"path/filepath"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/daemon/control"
)

// TestACoveredCallersCardIsTaken: while the caller is covered a card is taken as ever, through the real processes, and nothing of what he says reaches the agent. It ends with
// the call.
func TestACoveredCallersCardIsTaken(t *testing.T) {
	t.Parallel()
	r := newRig(t, oneLine("visa"))
	r.start(t)
	r.wait(t, "the call", func(e control.Event) bool { return e.Code == control.CallBegan })
	if err := r.current().Cover(t.Context(), "one", true); err != nil {
		t.Fatal(err)
	}
	r.wait(t, "the cover", func(e control.Event) bool { return e.Kind == control.KindCover && e.On })
	r.arm(t, "one")
	r.wait(t, "the token", kind("one", control.KindToken))
	r.wait(t, "the end of the call", func(e control.Event) bool { return e.Code == control.CallEnded })
	r.wait(t, "the cover's end", func(e control.Event) bool { return e.Kind == control.KindCover && !e.On })
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	said, heard := readWAV(t, filepath.Join(calls, "visa", "caller.wav")), readWAV(t, r.Heard("one"))
	same := 0
	for i, v := range said {
		if i+delayFrames < len(heard) && v == heard[i+delayFrames] && v != 0 {
			if same++; same == int(audio.Rate8k)/1000 {
				t.Fatalf("a millisecond of the caller comes through, of which frame %d is the last", i)
			}
		} else {
			same = 0
		}
	}
}
