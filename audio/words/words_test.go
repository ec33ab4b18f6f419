package words

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
	"time"
	"unicode"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/level"
	"github.com/flattone/flattone/audio/tone"
)

// TestEveryWordIsSpoken: each has its recording, of a length and a level that can be heard on any telephone, and all together are small.
func TestEveryWordIsSpoken(t *testing.T) {
	whole := 0
	for _, language := range Languages() {
		words := In(language)
		if len(words) != len(names) || len(words) != 16 || len(slices.Compact(slices.Sorted(slices.Values(words)))) != 16 {
			t.Errorf("%s has %d words, or one twice", language, len(words))
		}
		for i, word := range words {
			file, err := recorded.ReadFile("recorded/" + language + "/" + names[i] + ".wav")
			if err != nil {
				t.Fatal(err)
			}
			whole += len(file)
			// RIFF, 18 bytes of format: mu-law (7), one channel, 8000 a second.
			if string(file[:4]) != "RIFF" || binary.LittleEndian.Uint16(file[20:]) != 7 || binary.LittleEndian.Uint16(file[22:]) != 1 || binary.LittleEndian.Uint32(file[24:]) != 8000 {
				t.Errorf("%s %s is another kind of file", language, word)
			}
			frames, err := Frames(language, word, audio.Rate8k)
			if err != nil {
				t.Fatal(err)
			}
			took := time.Duration(len(frames)) * time.Second / 8000
			if took < 200*time.Millisecond || took > 900*time.Millisecond {
				t.Errorf("%s %s takes %v", language, word, took)
			}
			if dBm0 := loud(frames); math.Abs(dBm0+20) > 0.5 {
				t.Errorf("%s %s is at %.1f dBm0", language, word, dBm0)
			}
			for _, c := range word {
				if !unicode.IsLetter(c) && c != 'ー' {
					t.Errorf("%s %s has %q in it", language, word, c)
				}
			}
		}
	}
	if whole > 400_000 {
		t.Errorf("the recordings have %d bytes", whole)
	}
}

// TestWordsAtOtherRates: they last as long, and a tone stays one.
func TestWordsAtOtherRates(t *testing.T) {
	sine := tone.Append(nil, audio.Rate8k, 8000, 800, tone.Sine{Hz: 1000, DBm0: -20})
	for _, rate := range []audio.Rate{audio.Rate16k, audio.Rate44k, audio.Rate48k} {
		got := at(rate, sine)
		want := tone.Append(nil, rate, int(rate), int(rate)/10, tone.Sine{Hz: 1000, DBm0: -20})
		if len(got) != int(rate) {
			t.Fatalf("a second has %d frames at %d Hz", len(got), rate)
		}
		var wrong float64
		for i := range got {
			wrong = max(wrong, math.Abs(float64(got[i])-float64(want[i])))
		}
		if wrong > 0.02*float64(slices.Max(want)) {
			t.Errorf("at %d Hz a tone is off by %.0f of %d", rate, wrong, slices.Max(want))
		}
		slow, err := Frames("ja", "庭", audio.Rate8k)
		fast, err2 := Frames("ja", "庭", rate)
		if err != nil || err2 != nil || math.Abs(float64(len(fast))/float64(rate)-float64(len(slow))/8000) > 0.001 || math.Abs(loud(fast)-loud(slow)) > 0.5 {
			t.Errorf("at %d Hz: %v, %v, %d frames at %.1f dBm0", rate, err, err2, len(fast), loud(fast))
		}
	}
}

func TestWhatIsNoWord(t *testing.T) {
	for _, tc := range [][2]string{{"en", "nine"}, {"en", ""}, {"xx", "moon"}, {"", ""}, {"..", "moon"}, {"fr", "moon"}} {
		if _, err := Frames(tc[0], tc[1], audio.Rate8k); err == nil {
			t.Errorf("%q is spoken", tc)
		}
	}
	if In("xx") != nil {
		t.Error("there are words of no language")
	}
	for _, file := range [][]byte{nil, []byte("RIFF"), []byte("RIFF\x00\x00\x00\x00WAVEdata\xff\x00\x00\x00"), make([]byte, 40)} {
		if _, err := data(file); err == nil {
			t.Errorf("%q has sound", file)
		}
	}
}

// loud is the level of the whole.
func loud(frames []int16) float64 {
	_, squares := level.Sums(frames)
	return audio.DBm0(float64(squares) / float64(len(frames)))
}
