package corpus

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/wav"
)

// Packages are the Debian packages whose recordings a [Library] holds.
const Packages = "asterisk-core-sounds-en-wav asterisk-core-sounds-es-wav asterisk-core-sounds-fr-wav asterisk-core-sounds-it-wav " +
	"asterisk-core-sounds-ru-wav asterisk-prompt-it-menardi-wav asterisk-moh-opsound-wav"

// Folder is where Debian puts them.
const Folder = "/usr/share/asterisk"

// voices are the folders of prompts: six voices, five languages.
var voices = []string{"en_US_f_Allison", "es_MX_f_Allison", "fr_CA_f_June", "it_IT_f_Menardi", "it_IT_m_Carlo", "ru_RU_f_IvrvoiceRU"}

// Library is speech and music, in memory.
type Library struct {
	speech, music reel
	voices        map[string]*reel
}

// OpenLibrary reads the recordings below folder.
func OpenLibrary(folder string) (*Library, error) {
	l := &Library{voices: map[string]*reel{}}
	for _, v := range voices {
		r, err := read(filepath.Join(folder, "sounds", v))
		if err != nil {
			return nil, err
		}
		l.voices[v] = r
		l.speech.join(r)
	}
	m, err := read(filepath.Join(folder, "moh"))
	if err != nil {
		return nil, err
	}
	l.music = *m
	return l, nil
}

// reel is recordings one after another, each brought to the active level of 0 dBm0, with 200 ms of silence after it.
type reel struct {
	clips []clip
	total int // frames
}

type clip struct {
	at   int // first frame
	pcm  []int16
	gain float64
}

const between = 1600 // frames

func (r *reel) add(pcm []int16, gain float64) {
	r.clips = append(r.clips, clip{r.total, pcm, gain})
	r.total += len(pcm) + between
}

func (r *reel) join(o *reel) {
	for _, c := range o.clips {
		r.add(c.pcm, c.gain)
	}
}

// cut is n frames from frame at on, at an active level; after the last recording comes the first.
func (r *reel) cut(at, n int, dBm0 float64) []float64 {
	x := make([]float64, n)
	g := ratio(dBm0)
	at %= r.total
	i, _ := slices.BinarySearchFunc(r.clips, at, func(c clip, at int) int { return c.at + len(c.pcm) + between - 1 - at })
	for to := 0; to < n; {
		c := r.clips[i]
		skip := at - c.at
		for _, v := range c.pcm[min(skip, len(c.pcm)):] {
			if to == n {
				break
			}
			x[to] = g * c.gain * float64(v)
			to++
			skip++
		}
		to += len(c.pcm) + between - skip
		if i++; i == len(r.clips) {
			i = 0
		}
		at = r.clips[i].at
	}
	return x
}

// random is a cut from anywhere.
func (r *reel) random(n int, dBm0 float64, rnd *rand.Rand) []float64 {
	return r.cut(rnd.IntN(r.total), n, dBm0)
}

// notSpeech are parts of the names of recordings that hold tones, noises or nothing.
var notSpeech = []string{"beep", "silence", "tone", "monkeys", "dtmf", "space.wav"}

// read takes in all recordings below a folder, in the order of their names.
func read(folder string) (*reel, error) {
	r := &reel{}
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		base := strings.ToLower(filepath.Base(name))
		if err != nil || d.IsDir() || filepath.Ext(name) != ".wav" || slices.ContainsFunc(notSpeech, func(s string) bool { return strings.Contains(base, s) }) {
			return err
		}
		return r.read(name)
	})
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(r.clips) == 0:
		return nil, fmt.Errorf("corpus: no recordings in %s: apt-get install %s", folder, Packages)
	case err != nil:
		return nil, fmt.Errorf("corpus: read recordings: %w", err)
	}
	return r, nil
}

func (r *reel) read(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	pcm, rate, err := wav.ReadAll(f)
	switch {
	case errors.Is(err, wav.ErrEmpty):
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	case rate != Rate:
		return fmt.Errorf("%s has %v, not %v", name, rate, Rate)
	}
	if rms := activeRMS(pcm); len(pcm) >= 800 && rms >= 1 {
		r.add(pcm, audio.Amplitude(0)/math.Sqrt2/rms)
	}
	return nil
}
