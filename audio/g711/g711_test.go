package g711_test

import (
	"slices"
	"testing"

	"github.com/flattone/flattone/audio/g711"
)

// segments builds decision values from (steps, width) runs, the way the Recommendation's tables are laid out.
func segments(first []int, runs ...[2]int) []int {
	x := first
	for _, run := range runs {
		for range run[0] {
			x = append(x, x[len(x)-1]+run[1])
		}
	}
	return x
}

// The decision values x_n of G.711, in its own scale: 13 bits for A-law (table 1a), 14 for mu-law (table 2a).
var (
	decisionsA  = segments([]int{0}, [2]int{32, 2}, [2]int{16, 4}, [2]int{16, 8}, [2]int{16, 16}, [2]int{16, 32}, [2]int{16, 64}, [2]int{16, 128})
	decisionsMu = segments([]int{0, 1}, [2]int{15, 2}, [2]int{16, 4}, [2]int{16, 8}, [2]int{16, 16}, [2]int{16, 32}, [2]int{16, 64}, [2]int{16, 128}, [2]int{16, 256})
)

// law is one code as its table defines it: the interval a sample falls in, and the value it decodes to.
type law struct {
	encode    func(int16) byte
	decode    func(byte) int16
	decisions []int
	scale     int // of 16-bit linear to the table's scale
	flip      byte
}

var laws = map[string]law{
	"A":  {g711.EncodeA, g711.DecodeA, decisionsA, 8, 0x80 ^ 0x55},
	"mu": {g711.EncodeMu, g711.DecodeMu, decisionsMu, 4, 0xff},
}

func (l law) interval(sample int16) (n int, negative bool) {
	v := int(sample)
	if v < 0 {
		v, negative = ^v, true
	}
	n, exact := slices.BinarySearch(l.decisions, v/l.scale)
	if !exact {
		n--
	}
	return min(n, 127), negative
}

func (l law) value(n int, negative bool) int16 {
	v := (l.decisions[n] + l.decisions[n+1]) * l.scale / 2
	if n == 0 && l.decisions[1] == 1 {
		v = 0 // y0 of mu-law is 0, not the middle
	}
	if negative {
		v = -v
	}
	return int16(v)
}

func TestEverySampleEncodesByTheDecisionValues(t *testing.T) {
	for name, l := range laws {
		for v := -32768; v <= 32767; v++ {
			n, negative := l.interval(int16(v))
			want := byte(n)
			if negative {
				want |= 0x80
			}
			if got := l.encode(int16(v)); got != want^l.flip {
				t.Fatalf("%s-law: sample %d encodes to %#02x, want %#02x", name, v, got, want^l.flip)
			}
		}
	}
}

func TestEveryCodewordDecodesToItsTableValueAndBack(t *testing.T) {
	for name, l := range laws {
		for c := range 256 {
			wire := byte(c) ^ l.flip
			want := l.value(c&0x7f, c&0x80 != 0)
			got := l.decode(wire)
			if got != want {
				t.Fatalf("%s-law: codeword %#02x decodes to %d, want %d", name, wire, got, want)
			}
			// Mu-law has two zeros; negative zero comes back as positive zero.
			if back := l.encode(got); back != wire && got != 0 {
				t.Fatalf("%s-law: codeword %#02x comes back as %#02x", name, wire, back)
			}
		}
	}
}

func TestKnownWords(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want int
	}{
		{"mu-law idle is all ones", int(g711.EncodeMu(0)), 0xff},
		{"mu-law full scale", int(g711.DecodeMu(0x80)), 8031 * 4},
		{"mu-law clips", int(g711.EncodeMu(-32768)), 0x00},
		{"A-law idle alternates", int(g711.EncodeA(0)), 0xd5},
		{"A-law full scale", int(g711.DecodeA(0xaa)), 4032 * 8},
		{"A-law clips", int(g711.EncodeA(-32768)), 0x2a},
	} {
		if c.got != c.want {
			t.Errorf("%s: %#x, want %#x", c.name, c.got, c.want)
		}
	}
}
