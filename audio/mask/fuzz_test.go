package mask_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect"
	"github.com/flattone/flattone/audio/mask"
)

// told is what a masker is told of some ticks on end: any verdict, possible or not, with any event at any place, and any grade.
type told struct {
	input mask.Input
	ticks int
}

const toldBytes = 16

func readTold(b []byte) told {
	bit := func(n int) bool { return b[0]>>n&1 != 0 }
	start := audio.Position(binary.LittleEndian.Uint64(b[8:]))
	return told{mask.Input{
		Verdict: detect.Verdict{
			Loose: bit(0), Strict: bit(1), Lasting: bit(2), Held: bit(3), Edge: bit(4),
			Power: math.Float32frombits(binary.LittleEndian.Uint32(b[4:])),
			Event: detect.Event{Kind: detect.Kind(b[2]), Start: start, Heard: -start, End: start + 1},
		},
		Field: bit(5), Lost: bit(6), Now: bit(7),
		Grade: mask.Grade(int8(b[1])),
	}, int(b[3]) + 1}
}

func (s *told) bytes() []byte {
	var b [toldBytes]byte
	v := &s.input.Verdict
	for i, on := range []bool{v.Loose, v.Strict, v.Lasting, v.Held, v.Edge, s.input.Field, s.input.Lost, s.input.Now} {
		if on {
			b[0] |= 1 << i
		}
	}
	b[1], b[2], b[3] = byte(s.input.Grade), byte(v.Event.Kind), byte(s.ticks-1)
	binary.LittleEndian.PutUint32(b[4:], math.Float32bits(v.Power))
	binary.LittleEndian.PutUint64(b[8:], uint64(v.Event.Start))
	return b[:]
}

// masked is what a masker made of a script.
type masked struct {
	out    []int16
	marked []bool // by tick
	must   []bool // have been masked: closed, suspect or lost
}

// sound is the samples of a tick.
type sound func(tick int, x []int16)

func runTold(t *testing.T, cfg mask.Config, script []told, say sound) (r masked) {
	t.Helper()
	m, err := mask.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	n, frames := 0, cfg.Rate.TickFrames()
	held := m.Delay()/frames - 1
	said, x := make([]int16, frames), make([]int16, frames)
	led := false // the mask was begun with the end of a tick
	for _, s := range script {
		for range s.ticks {
			slot := m.Decide(&s.input)
			n++
			m.Margin(s.input.Verdict.Event.Start)
			m.CalmFrom()
			out := len(r.marked)
			if slot >= 0 && (slot%audio.Position(100*frames) != 0 || slot <= audio.Position(out*frames)) {
				t.Fatalf("tick %d: a slot at frame %d", n, slot)
			}
			g := m.Grade()
			if g < mask.Pass || g > mask.Closed {
				t.Fatalf("grade %d is in force", g)
			}
			r.must = append(r.must, g == mask.Closed || g != mask.Pass && (s.input.Lost || g.Suspects(&s.input.Verdict)))
			if n <= held {
				continue
			}
			say(out, said)
			copy(x, said)
			replaced := m.Release(x, false)
			r.marked = append(r.marked, replaced == frames)
			if !r.marked[out] && (g == mask.Closed || r.must[out]) {
				t.Fatalf("tick %d came through: grade %v, it had to be masked: %v", out, g, r.must[out])
			}
			if led && !r.marked[out] {
				t.Fatalf("the end of tick %d was changed, and no mask begins there", out-1)
			}
			led = false
			switch {
			case r.marked[out]:
			case out > 0 && r.marked[out-1]: // its beginning may be the mask's
				if !slices.Equal(x[replaced:], said[replaced:]) {
					t.Fatalf("tick %d follows a mask, and was changed beyond %d frames", out, replaced)
				}
			default: // its end may be
				led = replaced > 0
				if !slices.Equal(x[:frames-replaced], said[:frames-replaced]) {
					t.Fatalf("tick %d isn't masked, and was changed before its last %d frames", out, replaced)
				}
			}
			r.out = append(r.out, x...)
			if p := m.Meter(); !(p >= 0 && p <= 1<<30) {
				t.Fatalf("a meter at %g", p)
			}
		}
	}
	return r
}

