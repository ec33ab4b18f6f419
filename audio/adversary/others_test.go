package adversary

import (
	"math"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/g711"
	"github.com/flattone/flattone/audio/tone"
)

// other is a mask of another make, from so many ms after each key's onset to so many after its end.
func (s *scene) other(from, to int, sound func(x []float64)) {
	ms := s.rate.TickFrames()
	for _, k := range s.keys {
		x := s.out[int(k.Start)+from*ms+s.delay : int(k.End)+to*ms+s.delay]
		clear(x)
		sound(x)
	}
	for i, v := range s.out {
		s.out[i] = float64(g711.DecodeMu(g711.EncodeMu(sample(v))))
	}
}

// sine is one tone, as a mask.
func (s *scene) sine(hz, dBm0 float64) func(x []float64) {
	return func(x []float64) {
		for i := range x {
			x[i] += audio.Amplitude(dBm0) * math.Sin(2*math.Pi*hz*float64(i)/float64(s.rate))
		}
	}
}

func silence([]float64) {}

// randomKey masks with a key's tones, of any key.
func (s *scene) randomKey(x []float64) {
	symbol := s.r.IntN(len(tone.Keys))
	s.sine(tone.Rows[symbol/4], -10)(x)
	s.sine(tone.Cols[symbol%4], -10)(x)
}

// Other products' masks, with and without their input: the delay and the mask's tone are found, what leaks is
// read, and what doesn't is not.
func TestOtherProducts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		from, to int
		sound    func(s *scene) func(x []float64)
		leaks    bool
		toneHz   float64
		decoys   bool
	}{
		{name: "silence from 40 ms on", from: 40, to: 20, sound: func(*scene) func([]float64) { return silence }, leaks: true},
		{name: "400 Hz from 40 ms on", from: 40, to: 20, sound: func(s *scene) func([]float64) { return s.sine(400, -6.8) }, leaks: true, toneHz: 400},
		{name: "400 Hz", from: -60, to: 120, sound: func(s *scene) func([]float64) { return s.sine(400, -6.8) }, toneHz: 400},
		{name: "425 Hz, soft", from: -20, to: 20, sound: func(s *scene) func([]float64) { return s.sine(425, -30) }, toneHz: 425},
		{name: "silence", from: -60, to: 120, sound: func(*scene) func([]float64) { return silence }},
		{name: "a random key", from: -2, to: 20, sound: func(s *scene) func([]float64) { return s.randomKey }, decoys: true},
		{name: "always the same key", from: -2, to: 20, sound: func(s *scene) func([]float64) {
			return func(x []float64) { s.sine(770, -10)(x); s.sine(1336, -10)(x) }
		}, decoys: true},
	} {
		for _, blind := range []bool{false, true} {
			name := row.name
			if blind {
				name += ", blind"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := newScene(31, rate8k, 40, digits, -10, -55)
				for i := range s.keys { // so long that 40 ms are less than all
					s.keys[i].End = max(s.keys[i].End, s.keys[i].Start+480)
				}
				s.other(row.from, row.to, row.sound(s))
				c := s.on()
				c.FlatTone, c.DelayFrames = FlatTone{}, FindDelay
				if blind {
					c.In = nil
				}
				r := judge(t, c)
				t.Logf("delay %d, head %g ms, tone %g Hz, %d readable, %d decoys, %d right of %d, %+v", r.DelayFrames, r.HeadMS, r.MaskToneHz, r.Readable, r.Decoys, r.Correct, r.Keys, r.Attackers)
				if off := float64(r.DelayFrames-s.delay) / 8; math.Abs(off) > r.HeadMS || !blind && off != 0 {
					t.Errorf("delay %g ms off", off)
				}
				if math.Abs(r.MaskToneHz-row.toneHz) > 1 {
					t.Errorf("the mask's tone was taken for %g Hz, it is %g Hz", r.MaskToneHz, row.toneHz)
				}
				if r.Blind != blind || blind && r.LeakedMS != 0 {
					t.Errorf("blind %v, %d ms leaked", r.Blind, r.LeakedMS)
				}
				if row.leaks && (r.Readable < r.Keys*9/10 || r.Accuracy < 0.9) || !row.leaks && r.Leaks() {
					t.Errorf("%d readable, %d right of %d", r.Readable, r.Correct, r.Keys)
				}
				if row.decoys != (r.Decoys > 0) {
					t.Errorf("%d decoys", r.Decoys)
				}
			})
		}
	}
}

// A blind attacker says so where nothing follows the keys, rather than guess a delay and call the mask good.
func TestABlindDelayIsNotMadeUp(t *testing.T) {
	t.Parallel()
	other := newScene(32, rate8k, 40, digits, -10, -55)
	for seed := range uint64(8) {
		s := newScene(33+seed, rate8k, 60, digits, -10, -55)
		s.mask()
		c := s.on()
		c.In, c.Keys, c.DelayFrames = nil, other.keys, FindDelay
		if r, err := Judge(c); err == nil {
			t.Errorf("found a delay of %d frames between two calls", r.DelayFrames)
		}
	}
}

// A head that is heard before a random key begins: the sure readings are mostly of the mask, and who learns
// looks before it.
func TestHeadsBeforeARandomKeyAreLearnt(t *testing.T) {
	t.Parallel()
	s := newScene(34, rate8k, 300, digits, -10, -55)
	for i := range s.keys {
		s.keys[i].End = max(s.keys[i].End, s.keys[i].Start+480)
	}
	s.other(10, 20, s.randomKey)
	c := s.on()
	c.FlatTone = FlatTone{}
	if trained, _ := learn(t, c); !trained.Leaks() || trained.Accuracy < 0.9 {
		t.Errorf("%+v", trained)
	}
}
