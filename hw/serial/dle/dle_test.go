package dle_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flattone/flattone/hw/hwtest/wires"
	"github.com/flattone/flattone/hw/serial/at"
	"github.com/flattone/flattone/hw/serial/dle"
	"pgregory.net/rapid"
)

// heard is what came out of a Decoder: data, and codes with how much data was before each.
type heard struct {
	data  []byte
	codes []dle.Code
	at    []int
}

// decode puts a piece through d, room bytes at a time.
func (h *heard) decode(d *dle.Decoder, room []byte, piece []byte) {
	for {
		n, used, code := d.Decode(room, piece)
		h.data = append(h.data, room[:n]...)
		piece = piece[used:]
		if code != 0 {
			h.codes, h.at = append(h.codes, code), append(h.at, len(h.data))
		} else if n < len(room) {
			return // that it took all of the piece, what comes out will show
		}
	}
}

// code is what a byte behind DLE is told as.
func code(b byte) dle.Code {
	if slices.Contains([]byte("0123456789*#ABCD"), b) {
		return dle.AnyKey
	}
	return dle.Code(b)
}

func TestStreamsInAnyCut(t *testing.T) {
	for _, stream := range wires.Streams {
		if stream.Data == nil {
			continue // of a modem that doesn't shield
		}
		var want heard
		for i, data := range stream.Data {
			want.data = append(want.data, data...)
			if i < len(stream.Codes) {
				want.codes, want.at = append(want.codes, code(stream.Codes[i])), append(want.at, len(want.data))
			}
		}
		for pieces := range wires.Cuts(stream.Wire) {
			for _, room := range []int{1, 2, 3, 100} {
				var d dle.Decoder
				var got heard
				for _, piece := range pieces {
					got.decode(&d, make([]byte, room), []byte(piece))
				}
				if !bytes.Equal(got.data, want.data) || !slices.Equal(got.codes, want.codes) || !slices.Equal(got.at, want.at) {
					t.Fatalf("%s: %q, %d bytes of room: %q, %v; want %q, %v", stream.Name, pieces, room, got.data, got.at, want.data, want.at)
				}
			}
		}
	}
}

// What a voice modem says between codes is lines.
func TestLinesBetweenCodes(t *testing.T) {
	for _, stream := range wires.Streams {
		if stream.Data == nil {
			continue
		}
		for pieces := range wires.Cuts(stream.Wire) {
			var d dle.Decoder
			var got heard
			for _, piece := range pieces {
				got.decode(&d, make([]byte, 8), []byte(piece))
			}
			var s at.Scanner
			var lines []string
			for p := got.data; len(p) > 0; {
				used, line := s.Next(p)
				if p = p[used:]; line != nil {
					lines = append(lines, string(line))
				}
			}
			if !slices.Equal(lines, stream.Lines) {
				t.Fatalf("%s: %q of %q, want %q", stream.Name, lines, pieces, stream.Lines)
			}
		}
	}
}

func TestEveryCodeHasItsClass(t *testing.T) {
	var d dle.Decoder
	for _, c := range wires.Codes {
		n, used, got := d.Decode(make([]byte, 2), []byte{wires.DLE, c.Byte})
		if n != 0 || used != 2 || got != code(c.Byte) {
			t.Fatalf("%#02x is %#02x, with %d bytes of data, %d used", c.Byte, got, n, used)
		}
		if got.Class().String() != c.Class {
			t.Errorf("%#02x is of %v, want %s", c.Byte, got.Class(), c.Class)
		}
	}
	classes := map[byte]dle.Class{}
	for b := range 256 {
		if _, _, code := d.Decode(make([]byte, 2), []byte{wires.DLE, byte(b)}); code != 0 {
			classes[byte(b)] = code.Class()
		}
		d = dle.Decoder{}
	}
	for _, c := range wires.Codes {
		delete(classes, c.Byte)
	}
	for b, class := range classes {
		if class != dle.Other {
			t.Errorf("%#02x, which is in no table, is of %v", b, class)
		}
	}
}

// A room of one byte more than there is to decode is enough, whatever is owed from before.
func TestRoomThatIsAlwaysEnough(t *testing.T) {
	for _, before := range []string{"", "\x10", "\x10\x1a"} {
		for _, src := range []string{"", "\x1a", "\x10", "\x10\x1a", "abc", "\x10\x1a\x10\x1a", "\x1a\x10\x1a", "\x10\x10\x10\x1a\x10"} {
			var d dle.Decoder
			d.Decode(make([]byte, 1), []byte(before)) // one DLE is owed where it may be
			if _, used, code := d.Decode(make([]byte, len(src)+1), []byte(src)); code == 0 && used != len(src) {
				t.Errorf("%q behind %q: %d used", src, before, used)
			}
		}
	}
}