// FuzzMask tells a masker anything, of any sound: nothing panics; what is closed, suspect or lost is masked; what isn't masked comes
// through bit for bit, but for a part of the ticks beside a mask; what is masked is no louder than a flat tone and the loudest fill, and is the same whatever was said there.
func FuzzMask(f *testing.F) {
	var call []byte
	for _, s := range []told{
		{mask.Input{Grade: mask.Idle}, 200},
		{mask.Input{Grade: mask.Armed, Verdict: detect.Verdict{Loose: true}}, 3},
		{mask.Input{Grade: mask.Armed}, 150},
		{mask.Input{Grade: mask.Armed, Verdict: detect.Verdict{Loose: true, Strict: true, Edge: true, Power: 1e6}}, 20},
		{mask.Input{Grade: mask.Armed, Field: true, Verdict: detect.Verdict{Loose: true, Strict: true, Held: true, Lasting: true, Power: 1e6,
			Event: detect.Event{Kind: detect.Began, Start: 1600}}}, 1},
		{mask.Input{Grade: mask.Armed, Field: true, Verdict: detect.Verdict{Loose: true, Strict: true, Held: true, Lasting: true, Power: 1e6}}, 60},
		{mask.Input{Grade: mask.Armed, Field: true}, 256},
		{mask.Input{Grade: mask.Idle, Lost: true}, 3},
		{mask.Input{Grade: mask.Closed}, 100},
		{mask.Input{Grade: mask.Idle, Now: true, Lost: true}, 3},
		{mask.Input{Grade: mask.Armed, Verdict: detect.Verdict{Strict: true, Held: true, Power: 1e6}}, 60},
		{mask.Input{Grade: mask.Pass, Now: true}, 256},
		{mask.Input{Grade: mask.Pass}, 256},
	} {
		call = append(call, s.bytes()...)
	}
	f.Add(call, uint64(1), uint16(0))
	f.Add(slices.Repeat(call, 6), uint64(2), uint16(0x13))
	absurd := told{mask.Input{Grade: 77, Field: true, Lost: true, Verdict: detect.Verdict{Edge: true, Held: true, Power: float32(math.Inf(1)),
		Event: detect.Event{Kind: detect.Unclear, Start: math.MinInt64}}}, 256}
	f.Add(absurd.bytes(), uint64(3), uint16(0xffff))
	absurd.input.Grade, absurd.input.Verdict.Power, absurd.input.Verdict.Event.Start = mask.Armed, float32(math.NaN()), math.MaxInt64
	f.Add(slices.Repeat(absurd.bytes(), 4), uint64(4), uint16(7))
	f.Fuzz(func(t *testing.T, raw []byte, seed uint64, setting uint16) {
		var script []told
		for b := range slices.Chunk(raw[:min(len(raw), 64*toldBytes)/toldBytes*toldBytes], toldBytes) {
			script = append(script, readTold(b))
		}
		cfg := mask.Config{
			Rate:      []audio.Rate{audio.Rate8k, audio.Rate16k, audio.Rate44k, audio.Rate48k}[setting&3],
			Shield:    mask.Keys + mask.Shield(setting>>2&3)%3,
			LookAhead: time.Duration(10+setting>>4&63) * time.Millisecond,
			ToneDBm0:  -3 - float64(setting>>11),
		}
		// Full scale, silence, and what lies between; the same for a tick and a seed.
		say := func(seed uint64) sound {
			return func(tick int, x []int16) {
				r := rand.New(rand.NewPCG(seed, uint64(tick)))
				loud := r.IntN(17)
				for i := range x {
					x[i] = int16(max(-32768, min(32767, r.IntN(2<<loud+1)-1<<loud)))
				}
			}
		}
		once := runTold(t, cfg, script, say(seed))
		// Half a step of 3 dB over the loudest background that the fill follows, and noise of two uniform values peaks at the root of 6.
		most := int(audio.Amplitude(cfg.ToneDBm0) + audio.Amplitude(-42+1.5)*math.Sqrt(3) + 1)
		frames := cfg.Rate.TickFrames()
		for i, v := range once.out {
			if once.marked[i/frames] && (int(v) > most || int(v) < -most) {
				t.Fatalf("frame %d of the mask is %d, more than %d", i, v, most)
			}
		}
		open, other := say(seed), say(seed+1)
		again := runTold(t, cfg, script, func(tick int, x []int16) {
			if once.marked[tick] {
				other(tick, x)
			} else {
				open(tick, x)
			}
		})
		if !slices.Equal(again.out, once.out) || !slices.Equal(again.marked, once.marked) {
			t.Fatal("what is masked shows")
		}
	})
}
