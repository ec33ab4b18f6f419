package corpus

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/flattone/flattone/audio"
)

func made(t *testing.T, r Recipe) *Unit {
	t.Helper()
	u, err := r.Make()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestSameSeedSameMaterial(t *testing.T) {
	a, b, other := Synthetic(5), Synthetic(5), Synthetic(6)
	random := Pick(a, []string{"human", "loss", "sub_tail", "soundcard"})
	again := Pick(b, []string{"human", "loss", "sub_tail", "soundcard"})
	others := Pick(other, []string{"human", "loss", "sub_tail", "soundcard"})
	for i := 0; i < len(random); i += 7 {
		x, y, z := made(t, random[i]), made(t, again[i]), made(t, others[i])
		if !slices.Equal(x.PCM, y.PCM) || !slices.Equal(x.Events, y.Events) || !slices.Equal(x.Sounds, y.Sounds) {
			t.Errorf("%s isn't the same twice", x.Category)
		}
		if slices.Equal(x.PCM, z.PCM) {
			t.Errorf("%s is the same with another seed", x.Category)
		}
	}
}

func TestTruthIsWhatSounds(t *testing.T) {
	for i, r := range Synthetic(1) {
		if i%9 != 0 {
			continue
		}
		u := made(t, r)
		if len(u.Events) == 0 || len(u.Sounds) != len(u.PCM) {
			t.Fatalf("%s has %d events, and sounds for %d of %d frames", u.Category, len(u.Events), len(u.Sounds), len(u.PCM))
		}
		last := 0
		for _, e := range u.Events {
			if e.Start < last || e.End <= e.Start || e.End > len(u.PCM) || e.Expect == 0 {
				t.Fatalf("%s has an event from %d to %d of %d, after one at %d, owed %d", u.Category, e.Start, e.End, len(u.PCM), last, e.Expect)
			}
			last = e.Start
			if !e.Judged() || e.X == -50 && strings.HasPrefix(u.Category, "sub_") {
				continue
			}
			heard := 0
			for _, s := range u.Sounds[e.Start:e.End] {
				if s {
					heard++
				}
			}
			// Holes of 35 ms and lost packets take most.
			if heard < (e.End-e.Start)/8 {
				t.Errorf("%s: a key of %d frames sounds in %d of them", u.Category, e.End-e.Start, heard)
			}
		}
		if first := slices.Index(u.Sounds, true); first < u.Events[0].Start-8 {
			t.Errorf("%s sounds from frame %d on, and its first key begins at %d", u.Category, first, u.Events[0].Start)
		}
	}
}

func TestAudible(t *testing.T) {
	x := make([]float64, 400)
	addSine(x[50:150], 941, Faintest+1, 0, Rate)
	addSine(x[200:300], 941, Faintest-1, 0, Rate)
	clear(x[100:120])
	s := audible(x)
	for i, want := range map[int]bool{40: false, 50: false, 51: true, 99: true, 105: false, 120: true, 149: true, 150: false, 250: false} {
		if s[i] != want {
			t.Errorf("frame %d: %v", i, s[i])
		}
	}
}

func TestLevels(t *testing.T) {
	tr := start(1, "levels")
	e := *tr.tone(burst{key: '5', ms: 500, row: -20, col: -20})
	power := 0.0
	for _, v := range tr.x[e.Start:e.End] {
		power += v * v / float64(e.End-e.Start)
	}
	if got := audio.DBm0(power); math.Abs(got+17) > 0.05 {
		t.Errorf("two tones of -20 dBm0 make %.2f, not -17", got)
	}
	tr.noise(noiseRMS(-30))
	power = 0
	for _, v := range tr.rest {
		power += v * v / float64(len(tr.rest))
	}
	if got := audio.DBm0(power); math.Abs(got+30) > 0.3 {
		t.Errorf("noise of -30 dBm0 has %.2f", got)
	}
}

func TestCardsHoldTheirCheckDigit(t *testing.T) {
	tr := start(1, "cards")
	for range 100 {
		sum := 0
		for i, c := range []byte(tr.card()) {
			v := int(c-'0') * (2 - i%2)
			sum += v/10 + v%10
		}
		if sum%10 != 0 {
			t.Fatal("a card's check digit doesn't hold")
		}
	}
}

func TestLongestHole(t *testing.T) {
	lost := []bool{false, true, true, false, true}
	for _, c := range []struct{ from, to, want int }{{0, 10, 0}, {0, 50, 20}, {15, 25, 10}, {25, 50, 10}, {0, 30, 20}} {
		if got := longestHole(lost, 10, c.from, c.to); got != c.want {
			t.Errorf("from %d to %d: %d, not %d", c.from, c.to, got, c.want)
		}
	}
}

func TestResample(t *testing.T) {
	x := make([]float64, 48000)
	addSine(x, 1000, -10, 0, audio.Rate48k)
	y := resample(x, 48000, 8000, 3600)
	want := make([]float64, len(y))
	addSine(want, 1000, -10, 0, Rate)
	for i := 100; i < len(y)-100; i++ {
		if math.Abs(y[i]-want[i]) > 0.01*audio.Amplitude(-10) {
			t.Fatalf("frame %d is %.0f, not %.0f", i, y[i], want[i])
		}
	}
}

func TestReelCutsAnywhere(t *testing.T) {
	var r reel
	r.add([]int16{1, 2, 3}, 10)
	r.add([]int16{4, 5}, 100)
	whole := r.cut(0, 3*r.total, 0)
	if len(whole) != 3*(5+2*between) || whole[1] != 20 || whole[3] != 0 || whole[3+between] != 400 || whole[r.total] != 10 {
		t.Fatalf("%d frames, and not those of the recordings", len(whole))
	}
	for _, at := range []int{0, 1, 3, 3 + between - 1, 3 + between, 3 + between + 1, r.total - 1} {
		if !slices.Equal(r.cut(at, 4000, 0), whole[at:at+4000]) {
			t.Errorf("a cut from frame %d is another one", at)
		}
	}
}

func TestLibraryNamesItsPackages(t *testing.T) {
	if _, err := OpenLibrary(t.TempDir()); err == nil || !strings.Contains(err.Error(), "apt-get install asterisk") {
		t.Errorf("without recordings: %v", err)
	}
}

func TestNeedsLibrary(t *testing.T) {
	for prefix, want := range map[string]bool{"human": false, "sub": true, "sub_short": false, "bg_dialtone": false, "bg_": true, "talkoff_speech": true} {
		if NeedsLibrary([]string{prefix}) != want {
			t.Errorf("%s: %v", prefix, !want)
		}
	}
	if !NeedsLibrary(nil) {
		t.Error("everything needs the recordings")
	}
}

func TestArrivedIsLater(t *testing.T) {
	u := made(t, Sent(1, nil, 1)[0])
	out := append(make([]int16, 40), u.PCM...)
	a := u.Arrived("line", out, 40)
	for i, e := range a.Events {
		if e.Start != u.Events[i].Start+40 || e.End != u.Events[i].End+40 {
			t.Fatal("the truth isn't 40 frames later")
		}
	}
	if first := slices.Index(a.Sounds, true); first != slices.Index(u.Sounds, true)+40 {
		t.Errorf("sounds from %d on", first)
	}
	silent := u.Arrived("line", make([]int16, len(out)), 40)
	if slices.Contains(silent.Sounds, true) {
		t.Error("what a codec swallowed sounds")
	}
}
