package path_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/tone"
)

// risingKeys is a line with keys that rise slowly, as codecs of mobile networks make them.
func risingKeys(n int, rise float64) []int16 {
	r := rand.New(rand.NewPCG(uint64(rise), 3))
	x := noise(3, 4000*(n+2), -62)
	for i := range n {
		sines, _ := tone.Pair(tone.Keys[r.IntN(16)], -22+16*r.Float64(), -4+8*r.Float64())
		for k, v := range tone.Append(nil, audio.Rate8k, 800, 0, sines[:]...) {
			gain := 0.5 - 0.5*math.Cos(math.Pi*min(1, float64(k+1)/(8*rise)))
			x[4000*(i+1)+k] += int16(gain * float64(v))
		}
	}
	return x
}

// A key tells how much look-ahead it left: an abrupt one more than 3 ms, whatever the look-ahead; a slow one too little with the
// shortest look-ahead, and enough with the usual one.
func TestMargin(t *testing.T) {
	for _, test := range []struct {
		lookAhead time.Duration
		rise      float64 // ms
		short     bool
	}{
		{shortest, 0, false},
		{usual, 0, false},
		{shortest, 20, true},
		{shortest, 40, true},
		{usual, 20, false},
		{usual, 40, false},
	} {
		t.Run(fmt.Sprintf("%v/rise %g ms", test.lookAhead, test.rise), func(t *testing.T) {
			const n = 50
			p := open(t, path.Config{Rate: audio.Rate8k, LookAhead: test.lookAhead}, mask.Armed)
			_, events := flow(p, risingKeys(n, test.rise), 160)
			keys, short := 0, 0
			for _, e := range events {
				if e.Kind == path.Key {
					keys++
					if e.Margin < ms(audio.Rate8k, 3) {
						short++
					}
				}
			}
			t.Logf("%d of %d keys with less than 3 ms", short, keys)
			if keys != n || test.short != (short > n/5) || !test.short && short > 1 {
				t.Errorf("%d keys of %d, %d with less than 3 ms", keys, n, short)
			}
		})
	}
}

// A key that comes when its beginning has left already says so.
func TestMarginOfAHeadThatLeaked(t *testing.T) {
	p := open(t, path.Config{Rate: audio.Rate8k, LookAhead: shortest}, mask.Armed)
	x := noise(1, 8000, -62)
	press(x, audio.Rate8k, '8', 4000, 800, -20, 0)
	hiss := noise(2, 160, -18) // over its first 20 ms
	for i, v := range hiss {
		x[4000+i] += v
	}
	_, events := flow(p, x, 160)
	if len(events) == 0 || events[0].Kind != path.Key {
		t.Fatal("no key")
	}
	t.Logf("%d frames", events[0].Margin)
	if events[0].Margin >= 0 {
		t.Errorf("a key that was suspected 20 ms late has a margin of %d frames", events[0].Margin)
	}
}
