package path_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
)

// FuzzPath feeds any samples in any blocks, at any rate, grade and shield: nothing panics,
// no fault is counted, and the output is that of the same input sample by sample.
func FuzzPath(f *testing.F) {
	keys := keysAt(8000)[2200:3400]
	b := make([]byte, 2*len(keys))
	for i, v := range keys {
		binary.LittleEndian.PutUint16(b[2*i:], uint16(v))
	}
	f.Add(b, []byte{160, 1, 7, 255}, uint8(0))
	f.Add([]byte{0xff, 0x7f, 0x00, 0x80, 0xff, 0x7f, 0x00, 0x80}, []byte{1}, uint8(0x53))
	f.Add([]byte{}, []byte{}, uint8(0xff))
	f.Fuzz(func(t *testing.T, raw, blocks []byte, setting uint8) {
		x := make([]int16, len(raw)/2)
		for i := range x {
			x[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
		}
		cfg := path.Config{Rate: rates[setting&3], Shield: mask.Keys + mask.Shield(setting>>2)%3}
		grade := mask.Pass + mask.Grade(setting>>4)%4
		run := func(blocks []byte) ([]int16, []path.Event) {
			p, err := path.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			p.SetGrade(grade)
			p.OpenField(setting&0x80 != 0)
			in := append(slices.Clone(x), make([]int16, p.Delay())...)
			out := make([]int16, len(in))
			for at, i := 0, 0; at < len(in); i++ {
				to := at + 1
				if len(blocks) > 0 {
					to += 16 * int(blocks[i%len(blocks)])
				}
				to = min(to, len(in))
				p.Write(in[at:to])
				p.Read(out[at:to])
				at = to
			}
			if p.Stats().Faults != 0 {
				t.Fatal("the path counted a fault")
			}
			return out, drain(p)
		}
		want, wantEvents := run(nil)
		got, gotEvents := run(blocks)
		if !slices.Equal(got, want) || !slices.Equal(gotEvents, wantEvents) {
			t.Fatal("other blocks, other output")
		}
	})
}

// FuzzAgent feeds both legs the same samples: nothing panics, no fault is counted, and the agent's leg is the same in any
// blocks and, where the line isn't armed, bit for bit what went in.
func FuzzAgent(f *testing.F) {
	keys := keysAt(8000)[2200:3400]
	b := make([]byte, 2*len(keys))
	for i, v := range keys {
		binary.LittleEndian.PutUint16(b[2*i:], uint16(v))
	}
	f.Add(b, uint8(160), uint8(0x20))
	f.Add([]byte{0xff, 0x7f, 0x00, 0x80, 0xff, 0x7f, 0x00, 0x80}, uint8(1), uint8(3))
	f.Fuzz(func(t *testing.T, raw []byte, block, setting uint8) {
		x := make([]int16, len(raw)/2)
		for i := range x {
			x[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
		}
		grade := mask.Pass + mask.Grade(setting>>4)%4
		run := func(block int) []int16 {
			p, a := openBoth(t, path.Config{Rate: rates[setting&3]}, grade)
			_, said, _ := converse(p, a, x, x, block)
			if p.Stats().Faults != 0 {
				t.Fatal("the path counted a fault")
			}
			return said
		}
		said := run(1)
		if !slices.Equal(said, run(16*int(block)+1)) {
			t.Fatal("other blocks, other output")
		}
		if grade != mask.Armed && !slices.Equal(said, x) {
			t.Fatal("an open leg was changed")
		}
	})
}
