package mask

import (
	"math"
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// A sample of the fill is a function of its position: a tick of 48 kHz has the same as the six of 8 kHz in its place.
func TestFillDependsOnPosition(t *testing.T) {
	var f fill
	f.start()
	whole, parts := make([]int16, 48), make([]int16, 48)
	for at := int64(0); at < 2*hissFrames; at += 48 {
		f.replace(theHiss(), whole, at)
		for i := 0; i < 48; i += 8 {
			f.replace(theHiss(), parts[i:i+8], at+int64(i))
		}
		if !slices.Equal(whole, parts) {
			t.Fatalf("the fill at %d depends on how it is cut", at)
		}
	}
}

// Clipped frames count, and a soft block is the floor, where none of the three blocks before and after has anything masked: of a key, and of what may
// belong to one, neither is told.
func TestWhatIsToldOfLevelsIsAwayFromMasks(t *testing.T) {
	const frames, at, many = 800, 20, 40
	loud, soft := slices.Repeat([]int16{math.MaxInt16}, 8), make([]int16, 8)
	usual := slices.Repeat([]int16{1000, -1000}, 4)
	for masked := range many {
		var clipped, quiet fill
		clipped.start()
		quiet.start()
		for n := range many {
			for range frames / 8 {
				for f, special := range map[*fill][]int16{&clipped: loud, &quiet: soft} {
					switch n {
					case masked:
						f.masked += 8
					case at:
						f.learn(special)
					default:
						f.learn(usual)
					}
				}
			}
			clipped.whole(int64(n), frames)
			quiet.whole(int64(n), frames)
		}
		told := clipped.total > 0 && quiet.floor.Lowest() == 0
		hidden := clipped.total == 0 && quiet.floor.Lowest() == 1e6
		if near := masked >= at-away && masked <= at+away; near && !hidden || !near && !told {
			t.Errorf("with a mask %d blocks on, %d frames count and the floor is %.0f", masked-at, clipped.total, quiet.floor.Lowest())
		}
	}
}

// The flat tone doesn't click: it begins and ends at zero, and what lies further than 400 Hz from its frequency is 55 dB below what
// is near, as its edges of 5 ms make it. Of a tone that is cut hard it is 24 dB.
func TestFlatToneDoesNotClick(t *testing.T) {
	for _, rate := range []audio.Rate{audio.Rate8k, audio.Rate16k, audio.Rate44k, audio.Rate48k} {
		tick := rate.TickFrames()
		soft := flatTone(rate, tone.Sine{Hz: DefaultToneHz, DBm0: DefaultToneDBm0})
		hard := tone.Append(nil, rate, toneTicks*tick, 0, tone.Sine{Hz: DefaultToneHz, DBm0: DefaultToneDBm0})
		if first, last := soft[0], soft[len(soft)-1]; first != 0 || last != 0 {
			t.Errorf("%v: it begins at %d and ends at %d", rate, first, last)
		}
		if s, h := splatter(rate, soft), splatter(rate, hard); s > -55 || h < -26 {
			t.Errorf("%v: %.1f dB lie away from its frequency; of one cut hard, %.1f", rate, s, h)
		}
	}
}

// splatter is the energy of a tone further than 400 Hz from its frequency, in dB over what is nearer.
func splatter(rate audio.Rate, x []int16) float64 {
	var near, far float64
	for hz := 5.0; hz < 4000; hz += 10 {
		var c, s float64
		for i, v := range x {
			sin, cos := math.Sincos(2 * math.Pi * hz * float64(i) / float64(rate))
			c += float64(v) * cos
			s += float64(v) * sin
		}
		if math.Abs(hz-DefaultToneHz) < 400 {
			near += c*c + s*s
		} else {
			far += c*c + s*s
		}
	}
	return 10 * math.Log10(far/near)
}
