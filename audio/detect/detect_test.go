package detect_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect"
	"github.com/flattone/flattone/audio/tone"
)

var rates = []audio.Rate{audio.Rate8k, audio.Rate16k, audio.Rate44k, audio.Rate48k}

// tape is a leg in the making, over noise.
type tape struct {
	rate  audio.Rate
	noise float64 // dBm0
	x     []int16
	r     *rand.Rand
}

func newTape(rate audio.Rate) *tape {
	return &tape{rate: rate, noise: -60, r: rand.New(rand.NewPCG(9, 9))}
}

// pause adds silence and tells where it begins.
func (t *tape) pause(ms float64) int { return t.sines(ms) }

// sines adds a burst and tells where it begins.
func (t *tape) sines(ms float64, sines ...tone.Sine) int {
	at := len(t.x)
	n := int(ms * float64(t.rate) / 1000)
	t.x = tone.Append(t.x, t.rate, n, 0, sines...)
	rms := audio.Amplitude(t.noise) / math.Sqrt2
	for i := at; i < len(t.x); i++ {
		t.x[i] = int16(max(-32768, min(32767, float64(t.x[i])+rms*t.r.NormFloat64())))
	}
	return at
}

// key adds a key of a row's level and a twist, its frequencies off by a factor.
func (t *tape) key(key byte, ms, dBm0, twist, off float64) int {
	pair, _ := tone.Pair(key, dBm0, twist)
	pair[0].Hz *= 1 + off
	pair[1].Hz *= 1 + off
	return t.sines(ms, pair[:]...)
}

// verdicts of every tick.
func (t *tape) verdicts(tb testing.TB) []detect.Verdict {
	tb.Helper()
	d, err := detect.New(t.rate)
	if err != nil {
		tb.Fatal(err)
	}
	defer d.Close()
	var out []detect.Verdict
	for tick := t.rate.TickFrames(); len(t.x) >= tick; t.x = t.x[tick:] {
		var v detect.Verdict
		d.Tick(t.x[:tick], &v)
		out = append(out, v)
	}
	return out
}

// heard is a key, with the tick at which it was decided.
type heard struct {
	detect.Event
	decided, ended int
	end            audio.Position
}

func events(verdicts []detect.Verdict) (keys []heard, unclear int) {
	for i, v := range verdicts {
		switch v.Event.Kind {
		case detect.Began:
			keys = append(keys, heard{Event: v.Event, decided: i + 1})
		case detect.Ended:
			last := &keys[len(keys)-1]
			if last.ended, last.end = i+1, v.Event.End; v.Event.Start != last.Start {
				panic(fmt.Sprintf("a key that began at %d ends as one that began at %d", last.Start, v.Event.Start))
			}
		case detect.Unclear:
			unclear++
		}
	}
	return keys, unclear
}

func TestNewRefusesOtherRates(t *testing.T) {
	for _, rate := range []audio.Rate{0, -8000, 11025, 96000} {
		if d, err := detect.New(rate); err == nil {
			d.Close()
			t.Errorf("a detector was made for %v", rate)
		}
	}
}

// Every key, at every rate, 50 ms on and 50 off: each once, in order, in place, in time.
func TestEveryKey(t *testing.T) {
	for _, rate := range rates {
		t.Run(rate.String(), func(t *testing.T) {
			tp := newTape(rate)
			tp.pause(200)
			var starts []int
			for _, k := range []byte(tone.Keys) {
				starts = append(starts, tp.key(k, 50, -10, 1, 0))
				tp.pause(50)
			}
			tp.pause(100)
			keys, unclear := events(tp.verdicts(t))
			if len(keys) != 16 || unclear != 0 {
				t.Fatalf("%d keys of 16, %d unclear", len(keys), unclear)
			}
			perMS := int(rate) / 1000
			for i, k := range keys {
				if k.Digit.Reveal() != tone.Keys[i] {
					t.Errorf("key %d differs", i)
				}
				start, end := int(k.Start)-starts[i], int(k.end)-starts[i]-50*perMS
				if max(start, -start) > 2*perMS || max(end, -end) > 3*perMS {
					t.Errorf("key %d: start %+d frames off, end %+d", i, start, end)
				}
				if late := k.decided*rate.TickFrames() - starts[i]; late > 32*perMS {
					t.Errorf("key %d: decided after %d frames", i, late)
				}
			}
		})
	}
}

