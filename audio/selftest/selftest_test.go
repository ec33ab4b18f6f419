package selftest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
)

// sound opens a whole path.
func sound(cfg path.Config) (Path, error) { return path.New(cfg) }

// every calls for each rate and shield, and look-aheads from the shortest to the longest.
func every(t *testing.T, f func(t *testing.T, cfg path.Config)) {
	for _, rate := range []audio.Rate{audio.Rate8k, audio.Rate16k, audio.Rate44k, audio.Rate48k} {
		for shield := mask.Keys; shield <= mask.Field; shield++ {
			for _, ahead := range []time.Duration{10, 11, 13, 20, 30, 57, 100} {
				cfg := path.Config{Rate: rate, Shield: shield, LookAhead: ahead * time.Millisecond, Idle: mask.Idle}
				if ahead == 30 {
					cfg.Idle = mask.Pass
				}
				t.Run(fmt.Sprintf("%v %v %v", rate, shield, ahead), func(t *testing.T) { f(t, cfg) })
			}
		}
	}
}

func test(t testing.TB, cfg path.Config, open func(path.Config) (Path, error), seed uint64) *Test {
	t.Helper()
	s, err := New(cfg, open, seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// round is a whole one.
func round(s *Test) error {
	for {
		if over, err := s.Step(); over {
			return err
		}
	}
}

// A sound path passes, whatever its settings, and however often it is tested; with room to the bound on what may be left of a tone.
func TestASoundPathPasses(t *testing.T) {
	rounds := 100
	if testing.Short() {
		rounds = 20
	}
	worst := -200.0
	every(t, func(t *testing.T, cfg path.Config) {
		s := test(t, cfg, sound, uint64(cfg.Rate)+uint64(cfg.LookAhead))
		for n := range rounds {
			if err := round(s); err != nil {
				t.Fatalf("round %d: %v", n, err)
			}
			for _, hz := range []float64{697, 770, 852, 941, 1209, 1336, 1477, 1633} {
				worst = max(worst, level(s.left, cfg.Rate, hz))
			}
		}
	})
	t.Logf("of a tone %.1f dBm0 are found at the most", worst)
	if worst > mostDBm0-6 {
		t.Errorf("of a tone %.1f dBm0 are found, too near to the bound", worst)
	}
}

// faulty is a path with a fault.
type faulty struct {
	*path.Path
	write, read func(p *path.Path, x []int16)
	next        func(e path.Event) (path.Event, bool)
	stats       int64
	broke       bool
}

func (f *faulty) Write(x []int16) {
	if f.write != nil {
		f.write(f.Path, x)
	}
	f.Path.Write(x)
}

func (f *faulty) Read(x []int16) {
	f.Path.Read(x)
	if f.read != nil {
		f.read(f.Path, x)
	}
}

func (f *faulty) Next() (path.Event, bool) {
	e, ok := f.Path.Next()
	if ok && f.next != nil {
		return f.next(e)
	}
	return e, ok
}

func (f *faulty) Stats() path.Stats {
	s := f.Path.Stats()
	s.Faults += f.stats
	return s
}

func (f *faulty) Broken() bool { return f.broke || f.Path.Broken() }

// late is a sound that comes after a delay.
type late struct{ held []int16 }

func (l *late) in(_ *path.Path, x []int16) { l.held = append(l.held, x...) }

func (l *late) out(mix func(heard, said int16) int16) func(*path.Path, []int16) {
	return func(p *path.Path, x []int16) {
		for i := range x {
			if at := int(p.Position()) - len(x) + i - p.Delay(); at >= 0 {
				x[i] = mix(x[i], l.held[at])
			}
		}
	}
}

// Each fault is found, in the first round, at every setting; and once it is mended, the next round passes.
func TestFaultsAreFound(t *testing.T) {
	loud := func(v int16) bool { return v > 4000 || v < -4000 }
	faults := map[string]struct {
		want error
		make func(p *path.Path) Path
	}{
		"the mask lets all through": {ErrLeaks, func(p *path.Path) Path {
			l := new(late)
			return &faulty{Path: p, write: l.in, read: l.out(func(_, said int16) int16 { return said })}
		}},
		"a hundredth of the key comes through": {ErrLeaks, func(p *path.Path) Path {
			l := new(late)
			return &faulty{Path: p, write: l.in, read: l.out(func(heard, said int16) int16 {
				if said != heard {
					heard += said / 100
				}
				return heard
			})}
		}},
		"half a millisecond of the key comes through": {ErrLeaks, func(p *path.Path) Path {
			l, n := new(late), 0
			return &faulty{Path: p, write: l.in, read: l.out(func(heard, said int16) int16 {
				if loud(said) && n < int(p.Delay())/60 {
					n++
					return said
				}
				return heard
			})}
		}},
		"never armed": {ErrLeaks, func(p *path.Path) Path { return open{p} }},
		"nothing is captured": {ErrMissed, func(p *path.Path) Path {
			return &faulty{Path: p, next: func(path.Event) (path.Event, bool) { return path.Event{}, false }}
		}},
		"another key is captured": {ErrMissed, func(p *path.Path) Path {
			return &faulty{Path: p, next: func(e path.Event) (path.Event, bool) {
				if e.Kind == path.Key {
					e.Digit = audio.Digit{}
				}
				return e, true
			}}
		}},
		"a key is captured elsewhere": {ErrMissed, func(p *path.Path) Path {
			return &faulty{Path: p, next: func(e path.Event) (path.Event, bool) { e.Start += 1000; return e, true }}
		}},
		"a key is unclear": {ErrMissed, func(p *path.Path) Path {
			return &faulty{Path: p, next: func(e path.Event) (path.Event, bool) {
				if e.Kind == path.KeyEnd {
					e.Kind = path.Unclear
				}
				return e, true
			}}
		}},
		"all is masked": {ErrMangles, func(p *path.Path) Path {
			return &faulty{Path: p, read: func(_ *path.Path, x []int16) { clear(x) }}
		}},
		"one frame in a hundred thousand is off by one": {ErrMangles, func(p *path.Path) Path {
			n := 0
			return &faulty{Path: p, read: func(_ *path.Path, x []int16) {
				for i := range x {
					if n++; n == 3000 {
						x[i]++
					}
				}
			}}
		}},
		"it counts a fault": {ErrBroken, func(p *path.Path) Path { return &faulty{Path: p, stats: 1} }},
		"it broke":          {ErrBroken, func(p *path.Path) Path { return &faulty{Path: p, broke: true} }},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			for _, rate := range []audio.Rate{audio.Rate8k, audio.Rate48k} {
				mended := false
				s := test(t, path.Config{Rate: rate}, func(cfg path.Config) (Path, error) {
					p, err := path.New(cfg)
					if err != nil || mended {
						return p, err
					}
					return fault.make(p), nil
				}, 1)
				for range 2 {
					if err := round(s); !errors.Is(err, fault.want) {
						t.Fatalf("%v: %v", rate, err)
					}
				}
				mended = true
				if err := round(s); err != nil {
					t.Errorf("%v, once it is mended: %v", rate, err)
				}
			}
		})
	}
}

