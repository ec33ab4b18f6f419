// Package g711 converts between 16-bit linear PCM and the two 8-bit codes of the telephone network, A-law
// and mu-law (ITU-T G.711). Serial modems and RTP trunks speak them; everything inside flattone is linear.
//
// A codeword is found by a handful of integer operations, so there is no table to build, lock or warm.
// The result is the Recommendation's, value for value: encoding follows the decision values of its tables
// 1 and 2, negative inputs by one's complement as the ITU's own software does (G.191), and decoding gives
// the middle of the interval. Nothing here allocates, fails or keeps state.
package g711

import "math/bits"

// aInvert is the mask of the even bits, which A-law inverts on the wire (G.711, table 1, note 2).
const aInvert = 0x55

// EncodeA is the A-law codeword of one linear sample.
func EncodeA(sample int16) byte {
	code := byte(0x80) // the sign bit is set for positive values
	if sample < 0 {
		sample = ^sample
		code = 0
	}
	// Segments 0 and 1 have the same step, and each further one doubles it.
	magnitude := uint16(sample) >> 4
	if segment := bits.Len16(magnitude) - 4; segment > 0 {
		code |= byte(segment)<<4 | byte(magnitude>>(segment-1))&0x0f
	} else {
		code |= byte(magnitude)
	}
	return code ^ aInvert
}

// DecodeA is the linear sample that an A-law codeword stands for.
func DecodeA(code byte) int16 {
	code ^= aInvert
	magnitude := int16(code&0x0f)<<1 + 1
	if segment := code >> 4 & 7; segment > 0 {
		magnitude = (magnitude + 32) << (segment - 1)
	}
	if code&0x80 == 0 {
		return -magnitude << 3
	}
	return magnitude << 3
}

// muBias moves the segment boundaries of mu-law to powers of two: 33 in the Recommendation's 14-bit scale.
const muBias = 33

// EncodeMu is the mu-law codeword of one linear sample. Magnitudes beyond the last decision value clip.
func EncodeMu(sample int16) byte {
	sign := byte(0)
	if sample < 0 {
		sample = ^sample
		sign = 0x80
	}
	magnitude := min(uint16(sample)>>2, 8158) + muBias
	segment := bits.Len16(magnitude) - 6
	return ^(sign | byte(segment)<<4 | byte(magnitude>>(segment+1))&0x0f)
}

// DecodeMu is the linear sample that a mu-law codeword stands for.
func DecodeMu(code byte) int16 {
	code = ^code
	magnitude := (int16(code&0x0f)<<1+muBias)<<(code>>4&7) - muBias
	if code&0x80 != 0 {
		magnitude = -magnitude
	}
	return magnitude << 2
}
