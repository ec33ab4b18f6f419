package words

import (
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/g711"
)

//go:embed recorded/*/*.wav
var recorded embed.FS

// Frames is a word of a language as it is spoken, at -20 dBm0 and at rate. It allocates and computes: do it before anybody waits for sound.
func Frames(language, word string, rate audio.Rate) ([]int16, error) {
	i := slices.Index(languages[language], word)
	if i < 0 {
		return nil, fmt.Errorf("%q is no word that can be spoken in %q", word, language)
	}
	file, err := recorded.ReadFile("recorded/" + language + "/" + names[i] + ".wav")
	if err != nil {
		return nil, err
	}
	codes, err := data(file)
	if err != nil {
		return nil, fmt.Errorf("the recording of %s: %w", names[i], err)
	}
	frames := make([]int16, len(codes))
	for i, code := range codes {
		frames[i] = g711.DecodeMu(code)
	}
	return at(rate, frames), nil
}

// data is a WAV file's, which is of mu-law, mono, at 8 kHz: a test says so of each.
func data(file []byte) ([]byte, error) {
	const head = 8 // a chunk's name and length
	for rest := file[min(12, len(file)):]; len(rest) >= head; {
		size := int(binary.LittleEndian.Uint32(rest[4:]))
		if size > len(rest)-head {
			break
		}
		if string(rest[:4]) == "data" {
			return rest[head : head+size], nil
		}
		rest = rest[head+size+size%2:]
	}
	return nil, errors.New("it has no sound")
}

// reach is how many frames on either side a resampled one is made of.
const reach = 16

// at has frames of 8 kHz at another rate, which is higher: by a sinc under a Hann window, frame by frame.
func at(rate audio.Rate, frames []int16) []int16 {
	if rate == audio.Rate8k {
		return frames
	}
	step := float64(audio.Rate8k) / float64(rate)
	out := make([]int16, int(float64(len(frames))/step))
	for i := range out {
		x := float64(i) * step
		var sum float64
		for k := max(0, int(x)-reach+1); k <= min(len(frames)-1, int(x)+reach); k++ {
			d := x - float64(k)
			h := (1 + math.Cos(math.Pi*d/reach)) / 2
			if d != 0 {
				h *= math.Sin(math.Pi*d) / (math.Pi * d)
			}
			sum += h * float64(frames[k])
		}
		out[i] = int16(max(math.MinInt16, min(math.MaxInt16, math.Round(sum))))
	}
	return out
}
