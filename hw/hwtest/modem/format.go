package modem

import (
	"github.com/flattone/flattone/audio/g711"
	"github.com/flattone/flattone/hw/hwtest/wires"
)

// format is how a voice modem writes samples, between the DLEs.
type format wires.Format

// linear is that of the modules.
var linear = format{Coding: wires.Signed16}

// bytes appends a sample.
func (f format) bytes(dst []byte, sample int16) []byte {
	switch f.Coding {
	case wires.Unsigned8:
		return append(dst, byte(sample>>8)+128)
	case wires.Signed8:
		return append(dst, byte(sample>>8))
	case wires.Mu:
		return append(dst, g711.EncodeMu(sample))
	case wires.A:
		return append(dst, g711.EncodeA(sample))
	}
	return append(dst, byte(sample), byte(uint16(sample)>>8))
}

// samples appends what bytes are, and answers what is left of them.
func (f format) samples(dst []int16, p []byte) ([]int16, []byte) {
	for len(p) > 0 {
		switch f.Coding {
		case wires.Unsigned8:
			dst = append(dst, int16(p[0]-128)<<8)
		case wires.Signed8:
			dst = append(dst, int16(p[0])<<8)
		case wires.Mu:
			dst = append(dst, g711.DecodeMu(p[0]))
		case wires.A:
			dst = append(dst, g711.DecodeA(p[0]))
		default:
			if len(p) == 1 {
				return dst, p
			}
			dst = append(dst, int16(uint16(p[0])|uint16(p[1])<<8))
			p = p[1:]
		}
		p = p[1:]
	}
	return dst, nil
}
