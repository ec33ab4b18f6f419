package progress_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/progress"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/audio/wav"
)

// signal is a tone of a network's: which frequencies sound, and for how long on and off. Of ITU-T E.180's list, the shortest of each kind and the
// most alike to something else.
type signal struct {
	name    string
	hz      []float64
	on, off time.Duration
}

var signals = []signal{
	{"dial, Europe", []float64{425}, time.Second, 0},
	{"dial, North America", []float64{350, 440}, time.Second, 0},
	{"dial, United Kingdom", []float64{350, 450}, time.Second, 0},
	{"dial, Japan", []float64{400}, time.Second, 0},
	{"ringing, Europe", []float64{425}, time.Second, 4 * time.Second},
	{"ringing, North America", []float64{440, 480}, 2 * time.Second, 4 * time.Second},
	{"ringing, United Kingdom", []float64{400, 450}, 400 * time.Millisecond, 200 * time.Millisecond},
	{"busy, Europe", []float64{425}, 500 * time.Millisecond, 500 * time.Millisecond},
	{"busy, North America", []float64{480, 620}, 500 * time.Millisecond, 500 * time.Millisecond},
	{"busy, United Kingdom", []float64{400}, 375 * time.Millisecond, 375 * time.Millisecond},
	{"reorder, Europe", []float64{425}, 250 * time.Millisecond, 250 * time.Millisecond},
	{"reorder, North America", []float64{480, 620}, 250 * time.Millisecond, 250 * time.Millisecond},
	{"announcement", []float64{1800}, 330 * time.Millisecond, 330 * time.Millisecond},
	{"announcement, North America", []float64{1776.7}, 276 * time.Millisecond, 276 * time.Millisecond},
}

// play is some seconds of a signal.
func (s signal) play(rate audio.Rate, seconds, dBm0, off float64) []int16 {
	x := make([]int16, int(seconds*float64(rate)))
	amplitude := audio.Amplitude(dBm0) / math.Sqrt(float64(len(s.hz)))
	for i := range x {
		if s.off > 0 && rate.Duration(int64(i))%(s.on+s.off) >= s.on {
			continue
		}
		var v float64
		for k, hz := range s.hz {
			v += amplitude * math.Sin(2*math.Pi*hz*(1+off)/float64(rate)*float64(i)+float64(k))
		}
		x[i] = int16(math.RoundToEven(v))
	}
	return x
}

func listen(t testing.TB, rate audio.Rate, x []int16, block int) audio.Position {
	t.Helper()
	l, err := progress.New(rate)
	if err != nil {
		t.Fatal(err)
	}
	for len(x) > 0 {
		n := min(block, len(x))
		l.Write(x[:n])
		x = x[n:]
	}
	return l.Heard()
}

// Every signal is heard within its first two sounds, at any level that a network sends, a percent off and over a line's noise.
func TestEverySignalIsHeard(t *testing.T) {
	noise := rand.New(rand.NewPCG(1, 2))
	for _, rate := range []audio.Rate{audio.Rate8k, audio.Rate16k, audio.Rate44k, audio.Rate48k} {
		for _, s := range signals {
			for _, dBm0 := range []float64{-5, -15, -35} {
				for _, off := range []float64{0, 0.01, -0.01} {
					x := s.play(rate, (2*s.on + s.off).Seconds(), dBm0, off)
					for i := range x {
						x[i] += int16(noise.NormFloat64() * 8)
					}
					if listen(t, rate, x, 160) == 0 {
						t.Errorf("%s isn't heard at %v, %v dBm0, %+.0f %% off", s.name, rate, dBm0, 100*off)
					}
				}
			}
		}
	}
}

// It is heard soon, and for as long as it sounds; how the leg is cut into blocks changes nothing.
func TestHeardIsWhereItSounds(t *testing.T) {
	x := make([]int16, 8000)
	x = append(x, signals[0].play(audio.Rate8k, 1, -15, 0)...)
	x = append(x, make([]int16, 8000)...)
	at := listen(t, audio.Rate8k, x, 160)
	if at < 16000-256 || at > 16000+256 { // in whole windows
		t.Errorf("a tone that ended at 16000 was heard last at %d", at)
	}
	if soon := listen(t, audio.Rate8k, x[:8000+29*256], 160); soon == 0 {
		t.Error("not heard after nine tenths of a second")
	}
	for _, block := range []int{1, 7, 4096} {
		if other := listen(t, audio.Rate8k, x, block); other != at {
			t.Errorf("in blocks of %d it was heard at %d, not %d", block, other, at)
		}
	}
}

