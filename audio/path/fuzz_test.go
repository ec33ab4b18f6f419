package path_test

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
)

// anySound is samples made of bytes, over and over: so many times, or until there are as many as three of the longest blocks.
func anySound(raw []byte, times uint8) []int16 {
	once := make([]int16, len(raw)/2)
	for i := range once {
		once[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	x := once
	for ; times > 1 && len(once) > 0 && len(x) < 3*path.MaxBlock; times-- {
		x = append(x, once...)
	}
	return slices.Clone(x)
}

// someKeys is a seed for anySound.
func someKeys() []byte {
	keys := keysAt(audio.Rate8k)[2200:3400]
	b := make([]byte, 2*len(keys))
	for i, v := range keys {
		binary.LittleEndian.PutUint16(b[2*i:], uint16(v))
	}
	return b
}

// blockOf makes any number a block's length: 1 to MaxBlock.
func blockOf(n uint16) int { return int(n)%path.MaxBlock + 1 }

// FuzzPath feeds any samples in any blocks, at any rate, grade and shield: nothing panics, no fault is counted, the output is that of
// the same input sample by sample, and each tick of it is what went in, or no louder than a flat tone and the loudest fill.
func FuzzPath(f *testing.F) {
	f.Add(someKeys(), uint8(1), []byte{9, 10, 0, 0, 110, 0, 255, 15}, uint8(0))
	f.Add(someKeys(), uint8(9), []byte{255, 15, 0, 0, 255, 8}, uint8(0x26))
	f.Add([]byte{0xff, 0x7f, 0x00, 0x80, 0xff, 0x7f, 0x00, 0x80}, uint8(255), []byte{1}, uint8(0x53))
	f.Add([]byte{}, uint8(0), []byte{}, uint8(0xff))
	f.Fuzz(func(t *testing.T, raw []byte, times uint8, cuts []byte, setting uint8) {
		x := anySound(raw, times)
		cfg := path.Config{Rate: rates[setting&3], Shield: mask.Keys + mask.Shield(setting>>2)%3}
		grade := mask.Pass + mask.Grade(setting>>4)%4
		run := func(cut func(i int) int) ([]int16, []path.Event, path.Stats) {
			p, err := path.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			p.SetGrade(grade)
			p.OpenField(setting&0x80 != 0)
			in := append(slices.Clone(x), make([]int16, p.Delay())...)
			out := make([]int16, len(in))
			var events []path.Event
			for at, i := 0, 0; at < len(in); i++ {
				to := min(at+cut(i), len(in))
				p.Write(in[at:to])
				p.Read(out[at:to])
				events = append(events, drain(p)...)
				at = to
			}
			return out, events, p.Stats()
		}
		want, wantEvents, stats := run(func(int) int { return 1 })
		if stats.Faults != 0 {
			t.Fatal("the path counted a fault")
		}
		got, gotEvents, gotStats := run(func(i int) int {
			if len(cuts) < 2 {
				return path.MaxBlock
			}
			return blockOf(binary.LittleEndian.Uint16(cuts[2*(i%(len(cuts)/2)):]))
		})
		if !slices.Equal(got, want) || !slices.Equal(gotEvents, wantEvents) || gotStats != stats {
			t.Fatal("other blocks, other output")
		}
		replaced := checkReplaced(t, x, want, cfg.Rate)
		if int64(replaced) > stats.MaskedFrames {
			t.Fatalf("%d frames were replaced, %d are said to be", replaced, stats.MaskedFrames)
		}
		if grade == mask.Pass && replaced > 0 {
			t.Fatal("an open path changed something")
		}
	})
}

// checkReplaced holds every tick of a path's output to being what went in or within the mask's bound: whole, or the part of it that a mask
// was cut for. It tells how many frames were replaced.
func checkReplaced(t *testing.T, in, out []int16, rate audio.Rate) (replaced int) {
	t.Helper()
	// The fill: half a step of 3 dB over the loudest background that it follows, and peaks at the root of 6 times its mean.
	most := int(audio.Amplitude(mask.DefaultToneDBm0) + audio.Amplitude(-42+1.5)*math.Sqrt(3) + 1)
	delay, tick := len(out)-len(in), rate.TickFrames()
	for i, v := range out[:delay] {
		if v != 0 {
			t.Fatalf("frame %d came before anything was written", i)
		}
	}
	for at := 0; at < len(in); at += tick {
		to := min(at+tick, len(in))
		said, heard := in[at:to], out[at+delay:to+delay]
		if slices.Equal(said, heard) {
			continue
		}
		first, last := 0, len(heard)-1
		for said[first] == heard[first] {
			first++
		}
		for said[last] == heard[last] {
			last--
		}
		replaced += last - first + 1
		for i, v := range heard[first : last+1] {
			if int(v) > most || int(v) < -most {
				t.Fatalf("frame %d is %d, where the mask may be %d", at+first+i, v, most)
			}
		}
	}
	return replaced
}

// FuzzAgent feeds both legs the same samples: nothing panics, no fault is counted, and the agent's leg is the same in any
// blocks and, where the line isn't armed, bit for bit what went in; where it is, that or soft noise. Whose a key is that both begin
// in one and the same tick may depend on the blocks, for they say which leg is heard first.
func FuzzAgent(f *testing.F) {
	f.Add(someKeys(), uint8(1), uint16(160), uint8(0x20))
	f.Add(someKeys(), uint8(9), uint16(path.MaxBlock-1), uint8(0x20))
	f.Add(someKeys(), uint8(1), uint16(79), uint8(0x10))
	f.Add([]byte{0xff, 0x7f, 0x00, 0x80, 0xff, 0x7f, 0x00, 0x80}, uint8(255), uint16(1), uint8(3))
	f.Fuzz(func(t *testing.T, raw []byte, times uint8, block uint16, setting uint8) {
		x := anySound(raw, times)
		grade := mask.Pass + mask.Grade(setting>>4)%4
		run := func(block int) (heard, said []int16, delay int) {
			p, a := openBoth(t, path.Config{Rate: rates[setting&3]}, grade)
			heard, said, _ = converse(p, a, x, x, block)
			if p.Stats().Faults != 0 {
				t.Fatal("the path counted a fault")
			}
			return heard, said, p.Delay()
		}
		heard, said, delay := run(1)
		_, again, _ := run(blockOf(block))
		if !slices.Equal(said, again) {
			t.Fatal("other blocks, other output")
		}
		if len(x) > delay {
			checkReplaced(t, x[:len(x)-delay], heard, rates[setting&3])
		}
		soft := int16(audio.Amplitude(-60)*math.Sqrt(1.5) + 1)
		for i, v := range said {
			if v != x[i] && (grade != mask.Armed || v > soft || v < -soft) {
				t.Fatalf("frame %d of the agent's leg was changed to %d", i, v)
			}
		}
	})
}