func TestEncode(t *testing.T) {
	for _, c := range []struct {
		src  string
		room int
		want string
		used int
	}{
		{"abc", 9, "abc", 3},
		{"a\x10c", 9, "a\x10\x10c", 3},
		{"\x10\x10", 9, "\x10\x10\x10\x10", 2},
		{"a\x10c", 2, "a", 1}, // half a pair is none
		{"a\x10c", 3, "a\x10\x10", 2},
		{"\x10", 1, "", 0},
		{"abc", 2, "ab", 2},
		{"abc", 0, "", 0},
		{"", 9, "", 0},
	} {
		dst := make([]byte, c.room)
		if n, used := dle.Encode(dst, []byte(c.src)); string(dst[:n]) != c.want || used != c.used {
			t.Errorf("%q into %d: %q, %d used", c.src, c.room, dst[:n], used)
		}
	}
}

// A modem's stream of any bytes, with every code of the table at any places, doubled DLEs put as SUB or not, and read in any cuts into any room,
// is those bytes and those codes at those places: of 10^6 bytes and of few.
func TestNothingIsLost(t *testing.T) {
	t.Run("a million bytes", func(t *testing.T) {
		rng := rand.New(rand.NewPCG(5, 253))
		roundTrip(t, 1_000_000, 4000, func(n int) int { return rng.IntN(n + 1) })
	})
	rapid.Check(t, func(t *rapid.T) {
		roundTrip(t, rapid.IntRange(0, 200).Draw(t, "bytes"), rapid.IntRange(0, 3).Draw(t, "codes"), func(n int) int {
			return rapid.IntRange(0, n).Draw(t, "any")
		})
	})
}

// roundTrip sends so many bytes, with every code so often; draw draws a number up to another.
func roundTrip(t rapid.TB, bytesOf, times int, draw func(int) int) {
	t.Helper()
	var want heard
	want.data = make([]byte, bytesOf)
	for i := range want.data {
		if want.data[i] = byte(draw(255)); draw(9) == 0 {
			want.data[i] = wires.DLE
		}
	}
	for range times {
		for _, c := range wires.Codes {
			want.codes, want.at = append(want.codes, code(c.Byte)), append(want.at, draw(bytesOf))
		}
	}
	slices.Sort(want.at)
	var wire []byte
	shielded, from := make([]byte, 32), 0
	send := func(to int) {
		for from < to {
			if i := from; i+1 < to && want.data[i] == wires.DLE && want.data[i+1] == wires.DLE && draw(1) == 0 {
				wire, from = append(wire, wires.DLE, wires.SUB), from+2
				continue
			}
			n, used := dle.Encode(shielded[:2+draw(30)], want.data[from:to])
			wire, from = append(wire, shielded[:n]...), from+used
		}
	}
	for i := range want.codes {
		send(want.at[i])
		wire = append(wire, wires.DLE, wires.Codes[i%len(wires.Codes)].Byte)
	}
	send(bytesOf)

	var d dle.Decoder
	var got heard
	room := make([]byte, 700)
	for len(wire) > 0 {
		n := min(len(wire), draw(500))
		got.decode(&d, room[:1+draw(len(room)-1)], wire[:n])
		wire = wire[n:]
	}
	if !bytes.Equal(got.data, want.data) || !slices.Equal(got.codes, want.codes) || !slices.Equal(got.at, want.at) {
		t.Fatalf("%d bytes and %d codes came of %d and %d, or not in their places", len(got.data), len(got.codes), len(want.data), len(want.codes))
	}
}

func TestNothingIsAllocated(t *testing.T) {
	var d dle.Decoder
	src, dst := bytes.Repeat([]byte("sound\x10u\x10\x10sound\x10\x1a\x10/"), 20), make([]byte, 1000)
	if n := testing.AllocsPerRun(100, func() {
		for p := src; len(p) > 0; {
			_, used, code := d.Decode(dst, p)
			p = p[used:]
			_ = code.Class().String()
		}
		dle.Encode(dst, src)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Any bytes are the same in any cut and any room; and what is encoded is decoded to what it was.
func FuzzDecoder(f *testing.F) {
	for _, stream := range wires.Streams {
		f.Add([]byte(stream.Wire), uint8(1), uint8(1))
	}
	for _, c := range wires.Codes {
		f.Add([]byte{'a', wires.DLE, c.Byte, 'b', wires.DLE}, uint8(3), uint8(2))
	}
	f.Fuzz(func(t *testing.T, wire []byte, step, room uint8) {
		var whole, cut, back heard
		whole.decode(new(dle.Decoder), make([]byte, len(wire)+1), wire)
		var d dle.Decoder
		for rest := range slices.Chunk(wire, 1+int(step)) {
			cut.decode(&d, make([]byte, 1+int(room)), rest)
		}
		if !bytes.Equal(whole.data, cut.data) || !slices.Equal(whole.codes, cut.codes) || !slices.Equal(whole.at, cut.at) {
			t.Errorf("%q at once, %q in pieces", whole.data, cut.data)
		}
		if slices.ContainsFunc(whole.codes, func(c dle.Code) bool { return c != dle.AnyKey && c != code(byte(c)) }) {
			t.Error("a key was told")
		}
		shielded := make([]byte, 2*len(wire))
		n, used := dle.Encode(shielded, wire)
		back.decode(new(dle.Decoder), make([]byte, 1+int(room)), shielded[:n])
		if used != len(wire) || !bytes.Equal(back.data, wire) || back.codes != nil {
			t.Errorf("%q came back of %q", back.data, wire)
		}
	})
}
