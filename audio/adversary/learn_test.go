package adversary

import (
	"math"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

func learn(t *testing.T, c ...Case) (trained, edges Attacker) {
	t.Helper()
	a, err := Learn(c...)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", a)
	return a[0], a[1]
}

// symbolOf is a key's place in tone.Keys.
func symbolOf(k Key) int {
	s, _ := symbolsOf([]Key{k})
	return s[0]
}

// maskedTo replaces each key whole, from before to after milliseconds around it, by fill.
func (s *scene) maskedTo(before, after int) {
	ms := s.rate.TickFrames()
	for _, k := range s.keys {
		s.fill(int(k.Start)-before*ms, int(k.End)+after*ms)
	}
}

// Negative control: what is left after a complete mask teaches nothing.
func TestNothingIsLearntOfACompleteMask(t *testing.T) {
	t.Parallel()
	for _, alphabet := range []string{digits, tone.Keys} {
		s := newScene(21, rate8k, 600, alphabet, -10, -60)
		s.mask()
		trained, edges := learn(t, s.on())
		for _, a := range []Attacker{trained, edges} {
			if a.Leaks() || a.ByChance < 0.02 || a.Bits > 2*a.Resolution || a.Interval[0] > 1/float64(len(alphabet)) {
				t.Errorf("%d symbols: %+v", len(alphabet), a)
			}
		}
	}
}

// Positive control: without a mask the trained attacker reads nearly all, and the edges tell nothing.
func TestUnmaskedKeysAreLearnt(t *testing.T) {
	t.Parallel()
	s := newScene(22, rate8k, 300, digits, -10, -60)
	trained, edges := learn(t, s.on())
	if trained.Accuracy < 0.97 || trained.Bits < 3 || !trained.Leaks() {
		t.Errorf("trained: %+v", trained)
	}
	if edges.Leaks() {
		t.Errorf("edges: %+v", edges)
	}
}

// Positive controls: leaks that templates miss are found by who learns, and by who looks in the right place.
func TestWeakLeaksAreLearnt(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		keys  int
		edges bool // who finds it
		plant func(s *scene, k Key, symbol int)
	}{
		{"tones 40 dB below the fill", 4000, false, func(s *scene, k Key, symbol int) {
			a := audio.Amplitude(fillDBm0 - 40)
			for _, hz := range []float64{tone.Rows[symbol/4], tone.Cols[symbol%4]} {
				for i := range int(k.End - k.Start) {
					s.out[int(k.Start)+s.delay+i] += a * math.Sin(2*math.Pi*hz*float64(i)/8000)
				}
			}
		}},
		{"a fill whose colour goes with the digit, by half a dB", 500, false, func(s *scene, k Key, symbol int) {
			x := s.out[int(k.Start)+s.delay : int(k.End)+s.delay]
			for i := len(x) - 1; i > 0; i-- {
				x[i] += 0.01 * float64(symbol) * x[i-1]
			}
		}},
		{"an edge that begins a millisecond later for half the digits", 500, true, func(s *scene, k Key, symbol int) {
			if symbol%2 == 1 {
				at := int(k.Start) - 10*8
				copy(s.out[at+s.delay:at+s.delay+8], s.in[at:])
			}
		}},
		{"an end that comes a millisecond later for one row", 500, true, func(s *scene, k Key, symbol int) {
			if symbol/4 == 0 {
				at := int(k.End) + 15*8 - 8
				copy(s.out[at+s.delay:at+s.delay+8], s.in[at:])
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(24, rate8k, row.keys, digits, -10, -60)
			s.maskedTo(10, 15)
			for _, k := range s.keys {
				row.plant(s, k, symbolOf(k))
			}
			trained, edges := learn(t, s.on())
			finder := trained
			if row.edges {
				finder = edges
			}
			if !finder.Leaks() {
				t.Errorf("not found: %+v", finder)
			}
			c := s.on()
			c.Keys = c.Keys[:50]
			if r := judge(t, c); row.keys == 4000 && r.Leaks() {
				t.Errorf("templates find it: %d readable, %d right of %d", r.Readable, r.Correct, r.Keys)
			}
			if !row.edges && edges.Leaks() {
				t.Errorf("edges hear: %+v", edges)
			}
		})
	}
}
