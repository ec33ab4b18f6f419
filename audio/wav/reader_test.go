package wav_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/wav"
)

// chunk is a RIFF chunk with its padding.
func chunk(id string, body []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(body)))
	b = append(b, body...)
	if len(body)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func format(tag, channels uint16, rate uint32, bits uint16) []byte {
	align := channels * ((bits + 7) / 8)
	b := binary.LittleEndian.AppendUint16(nil, tag)
	b = binary.LittleEndian.AppendUint16(b, channels)
	b = binary.LittleEndian.AppendUint32(b, rate)
	b = binary.LittleEndian.AppendUint32(b, rate*uint32(align))
	b = binary.LittleEndian.AppendUint16(b, align)
	return binary.LittleEndian.AppendUint16(b, bits)
}

// extensible is WAVE_FORMAT_EXTENSIBLE around a plain tag.
func extensible(tag, channels uint16, rate uint32, bits, valid uint16) []byte {
	b := format(0xfffe, channels, rate, bits)
	b = binary.LittleEndian.AppendUint16(b, 22)
	b = binary.LittleEndian.AppendUint16(b, valid)
	b = binary.LittleEndian.AppendUint32(b, 4)
	b = binary.LittleEndian.AppendUint16(b, tag)
	return append(b, "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"...)
}

