// Package tone makes the tones of a telephone line: the sixteen DTMF signals of ITU-T Q.23, and single tones
// such as the flat tone that stands in for a keyed digit.
//
// [Rows], [Cols] and [Keys] are the one table of DTMF in flattone; detector, attacker and pictures read it.
// Levels are in dBm0 per sine, see [audio.Amplitude]. Tones are made before the sample path runs, never on it. No
// error or text of this package names a key.
package tone

import (
	"math"
	"strings"

	"github.com/flattone/flattone/audio"
)

// Rows and Cols are the low and the high group of frequencies in Hz (Q.23, table 1). Read only.
var (
	Rows = [4]float64{697, 770, 852, 941}
	Cols = [4]float64{1209, 1336, 1477, 1633}
)

// Keys are the sixteen keys as they lie on the pad: Keys[4*row+col] sounds Rows[row] and Cols[col].
const Keys = "123A456B789C*0#D"

// Sine is one component of a tone.
type Sine struct {
	Hz float64
	// DBm0 is the level of this sine alone.
	DBm0 float64
}

// Pair is the DTMF signal of key: its row at rowDBm0, and its column twistDB above it (below it if negative).
// It reports false if key is none of the sixteen.
func Pair(key byte, rowDBm0, twistDB float64) ([2]Sine, bool) {
	i := strings.IndexByte(Keys, key)
	if i < 0 {
		return [2]Sine{}, false
	}
	return [2]Sine{{Rows[i/4], rowDBm0}, {Cols[i%4], rowDBm0 + twistDB}}, true
}

// Append appends a tone of the given length to dst and returns the longer slice. The sines start at phase
// zero. The tone rises over its first edgeFrames and falls over its last by half a raised cosine; edges
// longer than half the tone are cut to half. Sums beyond 16 bits clip, as they would in a codec.
func Append(dst []int16, rate audio.Rate, frames, edgeFrames int, sines ...Sine) []int16 {
	edgeFrames = min(edgeFrames, frames/2)
	for i := range frames {
		sum := 0.0
		for _, s := range sines {
			sum += audio.Amplitude(s.DBm0) * math.Sin(2*math.Pi*s.Hz*float64(i)/float64(rate))
		}
		dst = append(dst, clip(sum*edge(i, frames, edgeFrames)))
	}
	return dst
}

// edge is the gain at frame i of a tone: a raised cosine at both ends, symmetrical about the middle.
func edge(i, frames, edgeFrames int) float64 {
	i = min(i, frames-1-i)
	if i >= edgeFrames {
		return 1
	}
	return 0.5 - 0.5*math.Cos(math.Pi*(float64(i)+0.5)/float64(edgeFrames))
}

func clip(v float64) int16 {
	return int16(max(math.MinInt16, min(math.MaxInt16, math.RoundToEven(v))))
}
