package path_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/audio/wav"
)

// call is a recorded call of data/calls.
type call struct {
	samples []int16
	keys    []keyed
}

// keyed is one key of a recording. The key itself is never printed.
type keyed struct {
	Digit      string `json:"digit"`
	Start, End int
}

func loadCall(t testing.TB, name string) call {
	t.Helper()
	dir := filepath.Join("..", "..", "data", "calls", name)
	b, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var truth struct{ Keys []keyed }
	if err := json.Unmarshal(b, &truth); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "caller.wav"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	samples, _, err := wav.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return call{samples, truth.Keys}
}

func open(t testing.TB, cfg path.Config, grade mask.Grade) *path.Path {
	t.Helper()
	p, err := path.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	p.SetGrade(grade)
	return p
}

// repeats is how often a random trial is made: a tenth of n under -short.
func repeats(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// flow sends samples through p in blocks of block frames, and as much silence as the delay after them. The
// output has as many frames as went in.
func flow(p *path.Path, samples []int16, block int) (out []int16, events []path.Event) {
	in := append(append([]int16(nil), samples...), make([]int16, p.Delay())...)
	out = make([]int16, len(in))
	for at := 0; at < len(in); at += block {
		to := min(at+block, len(in))
		p.Write(in[at:to])
		p.Read(out[at:to])
		events = append(events, drain(p)...)
	}
	return out, events
}

func drain(p *path.Path) (events []path.Event) {
	for e, ok := p.Next(); ok; e, ok = p.Next() {
		events = append(events, e)
	}
	return events
}

// ms is a number of frames.
func ms(rate audio.Rate, n float64) int { return int(n * float64(rate) / 1000) }

// noise is white noise of a level, the same for a seed.
func noise(seed uint64, n int, dBm0 float64) []int16 {
	r := rand.New(rand.NewPCG(seed, 1))
	rms := audio.Amplitude(dBm0) / math.Sqrt2
	x := make([]int16, n)
	for i := range x {
		x[i] = int16(math.Round(rms * r.NormFloat64()))
	}
	return x
}

// press adds a key to x, its first frame at phase 0.
func press(x []int16, rate audio.Rate, key byte, at, frames int, dBm0, twist float64) {
	sines, _ := tone.Pair(key, dBm0, twist)
	for i, v := range tone.Append(nil, rate, frames, 0, sines[:]...) {
		x[at+i] = int16(max(-32768, min(32767, int(x[at+i])+int(v))))
	}
}

// leaked counts the frames of in[start:end) that came out as they went in, in stretches of half a
// millisecond or more; single frames agree by chance.
func leaked(in, out []int16, rate audio.Rate, delay, start, end int) (frames int) {
	run := 0
	for i := start; i <= end; i++ {
		if i < end && in[i] == out[i+delay] {
			run++
			continue
		}
		if run >= ms(rate, 0.5) {
			frames += run
		}
		run = 0
	}
	return frames
}

// residue is how much of in[start:end) is still in the output, as a gain: 1 if all of it is, and about 0 if
// what came out has nothing to do with it.
func residue(in, out []int16, delay, start, end int) float64 {
	var both, own float64
	for i := start; i < end; i++ {
		both += float64(in[i]) * float64(out[i+delay])
		own += float64(in[i]) * float64(in[i])
	}
	return math.Abs(both) / own
}

const (
	shortest = 10 * time.Millisecond
	usual    = 30 * time.Millisecond
)
