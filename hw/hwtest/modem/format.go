package modem

import "github.com/flattone/flattone/audio/g711"

// Coding is how a voice modem writes samples.
type Coding int

// The codings.
const (
	Unsigned8 Coding = iota + 1
	Signed8
	Linear16 // little endian
	MuLaw
	ALaw
	ADPCM // which this modem lists and can't
)

// Format is one that a voice modem lists, by which Line, as which of its numbers.
type Format struct {
	ID     int
	Line   string
	Coding Coding
}

// conexant are those of a CX93001.
var conexant = []Format{
	{0, `0,"SIGNED PCM",8,0,8000,0,0`, Signed8},
	{1, `1,"UNSIGNED PCM",8,0,8000,0,0`, Unsigned8},
	{131, `131,"IMA ADPCM",4,0,8000,0,0`, ADPCM},
}

// bytes appends a sample, as it is between the DLEs.
func (f Format) bytes(dst []byte, sample int16) []byte {
	switch f.Coding {
	case Unsigned8:
		return append(dst, byte(sample>>8)+128)
	case Signed8:
		return append(dst, byte(sample>>8))
	case MuLaw:
		return append(dst, g711.EncodeMu(sample))
	case ALaw:
		return append(dst, g711.EncodeA(sample))
	}
	return append(dst, byte(sample), byte(uint16(sample)>>8))
}

// samples appends what bytes are, and answers what is left of them.
func (f Format) samples(dst []int16, p []byte) ([]int16, []byte) {
	for len(p) > 0 {
		switch f.Coding {
		case Unsigned8:
			dst = append(dst, int16(p[0]-128)<<8)
		case Signed8:
			dst = append(dst, int16(p[0])<<8)
		case MuLaw:
			dst = append(dst, g711.DecodeMu(p[0]))
		case ALaw:
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
