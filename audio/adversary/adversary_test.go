package adversary

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

func judge(t *testing.T, c Case) Report {
	t.Helper()
	r, err := Judge(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Positive control: of an output without any mask every key is read, at every rate, and the delay is found.
func TestUnmaskedKeysAreRead(t *testing.T) {
	t.Parallel()
	for _, rate := range []audio.Rate{audio.Rate8k, audio.Rate16k, audio.Rate44k, audio.Rate48k} {
		s := newScene(1, rate, 8, tone.Keys, -10, -60)
		c := s.on()
		c.DelayFrames = FindDelay
		r := judge(t, c)
		if r.Correct != r.Keys || r.Readable != r.Keys || r.Accuracy != 1 {
			t.Errorf("%v: %d right and %d readable of %d keys", rate, r.Correct, r.Readable, r.Keys)
		}
		if r.DelayFrames != s.delay {
			t.Errorf("%v: found a delay of %d frames, want %d", rate, r.DelayFrames, s.delay)
		}
		keyed := 0
		for _, k := range s.keys {
			keyed += int(k.End-k.Start) / rate.TickFrames()
		}
		if r.LeakedMS < keyed*95/100 || r.LeakedMS > keyed {
			t.Errorf("%v: %d ms leaked of %d ms keyed", rate, r.LeakedMS, keyed)
		}
	}
}

// Positive control: a head of 1, 2 or 3 ms names the key as often as an ideal listener can who knows the onset,
// but neither the sender's frequencies nor phases. That bound was computed for this project with 1500 trials a
// cell: tone through mu-law, alone or in noise 20 dB below it. This attacker doesn't know how much leaks, nor
// the level, and may fall a little short.
func TestLeakedHeadsAreReadAsTheBoundSays(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		ms, noiseDBm0 float64
		keys          int
		bound, short  float64
	}{
		{ms: 1, noiseDBm0: -90, keys: 80, bound: 0.917, short: 0.15},
		{ms: 2, noiseDBm0: -90, keys: 30, bound: 1, short: 0.02},
		{ms: 3, noiseDBm0: -90, keys: 30, bound: 1},
		{ms: 1, noiseDBm0: -27, keys: 80, bound: 0.414, short: 0.2},
		{ms: 2, noiseDBm0: -27, keys: 30, bound: 0.979, short: 0.1},
		{ms: 3, noiseDBm0: -27, keys: 30, bound: 1, short: 0.04},
	} {
		s := newScene(2, rate8k, row.keys, digits, -10, row.noiseDBm0)
		s.mask()
		s.leak(row.ms, 1)
		r := judge(t, s.on())
		// Three sigma above the bound would be better than possible: the test's leak would be at fault.
		most := row.bound + 3*math.Sqrt(row.bound*(1-row.bound)/float64(row.keys))
		if r.Accuracy < row.bound-row.short || r.Accuracy > most {
			t.Errorf("%g ms in noise of %g dBm0: accuracy %.3f, the bound is %.3f", row.ms, row.noiseDBm0, r.Accuracy, row.bound)
		}
		if want := int(row.ms) * row.keys; r.LeakedMS < want*9/10 || r.LeakedMS > want*11/10 {
			t.Errorf("%g ms in noise of %g dBm0: %d ms found leaked of %d", row.ms, row.noiseDBm0, r.LeakedMS, want)
		}
		if row.ms >= 3 && r.Readable < row.keys*9/10 {
			t.Errorf("%g ms in noise of %g dBm0: only %d of %d readable", row.ms, row.noiseDBm0, r.Readable, row.keys)
		}
	}
}

// Positive control: what is left after a complete mask is read by chance.
func TestCompleteMaskLeavesChance(t *testing.T) {
	t.Parallel()
	for _, alphabet := range []string{digits, tone.Keys} {
		s := newScene(3, rate8k, 50, alphabet, -10, -60)
		s.rolledOff = alphabet == digits
		s.mask()
		r := judge(t, s.on())
		if r.Readable != 0 || r.LeakedMS > 1 {
			t.Errorf("%d symbols: %d of %d keys readable, %d ms leaked", len(alphabet), r.Readable, r.Keys, r.LeakedMS)
		}
		if r.Chance != 1/float64(len(alphabet)) || r.Interval[0] > r.Chance || r.Interval[1] < r.Chance {
			t.Errorf("%d symbols: chance %g, accuracy within %.3f", len(alphabet), r.Chance, r.Interval)
		}
	}
}

// A device whose clock differs bends flat tones, and a gap of it cuts them: their pieces aren't taken for keys, even where they are too few to be found as
// what they are.
func TestSomeFlatTonesBentAndCut(t *testing.T) {
	t.Parallel()
	s := newScene(21, rate8k, 200, digits, -10, -60)
	s.mask()
	const bent, every = 30_000, 300 // frames
	heard, cut, at, step := make([]float64, 0, len(s.out)), 0.0, 0.0, 1.0
	for ; len(heard) < bent; at += step {
		i, part := int(at), at-math.Floor(at)
		heard = append(heard, s.out[i]*(1-part)+s.out[i+1]*part)
		switch len(heard) % (2 * every) {
		case 0:
			step = 1 + s.within(-1500, 1500)*1e-6
			at -= cut
		case every:
			cut = s.within(4, 24)
			at += cut
		}
	}
	s.out = append(heard, s.out[bent:]...)
	if r := judge(t, s.on()); r.Readable > 1 || r.Guessed() {
		t.Errorf("%d of %d keys readable, %d right", r.Readable, r.Keys, r.Correct)
	}
}

// At the sound card's rate a mask is no easier to read.
func TestCompleteMaskLeavesChanceAtASoundCardsRate(t *testing.T) {
	s := newScene(4, audio.Rate48k, 16, digits, -10, -60)
	s.mask()
	if r := judge(t, s.on()); r.Readable != 0 || r.ByChance < 0.01 {
		t.Errorf("%d of %d keys readable, %d right", r.Readable, r.Keys, r.Correct)
	}
}

// A mask that lets the tone through changed is none.
func TestChangedTonesAreRead(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(s *scene, k Key){
		"faded by 45 dB": func(s *scene, k Key) {
			for i := int(k.Start); i < int(k.End); i++ {
				s.out[i+s.delay] += 0.0056 * s.in[i]
			}
		},
		"muffled": func(s *scene, k Key) { // a moving average with its first zero at 1 kHz, three times over
			x := append([]float64(nil), s.in[int(k.Start)-24:int(k.End)]...)
			for range 3 {
				for i := len(x) - 1; i >= 8; i-- {
					x[i] = 0
					for _, v := range x[i-8 : i] {
						x[i] += v / 8
					}
				}
			}
			for i, v := range x[24:] {
				s.out[int(k.Start)+s.delay+i] += v
			}
		},
		"echoed after the mask": func(s *scene, k Key) {
			for i := range 160 {
				s.out[int(k.End)+s.delay+i] += 0.01 * s.in[int(k.End)-160+i]
			}
		},
	} {
		s := newScene(5, rate8k, 20, digits, -10, -70)
		s.mask()
		for _, k := range s.keys {
			change(s, k)
		}
		if r := judge(t, s.on()); r.Correct < 19 || r.Readable < 19 {
			t.Errorf("%s: %d right and %d readable of %d keys", name, r.Correct, r.Readable, r.Keys)
		}
	}
}

// A key held for seconds is attacked like any other, and as fast.
func TestHeldKeyIsRead(t *testing.T) {
	s := newScene(12, rate8k, 1, digits, -10, -60)
	pair, _ := tone.Pair('8', -10, 0)
	held := tone.Append(nil, rate8k, 5*8000, 0, pair[:]...)
	d, _ := audio.NewDigit('8')
	start := len(s.in)
	for _, v := range held {
		s.in = append(s.in, float64(v))
	}
	s.keys = append(s.keys, Key{Symbol: d, Start: audio.Position(start), End: audio.Position(len(s.in))})
	s.out = append(make([]float64, s.delay), s.in...)
	for i := start + s.delay; i < len(s.out); i++ { // faded far below the noise
		s.out[i] *= 0.0005
	}
	s.noise(s.out[start+s.delay:], fillDBm0)
	if r := judge(t, s.on()); r.Readable != 2 || r.Correct != 2 {
		t.Errorf("%d right and %d readable of %d keys", r.Correct, r.Readable, r.Keys)
	}
}

// The output names a column and no row: half a key, and that counts.
func TestHalfAKeyIsReadable(t *testing.T) {
	s := newScene(6, rate8k, 30, tone.Keys, -10, -60)
	s.mask()
	for _, k := range s.keys {
		for p, key := range []byte(tone.Keys) {
			if d, _ := audio.NewDigit(key); d == k.Symbol {
				for i := range 80 {
					s.out[int(k.Start)+s.delay+i] += 500 * math.Sin(2*math.Pi*tone.Cols[p%4]*float64(i)/8000)
				}
			}
		}
	}
	r := judge(t, s.on())
	if r.Readable != r.Keys || r.Accuracy < 0.1 || r.Accuracy > 0.5 {
		t.Errorf("%d of %d keys readable, accuracy %g", r.Readable, r.Keys, r.Accuracy)
	}
}

func TestSameRecordingSameVerdict(t *testing.T) {
	s := newScene(7, rate8k, 10, digits, -10, -60)
	s.mask()
	c := s.on()
	c.DelayFrames = FindDelay
	in, out := append([]int16(nil), c.In...), append([]int16(nil), c.Out...)
	if a, b := judge(t, c), judge(t, c); !reflect.DeepEqual(a, b) {
		t.Error("two verdicts differ")
	}
	if !reflect.DeepEqual(in, c.In) || !reflect.DeepEqual(out, c.Out) {
		t.Error("the recording was changed")
	}
}

// A silenced output holds nothing to choose by. To guess always the same key would be right as often as that
// key was pressed.
func TestSilenceIsGuessedAtRandom(t *testing.T) {
	s := newScene(8, rate8k, 40, "7", -10, -60)
	clear(s.out)
	if r := judge(t, s.on()); r.Correct > 14 || r.Readable != 0 {
		t.Errorf("%d of %d guesses right, %d readable", r.Correct, r.Keys, r.Readable)
	}
}

func TestBadCasesAreRefused(t *testing.T) {
	for want, spoil := range map[string]func(c *Case){
		"not a rate":            func(c *Case) { c.Rate = 11025 },
		"is no DTMF symbol":     func(c *Case) { c.Keys[1].Symbol = audio.Digit{} },
		"key 2 lasts":           func(c *Case) { c.Keys[1].End = c.Keys[1].Start },
		"key 1 lasts":           func(c *Case) { c.Keys[0].Start = -1 },
		"give the recordings":   func(c *Case) { c.Out = c.Out[:c.Keys[2].End] },
		"recordings whole":      func(c *Case) { c.In = c.In[:c.Keys[2].Start] },
		"find the delay":        func(c *Case) { c.DelayFrames, c.Out = FindDelay, make([]int16, len(c.Out)) },
		"the output":            func(c *Case) { c.DelayFrames = math.MaxInt },
		"can't come before":     func(c *Case) { c.DelayFrames = -7 },
		"the delay: the output": func(c *Case) { c.DelayFrames, c.Out = FindDelay, nil },
	} {
		c := newScene(9, rate8k, 3, digits, -10, -60).on()
		spoil(&c)
		_, err := Judge(c)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error that says %q, got %v", want, err)
		}
	}
}