// A key is told from a note that sounds all along, next to its rows and as loud as its two tones together, and one louder by 4 dB, in
// which no row stands out, by more ticks; the note with a column alone is none.
func TestKeyUnderANote(t *testing.T) {
	for _, rate := range rates {
		for _, test := range []struct {
			note   tone.Sine
			lateMS int
		}{
			{tone.Sine{Hz: 610, DBm0: -7}, 75},
			{tone.Sine{Hz: 610, DBm0: -3}, 100},
		} {
			tp := newTape(rate)
			tp.sines(200, test.note)
			var starts []int
			for _, k := range []byte(tone.Keys) {
				pair, _ := tone.Pair(k, -10, 0)
				starts = append(starts, tp.sines(120, test.note, pair[0], pair[1]))
				tp.sines(100, test.note)
			}
			for _, hz := range tone.Cols {
				tp.sines(120, test.note, tone.Sine{Hz: hz, DBm0: -10})
				tp.sines(100, test.note)
			}
			keys, _ := events(tp.verdicts(t))
			if len(keys) != len(starts) {
				t.Errorf("%v, a note of %g dBm0: %d keys of 16", rate, test.note.DBm0, len(keys))
				continue
			}
			perMS := int(rate) / 1000
			for i, k := range keys {
				start, late := int(k.Start)-starts[i], k.decided*rate.TickFrames()-starts[i]
				if k.Digit.Reveal() != tone.Keys[i] || max(start, -start) > 4*perMS || late > test.lateMS*perMS {
					t.Errorf("%v, a note of %g dBm0, key %d: another, or start %+d frames off, or decided after %d", rate, test.note.DBm0, i, start, late)
				}
			}
		}
	}
}

// What ITU-T Q.24 and ETSI ES 201 235-3 want accepted, and what they want refused.
func TestOneKey(t *testing.T) {
	for _, c := range []struct {
		name              string
		ms, dBm0, tw, off float64
		keys              int
	}{
		{"40 ms", 40, -10, 0, 0, 1},
		{"20 ms", 20, -10, 0, 0, 0},
		{"21 ms", 21, -3, 0, 0, 0},
		{"a long one", 3000, -10, 0, 0, 1},
		{"loud", 50, -1, 0, 0, 1},
		{"faint", 50, -36, 0, 0, 1},
		{"too faint", 50, -55, 0, 0, 0},
		{"column 8 dB down", 50, -6, -8, 0, 1},
		{"column 9 dB up", 50, -20, 9, 0, 1},
		{"column 20 dB down", 50, -6, -20, 0, 0},
		{"1.8 % high", 50, -10, 0, 0.018, 1},
		{"1.8 % low", 50, -10, 0, -0.018, 1},
		{"3.5 % high", 100, -10, 0, 0.035, 0},
		{"3.5 % low", 100, -10, 0, -0.035, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, k := range []byte("159D") {
				tp := newTape(audio.Rate8k)
				tp.pause(203)
				tp.key(k, c.ms, c.dBm0, c.tw, c.off)
				tp.pause(200)
				if keys, _ := events(tp.verdicts(t)); len(keys) != c.keys {
					t.Errorf("%d keys, want %d", len(keys), c.keys)
				}
			}
		})
	}
}

// A hole of up to 20 ms doesn't split a key; a pause of 30 ms makes two of the same.
func TestHolesAndPauses(t *testing.T) {
	for hole, want := range map[float64]int{2: 1, 10: 1, 20: 1, 30: 2, 40: 2} {
		tp := newTape(audio.Rate8k)
		tp.pause(200)
		tp.key('8', 60, -10, 1, 0)
		tp.pause(hole)
		tp.key('8', 60, -10, 1, 0)
		tp.pause(200)
		if keys, _ := events(tp.verdicts(t)); len(keys) != want {
			t.Errorf("a hole of %g ms makes %d keys, want %d", hole, len(keys), want)
		}
	}
}

// Two keys without any pause between are two.
func TestKeyUponKey(t *testing.T) {
	tp := newTape(audio.Rate8k)
	tp.pause(200)
	tp.key('1', 60, -10, 1, 0)
	tp.key('9', 60, -10, 1, 0)
	tp.pause(200)
	keys, _ := events(tp.verdicts(t))
	if len(keys) != 2 || keys[0].ended == 0 || keys[1].ended == 0 {
		t.Errorf("%d keys of 2", len(keys))
	}
}

// A burst that is suspect as long as a key and isn't confirmed is unclear: once, with its place.
func TestUnclear(t *testing.T) {
	tp := newTape(audio.Rate8k)
	tp.pause(200)
	at := tp.key('5', 80, -6, -13, 0) // suspect, but too much twist for a key
	tp.pause(200)
	for _, v := range tp.verdicts(t) {
		e := v.Event
		if e.Kind == detect.Began {
			t.Fatal("a key with 13 dB of twist was confirmed")
		}
		if e.Kind != detect.Unclear {
			continue
		}
		if at >= 0 && (int(e.Start) < at-16 || int(e.Start) > at+40 || int(e.End) < at+560 || int(e.End) > at+800) {
			t.Errorf("unclear from %d to %d, keyed from %d to %d", e.Start, e.End, at, at+640)
		}
		if at < 0 {
			t.Error("unclear twice")
		}
		at = -1
	}
	if at >= 0 {
		t.Error("the burst was passed over")
	}
}

