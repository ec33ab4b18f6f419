package audio_test

import (
	"math"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"pgregory.net/rapid"
)

func TestRateConvertsBothWays(t *testing.T) {
	for _, r := range []audio.Rate{audio.Rate8k, audio.Rate16k, audio.Rate44k, audio.Rate48k} {
		if !r.Supported() {
			t.Errorf("%v is not supported", r)
		}
		if got := r.Frames(30 * time.Millisecond); got != int(r)*30/1000 {
			t.Errorf("%v: 30 ms = %d frames", r, got)
		}
		rapid.Check(t, func(t *rapid.T) {
			frames := rapid.Int64Range(0, 1<<40).Draw(t, "frames")
			back := int64(r.Frames(r.Duration(frames)%time.Hour)) + int64(r.Duration(frames)/time.Hour)*3600*int64(r)
			if d := frames - back; d < 0 || d > 1 {
				t.Fatalf("%v: %d frames came back as %d", r, frames, back)
			}
		})
	}
	if audio.Rate(11025).Supported() {
		t.Error("11025 Hz is supported")
	}
	if got := audio.Rate44k.TickFrames(); got != 44 {
		t.Errorf("a tick at 44.1 kHz is %d frames, want 44", got)
	}
}

func TestLevels(t *testing.T) {
	for _, level := range []float64{0, -10, -22, -62} {
		a := audio.Amplitude(level)
		if got := audio.DBm0(a * a / 2); math.Abs(got-level) > 1e-9 {
			t.Errorf("a sine at %g dBm0 measures %g", level, got)
		}
	}
	if got := audio.DBm0(0); got != -90 {
		t.Errorf("silence measures %g", got)
	}
	// ITU-T G.711: a full-scale sine is +3.14 dBm0.
	if got := audio.DBm0(32767.0 * 32767 / 2); math.Abs(got-3.14) > 1e-9 {
		t.Errorf("full scale measures %g dBm0", got)
	}
}