// open passes all.
type open struct{ *path.Path }

func (o open) SetGrade(mask.Grade) { o.Path.SetGrade(mask.Pass) }

// Every key is tested, and in every place on the grid of masks.
func TestEveryKeyIsTested(t *testing.T) {
	s := test(t, path.Config{Rate: audio.Rate8k}, sound, 1)
	keys, places := map[byte]bool{}, map[int]bool{}
	for range 200 {
		if err := round(s); err != nil {
			t.Fatal(err)
		}
		keys[s.key], places[s.from/8%10] = true, true
	}
	if len(keys) != 16 || len(places) != 10 {
		t.Errorf("%d keys at %d places of 10", len(keys), len(places))
	}
}

// What is said in an idle shadow is loud, and not clipped.
func TestSpeechIsLoud(t *testing.T) {
	for _, rate := range []audio.Rate{audio.Rate8k, audio.Rate44k} {
		x := speech(rate, rate.Frames(500*time.Millisecond))
		power := 0.0
		for _, v := range x {
			power += float64(v) * float64(v) / float64(len(x))
		}
		if dBm0 := audio.DBm0(power); dBm0 < -35 || dBm0 > -15 || slices.Max(x) > 20000 || slices.Min(x) < -20000 {
			t.Errorf("%v: %.1f dBm0, from %d to %d", rate, dBm0, slices.Min(x), slices.Max(x))
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	s := test(t, path.Config{Rate: audio.Rate8k}, sound, 1)
	if n := testing.AllocsPerRun(10, func() {
		if err := round(s); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("a round allocates %g times", n)
	}
}

// BenchmarkRound is what a round of the test takes.
func BenchmarkRound(b *testing.B) {
	for _, rate := range []audio.Rate{audio.Rate8k, audio.Rate48k} {
		b.Run(rate.String(), func(b *testing.B) {
			s := test(b, path.Config{Rate: rate}, sound, 1)
			b.ReportAllocs()
			for b.Loop() {
				if err := round(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
