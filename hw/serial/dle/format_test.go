package dle_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/hw/hwtest/wires"
	"github.com/flattone/flattone/hw/serial/dle"
)

func TestFormatsOfMakes(t *testing.T) {
	for _, m := range wires.Formats {
		var formats []dle.Format
		for _, line := range m.Lines {
			f, err := dle.ParseFormat([]byte(line.Line))
			if err != nil || f.ID != line.ID || f.Coding.String() != line.Coding {
				t.Errorf("%s: %s: %d, %v, %v", m.Make, line.Line, f.ID, f.Coding, err)
			}
			formats = append(formats, f)
		}
		if best, ok := dle.Best(formats); ok != (m.Best >= 0) || ok && best.ID != m.Best {
			t.Errorf("%s: the best is %d, %v", m.Make, best.ID, ok)
		}
	}
}

func TestNamesOfFormats(t *testing.T) {
	for line, want := range map[string]dle.Coding{
		`1,UNSIGNED PCM,8,0,8000,0,0`:                 dle.Unsigned8,
		`1, "unsigned pcm" , 8 , 0 , ( 8000 ) ,0,0`:   dle.Unsigned8,
		`2,"SIGNED LINEAR",16,0,(8000,16000),(0),(0)`: dle.Signed16,
		`2,"UNSIGNED PCM",16,0,8000,0,0`:              dle.Unusable, // nobody's
		`3,"MU-LAW",8,0,8000,0,0`:                     dle.Mu,
		`3,"A-law",8,0,8000,0,0`:                      dle.A,
		`3,"G.711U",8,0,8000,0,0`:                     dle.Mu,
		`3,"G.726",4,0,8000,0,0`:                      dle.Unusable,
		`3,"ULAW",16,0,8000,0,0`:                      dle.Unusable,
		`3,"LINEAR",4,0,8000,0,0`:                     dle.Unusable,
		`3,"LINEAR",8,0,(7200-11025),0,0`:             dle.Unsigned8,
		`3,"LINEAR",8,0,(4800-7200,8001-11025),0,0`:   dle.Unusable,
		`3,"LINEAR",8,0,(any),0,0`:                    dle.Unusable,
		`3,"LINEAR, THE (8000",8,0,(8000),0,0`:        dle.Unusable, // a parenthesis is open
	} {
		if f, err := dle.ParseFormat([]byte(line)); err != nil || f.Coding != want {
			t.Errorf("%s: %v, %v", line, f.Coding, err)
		}
	}
}

func TestWhatIsNoFormat(t *testing.T) {
	for line, fault := range map[string]string{
		``:                    "with commas between",
		`OK`:                  "with commas between",
		`1,"UNSIGNED PCM"`:    "with commas between",
		`1;CELP;1;0;(9600)`:   "with commas between", // ZyXEL's of before V.253
		`x,"LINEAR",(8000)`:   "begin with a number",
		`-1,"LINEAR",(8000)`:  "begin with a number",
		`1,"LINEAR",x,0,8000`: "the bits of a sample",
	} {
		if _, err := dle.ParseFormat([]byte(line)); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestSamplesOfEachCoding(t *testing.T) {
	for coding, c := range map[dle.Coding]struct {
		bytes   []byte
		samples []int16
	}{
		dle.Signed16:  {[]byte{0x01, 0x00, 0xff, 0xff, 0xff, 0x7f, 0x00, 0x80}, []int16{1, -1, 32767, -32768}},
		dle.Unsigned8: {[]byte{0x80, 0x81, 0x7f, 0xff, 0x00}, []int16{0, 256, -256, 32512, -32768}},
		dle.Signed8:   {[]byte{0x00, 0x01, 0xff, 0x7f, 0x80}, []int16{0, 256, -256, 32512, -32768}},
		dle.Mu:        {[]byte{0xff, 0x80, 0x00}, []int16{0, 32124, -32124}},
		dle.A:         {[]byte{0xd5, 0xaa, 0x2a}, []int16{8, 32256, -32256}},
	} {
		samples, bytes := make([]int16, len(c.samples)), make([]byte, len(c.bytes))
		coding.Samples(samples, c.bytes)
		coding.Bytes(bytes, c.samples)
		if !slices.Equal(samples, c.samples) || !slices.Equal(bytes, c.bytes) {
			t.Errorf("%v: %v, %#02x", coding, samples, bytes)
		}
		coding.Samples(samples, c.bytes[:coding.Width()]) // no more than there is,
		coding.Bytes(bytes[:coding.Width()], c.samples)   // and than there is room for
		coding.Bytes(bytes[:coding.Width()-1], c.samples)
		if n := testing.AllocsPerRun(10, func() { coding.Samples(samples, bytes); coding.Bytes(bytes, samples) }); n != 0 {
			t.Errorf("%v: %v allocations", coding, n)
		}
	}
	silent := []int16{1, 2}
	dle.Unusable.Samples(silent, []byte{9, 9})
	if !slices.Equal(silent, []int16{1, 2}) {
		t.Error("an unusable format was read")
	}
}

// Each coding is at least as good as those before it, to a decibel: by the noise that it adds to a tone as loud as speech, and to one as weak as a key may be.
func TestCodingsAreInTheirOrder(t *testing.T) {
	for _, level := range []float64{-20, -40} {
		best := math.Inf(-1)
		for coding := dle.Signed8; coding <= dle.Signed16; coding++ {
			var signal, noise float64
			for i := range 8000 {
				v := audio.Amplitude(level) * math.Sin(2*math.Pi*701*float64(i)/8000)
				var b [2]byte
				var back [1]int16
				coding.Bytes(b[:], []int16{int16(math.Round(v))})
				coding.Samples(back[:], b[:])
				signal, noise = signal+v*v, noise+(float64(back[0])-v)*(float64(back[0])-v)
			}
			ratio := 10 * math.Log10(signal/noise)
			if ratio < best-1 {
				t.Errorf("%v dBm0: %v is worse than one before it: %.1f dB, not %.1f", level, coding, ratio, best)
			}
			best = max(best, ratio)
		}
	}
}

// Every sample comes back within half a step of 8 bits, or in full.
func TestSamplesComeBack(t *testing.T) {
	for coding, most := range map[dle.Coding]int{dle.Signed16: 0, dle.Unsigned8: 128, dle.Signed8: 128} {
		for v := -32768; v <= 32767; v++ {
			var b [2]byte
			back := [1]int16{}
			coding.Bytes(b[:], []int16{int16(v)})
			coding.Samples(back[:], b[:])
			if off := int(back[0]) - v; (off > most || off < -most) && v < 32640 { // above, the last step is cut
				t.Fatalf("%v: %d came back as %d", coding, v, back[0])
			}
		}
	}
}

// Whatever a modem lists, what is found is a format that could be.
func FuzzFormat(f *testing.F) {
	for _, m := range wires.Formats {
		for _, line := range m.Lines {
			f.Add([]byte(line.Line))
		}
	}
	f.Add([]byte(`1,"LINEAR",(99999999999999999999-8000,-)`))
	f.Fuzz(func(t *testing.T, line []byte) {
		got, err := dle.ParseFormat(line)
		if err != nil && got != (dle.Format{}) || got.ID < 0 {
			t.Errorf("%+v, %v", got, err)
		}
		if best, ok := dle.Best([]dle.Format{got}); ok && best != got {
			t.Errorf("%+v is better", best)
		}
		_ = got.Coding.String()
	})
}
