// Package audio holds the few words that everything touching sound shares: a sample [Rate], a [Position]
// on a line's sample clock, and a [Digit] that can be handled but not read by accident.
//
// Samples are 16-bit signed linear PCM, mono, one []int16 a leg. A full-scale sine is +3.14 dBm0
// (ITU-T G.711, table 5), so 0 dBm0 is a sine of amplitude [ZeroDBm0].
//
// The packages below audio do no I/O, start no goroutine, read no clock and, once built, allocate nothing:
// they are the sample path (see audio/path).
package audio

import (
	"fmt"
	"math"
	"time"
)

// Rate is a number of samples a second.
type Rate int

// Rates the sample path is built for.
const (
	Rate8k  Rate = 8000
	Rate16k Rate = 16000
	Rate44k Rate = 44100
	Rate48k Rate = 48000
)

// Supported reports whether the sample path can run at r.
func (r Rate) Supported() bool {
	switch r {
	case Rate8k, Rate16k, Rate44k, Rate48k:
		return true
	}
	return false
}

// TickFrames is the length in frames of one tick: the millisecond, rounded down to whole frames, in
// which the path takes its decisions.
func (r Rate) TickFrames() int { return int(r) / 1000 }

// MostTickFrames is that of the highest rate.
const MostTickFrames = int(Rate48k) / 1000

// Frames converts a duration to whole frames, rounding down.
func (r Rate) Frames(d time.Duration) int { return int(int64(d) * int64(r) / int64(time.Second)) }

// Duration converts a number of frames to time.
func (r Rate) Duration(frames int64) time.Duration {
	return time.Duration(frames/int64(r))*time.Second +
		time.Duration(frames%int64(r))*time.Second/time.Duration(r)
}

func (r Rate) String() string { return fmt.Sprintf("%d Hz", int(r)) }

// Position counts frames on one leg's sample clock, from the first frame the line process captured.
type Position int64

// ZeroDBm0 is the peak amplitude of a 0 dBm0 sine in 16-bit linear PCM (G.711: full scale is +3.14 dBm0).
var ZeroDBm0 = 32767 * math.Pow(10, -3.14/20)

// Amplitude is the peak amplitude of a sine at level dBm0.
func Amplitude(dBm0 float64) float64 { return ZeroDBm0 * math.Pow(10, dBm0/20) }

// DBm0 is the level of a signal whose mean square per sample is power.
// Digital silence is reported as -90.
func DBm0(power float64) float64 {
	if power < 1e-3 {
		return -90
	}
	return max(-90, 10*math.Log10(2*power/(ZeroDBm0*ZeroDBm0)))
}