// Suspicion comes within 5 ms, on an idle line within 8. There is one edge, in the same tick for every key: in
// the onset's own, or in the next where the onset's tick holds only the first frame, which is silent.
func TestSuspicionIsFast(t *testing.T) {
	for _, rate := range rates {
		for _, shift := range []float64{0, 0.25, 0.5, 0.75} {
			edge := -1
			for _, k := range []byte(tone.Keys) {
				tp := newTape(rate)
				tp.pause(100 + shift)
				at := tp.key(k, 60, -12, 0, 0)
				tp.pause(60)
				onset := at / rate.TickFrames()
				loose, strict, edges := -1, -1, 0
				for i, v := range tp.verdicts(t) {
					if v.Loose && loose < 0 {
						loose = i - onset
					}
					if v.Strict && strict < 0 {
						strict = i - onset
					}
					if v.Edge {
						edges++
						if edge >= 0 && edge != i || i < onset || i > onset+1 {
							t.Errorf("%v: edge %+d ticks from the onset", rate, i-onset)
						}
						edge = i
					}
				}
				if loose < 0 || loose > 5 || strict < loose || strict > 8 || edges != 1 {
					t.Errorf("%v: loose after %d ticks, strict after %d, %d edges", rate, loose, strict, edges)
				}
			}
		}
	}
}

// Two keys at once are suspected for as long as both sound: never do they go unsuspected for longer than a look-ahead of 30 ms reaches back,
// and their mask goes on.
func TestTwoKeysAtOnce(t *testing.T) {
	for _, rate := range rates {
		for _, keys := range []string{"15", "12", "14", "1D", "89", "2A", "0#"} {
			for _, apart := range []float64{0, 13} { // ms
				tp := newTape(rate)
				tp.pause(100)
				a, _ := tone.Pair(keys[0], -12, 1)
				b, _ := tone.Pair(keys[1], -14, -2)
				for i := range a {
					a[i].Hz *= 1.012
					b[i].Hz *= 0.99
				}
				tp.sines(apart, a[:]...)
				both := tp.sines(120, a[0], a[1], b[0], b[1]) / rate.TickFrames()
				tp.pause(100)
				last := both
				for i, v := range tp.verdicts(t) {
					if v.Loose || v.Held || i >= both+118 {
						last = i
					}
					if i-last > 23 && i > both {
						t.Errorf("%v, %g ms apart: not suspected in %d ticks, until %d after both began", rate, apart, i-last, i-both)
						break
					}
				}
			}
		}
	}
}

// Over a loud background, too, the edge lies in the same tick for every key, wherever in a tick the onset is: but for one place of 24,
// where the tick's last frames are of the key, and of some keys too soft.
func TestEdgeOverNoiseIsTheSameForEveryKey(t *testing.T) {
	for _, rate := range rates {
		apart := 0
		for _, noise := range []float64{-50, -45, -40} {
			for shift := range 8 {
				at := map[int]bool{}
				for _, k := range []byte(tone.Keys) {
					tp := newTape(rate)
					tp.noise = noise
					tp.pause(200 + float64(shift)/8)
					onset := tp.key(k, 60, -22, 0, 0) / rate.TickFrames()
					tp.pause(60)
					for i, v := range tp.verdicts(t) {
						if v.Edge {
							at[i-onset] = true
						}
					}
				}
				if len(at) != 1 {
					apart++
				}
				delete(at, 0)
				delete(at, 1)
				if len(at) > 0 {
					t.Errorf("%v, noise of %g dBm0, %d eighths of a tick: edges lie %v ticks from the onset", rate, noise, shift, at)
				}
			}
		}
		if apart > 1 {
			t.Errorf("%v: in %d places of 24 the edge depends on the key", rate, apart)
		}
	}
}