// Keys, noise, our own flat tone and hum are none; nor are people.
func TestNothingElseIs(t *testing.T) {
	others := map[string][]int16{}
	for i := range len(tone.Keys) {
		for _, twist := range []float64{-9, 0, 9} {
			pair, _ := tone.Pair(tone.Keys[i], -15, twist)
			others[fmt.Sprint("a key of ", twist, " dB twist, ", i)] = tone.Append(nil, audio.Rate8k, 8000, 40, pair[:]...)
		}
	}
	for _, hz := range []float64{50, 60, 100, 300, 1020, 1100, 2100, 440 * 1.5} {
		others[fmt.Sprint(hz, " Hz")] = signal{hz: []float64{hz}, on: time.Second}.play(audio.Rate8k, 2, -15, 0)
	}
	random := rand.New(rand.NewPCG(3, 4))
	for _, dBm0 := range []float64{-20, -50} {
		x := make([]int16, 80000)
		for i := range x {
			x[i] = int16(random.NormFloat64() * audio.Amplitude(dBm0) / math.Sqrt2)
		}
		others[fmt.Sprint("noise of ", dBm0)] = x
	}
	recordings, err := filepath.Glob("../../data/calls/*/*.wav")
	if err != nil || len(recordings) == 0 {
		t.Fatalf("no recorded calls: %v", err)
	}
	for _, name := range recordings {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		x, rate, err := wav.ReadAll(f)
		f.Close()
		if err != nil || rate != audio.Rate8k {
			t.Fatalf("%s: %v, %v", name, rate, err)
		}
		others[name] = x
	}
	for name, x := range others {
		if at := listen(t, audio.Rate8k, x, 160); at != 0 {
			t.Errorf("%s is heard as a tone of the network, at %d", name, at)
		}
	}
}

// Silence is counted in whole windows since the last sound of -50 dBm0 or more.
func TestSilence(t *testing.T) {
	noise := func(dBm0 float64) []int16 {
		r := rand.New(rand.NewPCG(1, 2))
		x := make([]int16, 16000)
		for i := range x {
			x[i] = int16(math.RoundToEven(r.NormFloat64() * audio.Amplitude(dBm0) / math.Sqrt2))
		}
		return x
	}
	for name, c := range map[string]struct {
		x           []int16
		least, most int64
	}{
		"nothing":              {make([]int16, 16000), 16000 - 256, 16000},
		"a line's noise":       {noise(-60), 16000 - 256, 16000},
		"a room":               {noise(-48), 0, 0},
		"a key, then nothing":  {append(signal{hz: []float64{697, 1209}, on: time.Second}.play(audio.Rate8k, 0.1, -40, 0), make([]int16, 8000)...), 8000 - 512, 8000},
		"nothing, then a tick": {append(make([]int16, 16000), signal{hz: []float64{1000}, on: time.Second}.play(audio.Rate8k, 0.04, -30, 0)...), 0, 0},
	} {
		l, err := progress.New(audio.Rate8k)
		if err != nil {
			t.Fatal(err)
		}
		l.Write(c.x)
		if n := l.Silent(); n < c.least || n > c.most {
			t.Errorf("%s: %d frames of silence, want %d to %d", name, n, c.least, c.most)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	l, err := progress.New(audio.Rate8k)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]int16, 160)
	if n := testing.AllocsPerRun(100, func() { l.Write(x) }); n != 0 {
		t.Errorf("%v allocations a block", n)
	}
}

func BenchmarkWrite(b *testing.B) {
	l, err := progress.New(audio.Rate48k)
	if err != nil {
		b.Fatal(err)
	}
	x := make([]int16, 128)
	for b.Loop() {
		l.Write(x)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/128, "ns/sample")
}