func pcm(samples ...int16) []byte {
	var b []byte
	for _, v := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

func riff(chunks ...[]byte) []byte {
	body := append([]byte("WAVE"), slices.Concat(chunks...)...)
	return slices.Concat([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body)
}

func open(b []byte) (*wav.Reader, error) { return wav.NewReader(bytes.NewReader(b), int64(len(b))) }

var (
	samples = []int16{1, -2, 32767, -32768, 0}
	plain   = chunk("fmt ", format(1, 1, 8000, 16))
	data    = chunk("data", pcm(samples...))
)

// accepted are recordings that hold samples at 8 kHz, each in its own dress.
var accepted = map[string][]byte{
	"plain":                    riff(plain, data),
	"extensible":               riff(chunk("fmt ", extensible(1, 1, 8000, 16, 16)), data),
	"long format":              riff(chunk("fmt ", append(format(1, 1, 8000, 16), 0, 0)), data),
	"odd chunks around":        riff(chunk("LIST", []byte("odd")), plain, chunk("bext", make([]byte, 603)), data, chunk("id3 ", []byte("x"))),
	"wrong RIFF length":        slices.Concat([]byte("RIFF\xff\xff\xff\xffWAVE"), plain, data),
	"bytes after the last one": append(riff(plain, data), 1, 2, 3),
}

func TestReaderAccepts(t *testing.T) {
	for name, b := range accepted {
		r, err := open(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := r.All()
		if err != nil || !slices.Equal(got, samples) || r.Rate() != audio.Rate8k || r.Frames() != int64(len(samples)) {
			t.Errorf("%s: %v at %v, %v", name, got, r.Rate(), err)
		}
	}
	for _, rate := range []audio.Rate{audio.Rate16k, audio.Rate44k, audio.Rate48k} {
		r, err := open(riff(chunk("fmt ", format(1, 1, uint32(rate), 16)), data))
		if err != nil || r.Rate() != rate {
			t.Errorf("%v: %v", rate, err)
		}
	}
}

// refused are recordings that are not played, with the reason and a part of what is said.
var refused = map[string]struct {
	file   []byte
	reason error
	says   string
}{
	"no bytes":           {nil, wav.ErrEmpty, "no bytes"},
	"no frames":          {riff(plain, chunk("data", nil)), wav.ErrEmpty, "no frames"},
	"a short header":     {[]byte("RIFF"), wav.ErrNotWAV, "shorter than a header"},
	"text":               {[]byte("this is not a recording"), wav.ErrNotWAV, `"this"`},
	"RF64":               {append([]byte("RF64"), riff(plain, data)[4:]...), wav.ErrNotWAV, `"RF64"`},
	"no data":            {riff(plain), wav.ErrNotWAV, "before any samples"},
	"no format":          {riff(data), wav.ErrNotWAV, "before their format"},
	"half a format":      {riff(plain)[:30], wav.ErrNotWAV, "within its format"},
	"a tiny format":      {riff(chunk("fmt ", make([]byte, 14)), data), wav.ErrNotWAV, "14 bytes"},
	"too many chunks":    {riff(bytes.Repeat(chunk("junk", nil), 1000), plain, data), wav.ErrNotWAV, "within 256 chunks"},
	"stereo":             {riff(chunk("fmt ", format(1, 2, 16000, 16)), data), wav.ErrChannels, "2 channels; try: sox IN.wav -r 16000 -c 1 -b 16 -e signed-integer OUT.wav"},
	"8 bits":             {riff(chunk("fmt ", format(1, 1, 8000, 8)), data), wav.ErrEncoding, "8 bits a sample; try: sox"},
	"24 bits":            {riff(chunk("fmt ", format(1, 1, 8000, 24)), data), wav.ErrEncoding, "24 bits a sample; try: sox"},
	"12 valid bits":      {riff(chunk("fmt ", extensible(1, 1, 8000, 16, 12)), data), wav.ErrEncoding, "12 bits a sample"},
	"floats":             {riff(chunk("fmt ", format(3, 1, 8000, 32)), data), wav.ErrEncoding, "floating point; try: sox"},
	"extensible floats":  {riff(chunk("fmt ", extensible(3, 1, 8000, 16, 16)), data), wav.ErrEncoding, "floating point"},
	"a foreign GUID":     {riff(chunk("fmt ", append(extensible(1, 1, 8000, 16, 16)[:39], 0)), data), wav.ErrEncoding, "unknown extensible"},
	"A-law":              {riff(chunk("fmt ", format(6, 1, 8000, 8)), data), wav.ErrEncoding, "A-law; try: sox"},
	"mu-law":             {riff(chunk("fmt ", format(7, 1, 8000, 8)), data), wav.ErrEncoding, "mu-law"},
	"something else":     {riff(chunk("fmt ", format(0x161, 1, 8000, 16)), data), wav.ErrEncoding, "tag 0x0161"},
	"11025 Hz":           {riff(chunk("fmt ", format(1, 1, 11025, 16)), data), wav.ErrRate, "11025 Hz, and 8000"},
	"two frames missing": {riff(plain, data)[:44+6], wav.ErrTruncated, "2 of 5 frames are missing; try: sox --ignore-length"},
	"a byte missing":     {riff(plain, data)[:44+9], wav.ErrTruncated, "1 of 5 frames are missing"},
	"half a frame":       {riff(plain, chunk("data", []byte{1, 2, 3})), wav.ErrTruncated, "within a frame"},
	"an open length": {slices.Concat(riff(plain), []byte("data\xff\xff\xff\xff"), pcm(samples...)),
		wav.ErrTruncated, "left open"},
}

func TestReaderRefuses(t *testing.T) {
	for name, c := range refused {
		_, err := open(c.file)
		var e *wav.Error
		if !errors.Is(err, c.reason) || !errors.As(err, &e) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadAtFromAnywhere(t *testing.T) {
	long := make([]int16, 10_000)
	for i := range long {
		long[i] = int16(i * 7)
	}
	r, err := open(riff(plain, chunk("data", pcm(long...))))
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]int16, 3000)
	for _, at := range []int64{0, 1, 4999, 7000, 7001, 9999, 10_000, math.MaxInt32} {
		want := long[min(at, 10_000):min(at+3000, 10_000)]
		n, err := r.ReadAt(dst, at)
		if n != len(want) || !slices.Equal(dst[:n], want) {
			t.Errorf("at %d: %d frames, or other frames", at, n)
		}
		if short := len(want) < len(dst); short && err != io.EOF || !short && err != nil {
			t.Errorf("at %d: %d frames and %v", at, n, err)
		}
	}
	if n := testing.AllocsPerRun(10, func() { r.ReadAt(dst, 0) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

func TestRecordingThatShrinksUnderTheReader(t *testing.T) {
	b := riff(plain, data)
	r, err := wav.NewReader(io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))-2), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.All(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

func FuzzReader(f *testing.F) {
	for _, b := range accepted {
		f.Add(b)
	}
	for _, c := range refused {
		f.Add(c.file)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := open(b)
		if err != nil {
			var e *wav.Error
			if !errors.As(err, &e) {
				t.Fatalf("not an Error: %v", err)
			}
			return
		}
		if r.Frames() <= 0 || r.Frames() > int64(len(b)/2) || !r.Rate().Supported() {
			t.Fatalf("%d frames at %v from %d bytes", r.Frames(), r.Rate(), len(b))
		}
		if _, err := r.All(); err != nil {
			t.Fatal(err)
		}
	})
}