// Noise, single tones and the tones of a telephone line are no keys.
func TestOtherSounds(t *testing.T) {
	tp := newTape(audio.Rate8k)
	for _, hz := range []float64{350, 425, 440, 480, 620, 697, 941, 1020, 1100, 1209, 1400, 1633, 2100} {
		tp.pause(60)
		tp.sines(300, tone.Sine{Hz: hz, DBm0: -10})
	}
	tp.pause(60)
	tp.sines(1000, tone.Sine{Hz: 350, DBm0: -13}, tone.Sine{Hz: 440, DBm0: -13})
	tp.pause(60)
	tp.sines(500, tone.Sine{Hz: 480, DBm0: -13}, tone.Sine{Hz: 620, DBm0: -13})
	tp.pause(100)
	keys, unclear := events(tp.verdicts(t))
	if len(keys) != 0 || unclear != 0 {
		t.Errorf("%d keys, %d unclear", len(keys), unclear)
	}
}

// However loud and long the sound before, the running sums forget it: a faint key is found as ever.
func TestNothingIsLeftOfWhatWas(t *testing.T) {
	d, err := detect.New(audio.Rate8k)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	r := rand.New(rand.NewPCG(5, 5))
	var x [8]int16
	var v detect.Verdict
	for range 20_000 {
		for i := range x {
			x[i] = int16(r.IntN(65536) - 32768)
		}
		d.Tick(x[:], &v)
	}
	clear(x[:])
	for i := range 1000 {
		if d.Tick(x[:], &v); i > 100 && (v.Loose || v.Edge || v.Power != 0) {
			t.Fatalf("silence is suspect %d ticks after noise", i)
		}
	}
	tp := newTape(audio.Rate8k)
	tp.key('3', 60, -34, 0, 0)
	tp.pause(60)
	keys := 0
	for ; len(tp.x) >= 8; tp.x = tp.x[8:] {
		if d.Tick(tp.x[:8], &v); v.Event.Kind == detect.Began {
			keys++
		}
	}
	if keys != 1 {
		t.Errorf("%d keys of 1 after loud noise", keys)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	tp := newTape(audio.Rate8k)
	tp.pause(50)
	tp.key('6', 60, -10, 0, 0)
	d, err := detect.New(audio.Rate8k)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	at := 0
	var v detect.Verdict
	if n := testing.AllocsPerRun(1000, func() {
		d.Tick(tp.x[at:at+8], &v)
		at = (at + 8) % (len(tp.x) - 8)
	}); n != 0 {
		t.Errorf("%g allocations a tick", n)
	}
}

// FuzzDetector feeds any samples at any rate: no panic, and every key that begins ends, in order.
func FuzzDetector(f *testing.F) {
	tp := newTape(audio.Rate8k)
	tp.pause(20)
	tp.key('2', 50, -10, 0, 0)
	tp.pause(50)
	seed := make([]byte, 0, 2*len(tp.x))
	for _, v := range tp.x {
		seed = append(seed, byte(v), byte(v>>8))
	}
	f.Add(seed, uint8(0))
	f.Add([]byte{0xff, 0x7f, 0x00, 0x80}, uint8(3))
	f.Fuzz(func(t *testing.T, raw []byte, which uint8) {
		tp := newTape(rates[which&3])
		for i := 0; i+1 < len(raw); i += 2 {
			tp.x = append(tp.x, int16(uint16(raw[i])|uint16(raw[i+1])<<8))
		}
		frames := audio.Position(len(tp.x))
		held := false
		for i, v := range tp.verdicts(t) {
			if v.Strict && !v.Loose {
				t.Fatal("strict suspicion that isn't loose")
			}
			if math.IsNaN(float64(v.Power)) || v.Power < 0 {
				t.Fatalf("tick %d: power %g", i, v.Power)
			}
			switch e := v.Event; e.Kind {
			case detect.Began:
				if held || e.Digit.IsNone() || e.Start < 0 || e.Start > frames {
					t.Fatal("a key began that couldn't")
				}
				held = true
			case detect.Ended:
				if !held || e.End < 0 || e.End > frames {
					t.Fatal("a key ended that couldn't")
				}
				held = false
			case detect.Unclear:
				if e.Start < 0 || e.End < e.Start || e.End > frames {
					t.Fatal("an unclear burst out of place")
				}
			}
		}
	})
}

func ExampleVerdict() {
	tp := newTape(audio.Rate8k)
	tp.pause(100)
	tp.key('1', 100, -10, 0, 0)
	tp.pause(100)
	d, _ := detect.New(audio.Rate8k)
	defer d.Close()
	var v detect.Verdict
	for tick := 0; len(tp.x) >= 8; tick++ {
		d.Tick(tp.x[:8], &v)
		tp.x = tp.x[8:]
		switch v.Event.Kind {
		case detect.Began:
			fmt.Printf("a key (%v) began at frame %d\n", v.Event.Digit, v.Event.Start)
		case detect.Ended:
			fmt.Println("and ended")
		}
	}
	// Output:
	// a key (•) began at frame 800
	// and ended
}