func TestNoKeysNothingToRead(t *testing.T) {
	c := newScene(10, rate8k, 0, digits, -10, -60).on()
	if r := judge(t, c); r.Keys != 0 || r.Readable != 0 || r.Interval != [2]float64{0, 1} {
		t.Errorf("%+v", r)
	}
}

func TestAtLeast(t *testing.T) {
	for _, row := range []struct {
		hits, trials int
		p, want      float64
	}{
		{0, 26, 1. / 16, 1}, {1, 1, 0.25, 0.25}, {2, 2, 0.5, 0.25}, {3, 2, 0.5, 0},
		{1, 10, 0.1, 1 - math.Pow(0.9, 10)}, {600, 10000, 1. / 16, 0.8541},
	} {
		if got := AtLeast(row.hits, row.trials, row.p); math.Abs(got-row.want) > 1e-3 {
			t.Errorf("%d or more of %d: %.4f, want %.4f", row.hits, row.trials, got, row.want)
		}
	}
}

// A leak so short that hardly a key can be read for sure is no complete mask: all the guesses together say so.
func TestManyUnsureReadingsAreALeak(t *testing.T) {
	t.Parallel()
	s := newScene(13, rate8k, 60, digits, -10, -60)
	s.mask()
	if r := judge(t, s.on()); r.Leaks() {
		t.Errorf("a complete mask leaks: %d readable, %d right of %d", r.Readable, r.Correct, r.Keys)
	}
	s.leak(1, 1)
	r := judge(t, s.on())
	r.Readable = 0
	if !r.Leaks() {
		t.Errorf("%d of %d right, and that is no leak", r.Correct, r.Keys)
	}
}

