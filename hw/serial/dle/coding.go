package dle

import (
	"encoding/binary"

	"github.com/flattone/flattone/audio/g711"
)

// Coding is how a sample is written.
type Coding uint8

// The codings, the better ones last.
const (
	Unusable Coding = iota // compressed, or not at 8 kHz
	Signed8                // linear: what is at -40 dBm0 is 7 dB above its noise, by G.711 30
	Unsigned8
	A // G.711's
	Mu
	Signed16 // linear, little-endian
)

var codings = [...]string{Unusable: "unusable", Signed8: "8-bit signed linear", Unsigned8: "8-bit unsigned linear", A: "A-law", Mu: "mu-law",
	Signed16: "16-bit signed linear"}

func (c Coding) String() string { return codings[c] }

// Width is how many bytes a sample takes.
func (c Coding) Width() int {
	if c == Signed16 {
		return 2
	}
	return 1
}

// Samples makes samples of what is in src, as many as there is room for in dst. Half a sample at its end is left.
func (c Coding) Samples(dst []int16, src []byte) {
	dst = dst[:min(len(dst), len(src)/c.Width())]
	switch c {
	case Signed16:
		for i := range dst {
			dst[i] = int16(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case Unsigned8:
		for i := range dst {
			dst[i] = (int16(src[i]) - 128) << 8
		}
	case Signed8:
		for i := range dst {
			dst[i] = int16(int8(src[i])) << 8
		}
	case Mu:
		for i := range dst {
			dst[i] = g711.DecodeMu(src[i])
		}
	case A:
		for i := range dst {
			dst[i] = g711.DecodeA(src[i])
		}
	}
}

// Bytes writes samples as c has them, as many as there is room for in dst.
func (c Coding) Bytes(dst []byte, src []int16) {
	src = src[:min(len(src), len(dst)/c.Width())]
	switch c {
	case Signed16:
		for i, v := range src {
			binary.LittleEndian.PutUint16(dst[2*i:], uint16(v))
		}
	case Unsigned8:
		for i, v := range src {
			dst[i] = byte(eight(v)) ^ 0x80
		}
	case Signed8:
		for i, v := range src {
			dst[i] = byte(eight(v))
		}
	case Mu:
		for i, v := range src {
			dst[i] = g711.EncodeMu(v)
		}
	case A:
		for i, v := range src {
			dst[i] = g711.EncodeA(v)
		}
	}
}

// eight rounds a sample to 8 bits, so that silence stays silence and nothing is moved to one side.
func eight(v int16) int8 { return int8(min((int(v)+128)>>8, 127)) }
