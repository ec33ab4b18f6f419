package jack_test

import (
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/hw/hwtest/jack"
)

// A server runs, is faster when told so, and can be killed and started anew.
func TestServer(t *testing.T) {
	s := jack.New(t, jack.Spec{Rate: 48000, PeriodFrames: 128, Devices: []jack.Device{{Name: "trunk"}, {Name: "headset"}}})
	grown := func(frames int) {
		t.Helper()
		from := s.Frames("trunk")
		for deadline := time.Now().Add(30 * time.Second); s.Frames("trunk") < from+frames; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the server stands still")
			}
		}
	}
	grown(4800)
	s.Freewheel()
	grown(48000 * 60)
	s.Freewheel()
	grown(4800)
	s.Kill()
	s.Start()
	grown(4800)
	if slices.ContainsFunc(s.Heard("headset"), func(v int16) bool { return v != 0 }) {
		t.Error("a device heard something that nobody played")
	}
}