// What comes back from the far end long after a key is attacked too.
func TestALateEchoIsRead(t *testing.T) {
	t.Parallel()
	for _, afterMS := range []int{40, 100, 200} {
		readable, correct := 0, 0
		for seed := range uint64(10) {
			s := newScene(seed, rate8k, 1, digits, -10, -60)
			s.mask()
			k := s.keys[0]
			for i := range 320 { // 40 ms of it
				s.out[int(k.End)+s.delay+8*afterMS+i] += 0.1 * s.in[int(k.End)-320+i]
			}
			r := judge(t, s.on())
			readable, correct = readable+r.Readable, correct+r.Correct
		}
		if readable < 10 || correct < 9 {
			t.Errorf("an echo %d ms after a key: %d readable and %d right of 10", afterMS, readable, correct)
		}
	}
}

func TestWilson(t *testing.T) {
	for _, row := range []struct {
		hits, trials int
		low, high    float64 // from Newcombe 1998, table I, and by hand
	}{
		{81, 263, 0.2553, 0.3662},
		{15, 148, 0.0624, 0.1605},
		{0, 20, 0, 0.1611},
		{10, 10, 0.7225, 1},
	} {
		got := wilson(row.hits, row.trials)
		if math.Abs(got[0]-row.low) > 1e-4 || math.Abs(got[1]-row.high) > 1e-4 {
			t.Errorf("%d of %d: %.4f", row.hits, row.trials, got)
		}
	}
}

