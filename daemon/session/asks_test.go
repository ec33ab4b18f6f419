package session

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/audio"
)

const (
	startKeys  = "*#1*#2"
	cancelKeys = "*##"
	gap        = audio.Position(2 * 8000)
)

func testAsks(t interface{ Fatal(...any) }) *asks {
	a, err := newAsks(map[Ask]string{AskStart: startKeys, AskCancel: cancelKeys}, audio.Rate8k)
	if err != nil {
		t.Fatal(err)
	}
	return &a
}

// slow is the same as asks, from all that was keyed since the last pause or ask.
type slow struct {
	keyed string
	last  audio.Position
}

func (s *slow) take(key byte, at audio.Position) (ask Ask, stray bool) {
	before := s.hopeful()
	if at-s.last > gap {
		stray = before > 0
		before, s.keyed = 0, ""
	}
	s.keyed, s.last = s.keyed+string(key), at
	stray = stray || s.hopeful() != before+1
	switch {
	case strings.HasSuffix(s.keyed, startKeys):
		ask = AskStart
	case strings.HasSuffix(s.keyed, cancelKeys):
		ask = AskCancel
	}
	if ask != "" {
		s.keyed = ""
	}
	return ask, stray
}

// hopeful is how many of the last keys are the beginning of a sequence.
func (s *slow) hopeful() int {
	for n := min(len(s.keyed), max(len(startKeys), len(cancelKeys))); n > 0; n-- {
		tail := s.keyed[len(s.keyed)-n:]
		if strings.HasPrefix(startKeys, tail) || strings.HasPrefix(cancelKeys, tail) {
			return n
		}
	}
	return 0
}

// compare keys both, with a pause before each key, in frames.
func compare(t *testing.T, keys []byte, pauses []audio.Position) (asked, strays int) {
	t.Helper()
	quick, model, at := testAsks(t), slow{}, audio.Position(0)
	for i, k := range keys {
		at += pauses[i]
		d, _ := audio.NewDigit(k)
		ask, stray := quick.take(d, at)
		if wantAsk, wantStray := model.take(k, at); ask != wantAsk || stray != wantStray {
			t.Fatalf("at key %d: %q, stray %v; and should be %q, %v", i, ask, stray, wantAsk, wantStray)
		}
		if ask != "" {
			asked++
		}
		if stray {
			strays++
		}
	}
	return asked, strays
}

func TestAsks(t *testing.T) {
	for keys, want := range map[string]struct{ asked, strays int }{
		"*#1*#2":       {1, 0},
		"*##":          {1, 0},
		"*##*#1*#2*##": {3, 0},
		"*#1*#1*#2":    {1, 1}, // it begins again with its fourth key
		"*#1*##":       {1, 1}, // and turns into the other
		"*#1##":        {0, 2}, // which it doesn't by its last two
		"**##":         {1, 1},
		"1*##":         {1, 1},
		"4242":         {0, 4},
		"*#1*":         {0, 0},
	} {
		if asked, strays := compare(t, []byte(keys), make([]audio.Position, len(keys))); asked != want.asked || strays != want.strays {
			t.Errorf("a sequence asks for %d things and has %d stray keys; want %d, %d", asked, strays, want.asked, want.strays)
		}
	}
}

func TestAsksOfAnyKeys(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		keys := rapid.SliceOfN(rapid.SampledFrom([]byte("*#*#12")), 0, 40).Draw(rt, "keys")
		pauses := rapid.SliceOfN(rapid.SampledFrom([]audio.Position{800, gap, gap + 1}), len(keys), len(keys)).Draw(rt, "pauses")
		compare(t, keys, pauses)
	})
}

// A pause that is too long ends a sequence, once.
func TestAnAskExpires(t *testing.T) {
	a := testAsks(t)
	star, _ := audio.NewDigit('*')
	if _, stray := a.take(star, 100); stray || a.expire(100+gap) {
		t.Error("the first key doesn't wait for the second")
	}
	if !a.expire(100+gap+1) || a.expire(100+gap+2) {
		t.Error("it doesn't expire, or it does twice")
	}
}

func TestAsksOfNoKeys(t *testing.T) {
	if _, err := newAsks(map[Ask]string{AskStart: "*x"}, audio.Rate8k); err == nil || !strings.Contains(err.Error(), "start") {
		t.Errorf("a sequence of no keys: %v", err)
	}
	none, err := newAsks(map[Ask]string{AskCancel: ""}, audio.Rate8k)
	if err != nil {
		t.Fatal(err)
	}
	star, _ := audio.NewDigit('*')
	if ask, stray := none.take(star, 0); ask != "" || !stray {
		t.Error("where nothing can be asked for, a key is expected")
	}
}

func FuzzAsks(f *testing.F) {
	f.Add([]byte{10, 11, 1, 10, 11, 2})
	f.Add([]byte{10, 11, 1, 10, 11, 1, 0xfa, 11, 11})
	f.Fuzz(func(t *testing.T, in []byte) {
		keys, pauses := make([]byte, len(in)), make([]audio.Position, len(in))
		for i, b := range in {
			keys[i] = "0123456789*#ABCD"[b&15]
			pauses[i] = audio.Position(b>>4) * 1500
		}
		compare(t, keys, pauses)
	})
}
