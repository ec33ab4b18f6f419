package path_test

import (
	"fmt"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/tone"
)

// gapped are the events of a key of so many ms, of which a gap of so many ms that begins so long after it never arrives.
func gapped(t *testing.T, key, gapAt, gap int) (keys, unclear int) {
	t.Helper()
	const rate, before = audio.Rate8k, 500
	p := open(t, path.Config{Rate: rate}, mask.Armed)
	pair, _ := tone.Pair('5', -10, 0)
	x := noise(1, ms(rate, before), -55)
	x = tone.Append(x, rate, ms(rate, float64(key)), 8, pair[:]...)
	x = append(x, noise(2, ms(rate, 500), -55)...)
	out := make([]int16, ms(rate, 1))
	for at := 0; at+len(out) <= len(x); at += len(out) {
		if from := ms(rate, float64(before+gapAt)); at >= from && at < from+ms(rate, float64(gap)) {
			p.Lost(len(out))
		} else {
			p.Write(x[at : at+len(out)])
		}
		p.Read(out)
	}
	for e, ok := p.Next(); ok; e, ok = p.Next() {
		switch e.Kind {
		case path.Key:
			keys++
		case path.Unclear:
			unclear++
		}
	}
	return keys, unclear
}

// A gap of more than 20 ms over a key makes it unclear, wherever in the key it is; it is never two keys, and never a clear one.
func TestAGapOverAKeyMakesItUnclear(t *testing.T) {
	for _, key := range []int{60, 100, 250} {
		for _, gap := range []int{25, 30, 60} {
			for at := -gap + 15; at <= key-15; at += 5 {
				keys, unclear := gapped(t, key, at, gap)
				if over := min(key, at+gap) - max(0, at); over == key || over > key-15 {
					continue // nothing to be heard of it
				}
				if keys > 1 || unclear == 0 {
					t.Errorf("a gap of %d ms at %d of a key of %d: %d keys, %d unclear", gap, at, key, keys, unclear)
				}
			}
		}
	}
}

// A shorter one does not, nor one that is away from keys.
func TestAShortGapIsBridged(t *testing.T) {
	for _, c := range []struct{ at, gap int }{{40, 5}, {60, 10}, {50, 15}, {80, 20}, {-200, 60}, {250, 60}, {-100, 30}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			if keys, unclear := gapped(t, 150, c.at, c.gap); keys != 1 || unclear != 0 {
				t.Errorf("%d keys, %d unclear", keys, unclear)
			}
		})
	}
}