// Whatever the recordings, the keys and the delay: a verdict or an error, the same twice, and no panic.
func FuzzJudge(f *testing.F) {
	c := newScene(11, rate8k, 1, digits, -10, -60).on()
	pcm := func(x []int16) (b []byte) {
		for _, v := range x {
			b = append(b, byte(v), byte(v>>8))
		}
		return b
	}
	key := c.Keys[0]
	f.Add(pcm(c.In[key.Start-800:]), pcm(c.Out[key.Start-800:]), 800, 800+int(key.End-key.Start), 240, uint8(0))
	f.Add([]byte{1, 2, 3, 4}, []byte{1, 2, 3, 4}, 0, 1, 0, uint8(3))
	f.Add([]byte{}, []byte{}, 0, math.MaxInt, math.MaxInt, uint8(1))
	f.Add(make([]byte, 4000), make([]byte, 4000), 5, 1000, FindDelay, uint8(2))
	f.Add(make([]byte, 16000), bytes.Repeat([]byte{1}, 16000), 731, 1474, 293, uint8(2)) // no tick the same, at 44.1 kHz
	f.Fuzz(func(t *testing.T, in, out []byte, start, end, delay int, rate uint8) {
		samples := func(b []byte) (x []int16) {
			for ; len(b) > 1 && len(x) < 8000; b = b[2:] {
				x = append(x, int16(b[0])|int16(b[1])<<8)
			}
			return x
		}
		rates := [...]audio.Rate{audio.Rate8k, audio.Rate16k, audio.Rate44k, audio.Rate48k}
		c := Case{Rate: rates[rate%4], In: samples(in), Out: samples(out), DelayFrames: delay, FlatTone: OurFlatTone(),
			Keys: []Key{{Symbol: key.Symbol, Start: audio.Position(start), End: audio.Position(end)}}}
		r, err := Judge(c)
		if again, errAgain := Judge(c); (err == nil) != (errAgain == nil) || !reflect.DeepEqual(r, again) {
			t.Error("two verdicts differ")
		}
		if err == nil && (r.Keys != 1 || len(r.Rows) != 1 || math.IsNaN(r.Rows[0].LogRatio)) {
			t.Errorf("verdict %+v", r)
		}
	})
}
