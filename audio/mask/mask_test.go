package mask_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect"
	"github.com/flattone/flattone/audio/mask"
)

const (
	rate = audio.Rate8k
	tick = 8
	held = 29 // ticks in the ring after a decision, at 30 ms
)

// script is what a masker is told of each tick, and a voice that it is given: a ramp, so that no sample can be
// taken for another.
type script struct {
	cfg   mask.Config
	ticks int
	at    func(t int) mask.Input
	voice func(i int) int16
}

func armed(v detect.Verdict) mask.Input { return mask.Input{Verdict: v, Grade: mask.Armed} }

func ramp(i int) int16 { return int16(i%20011 + 3000) }

// play runs a script, and tells what came out, which ticks were masked, and the slots given.
func (s script) play(t *testing.T) (out []int16, masked []bool, slots []audio.Position) {
	t.Helper()
	s.cfg.Rate = rate
	m, err := mask.New(s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if s.voice == nil {
		s.voice = ramp
	}
	look := m.Delay()/tick - 1
	for n := range s.ticks + look {
		in := mask.Input{Grade: mask.Armed}
		if n < s.ticks {
			in = s.at(n)
		}
		if slot := m.Decide(&in); slot >= 0 {
			slots = append(slots, slot)
		}
		if n < look {
			continue
		}
		x := make([]int16, tick)
		for i := range x {
			x[i] = s.voice(len(out) + i)
		}
		masked = append(masked, m.Release(x, false) == len(x))
		out = append(out, x...)
		if slot := 100; len(masked)%slot == 0 {
			if got, want := m.Meter(), meanSquare(out[len(out)-slot*tick:]); math.Abs(audio.DBm0(got)-audio.DBm0(want)) > 1 {
				t.Fatalf("at tick %d the meter shows %.1f dBm0, and what left has %.1f", len(masked), audio.DBm0(got), audio.DBm0(want))
			}
		}
	}
	return out, masked, slots
}

func meanSquare(x []int16) (sum float64) {
	for _, v := range x {
		sum += float64(v) * float64(v) / float64(len(x))
	}
	return sum
}

// stretch is the first stretch of masked ticks, [from, until).
func stretch(masked []bool) (from, until int) {
	from = slices.Index(masked, true)
	if from < 0 {
		return -1, -1
	}
	for until = from; until < len(masked) && masked[until]; until++ {
	}
	return from, until
}

// suspectAt is loose suspicion in [from, until), with an edge at tick edge if that is not negative.
func suspectAt(from, until, edge int) func(int) mask.Input {
	return func(n int) mask.Input {
		return armed(detect.Verdict{Loose: n >= from && n < until, Edge: n == edge})
	}
}

// A suspicion masks what is still held, from the grid on; with an edge in reach, from a guard before that, on the grid.
func TestPatchReachesBack(t *testing.T) {
	for _, c := range []struct {
		name      string
		edge      int
		earliest  int
		latest    int
		lookAhead time.Duration
	}{
		{"no edge", -1, 200 - held + 1, 200 - held + 9, 0},
		{"edge", 196, 196 - 12, 196 - 2, 0},
		{"an edge long before", 150, 200 - held + 1, 200 - held + 9, 0},
		{"edge, short look-ahead", 196, 196 - 5, 196 - 1, 10 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, masked, _ := script{mask.Config{LookAhead: c.lookAhead}, 600, suspectAt(200, 201, c.edge), nil}.play(t)
			from, until := stretch(masked)
			if from < c.earliest || from > c.latest || until < 203 || until > 230 {
				t.Errorf("suspicion at 200 masked ticks %d to %d", from, until)
			}
		})
	}
}

// The mask's beginning doesn't tell in which of a few ticks the suspicion came, with any look-ahead, wherever the edge lies on the grid.
func TestSuspicionDoesNotShow(t *testing.T) {
	for _, ms := range []int{10, 11, 12, 15, 20, 30, 100} {
		for edge := 200; edge < 240; edge++ {
			first := -1
			for after := 2; after <= 6; after++ {
				cfg := mask.Config{LookAhead: time.Duration(ms) * time.Millisecond}
				_, masked, _ := script{cfg, 300, suspectAt(edge+after, 260, edge), nil}.play(t)
				from, _ := stretch(masked)
				if first < 0 {
					first = from
				}
				if from != first || from >= edge {
					t.Errorf("%d ms of look-ahead: suspicion %d ticks after the edge %d masks from %d, another from %d", ms, after, edge, from, first)
				}
			}
		}
	}
}

// A long suspicion is held on longer than a short one, through holes and echo.
func TestHold(t *testing.T) {
	for length, least := range map[int]int{1: 4, 10: 30, 40: 60} {
		_, masked, _ := script{mask.Config{Shield: mask.Keys}, 800, suspectAt(300, 300+length, -1), nil}.play(t)
		if _, until := stretch(masked); until < 300+length+least || until > 300+length+least+15 {
			t.Errorf("%d ticks of suspicion are held for %d more", length, until-300-length)
		}
	}
	holes := func(n int) mask.Input {
		return armed(detect.Verdict{Loose: n >= 300 && n < 500 && n%40 < 15})
	}
	_, masked, _ := script{mask.Config{Shield: mask.Keys}, 800, holes, nil}.play(t)
	if from, until := stretch(masked); from > 300 || until < 500 {
		t.Errorf("a suspicion with holes, from 300 to 500, is masked from %d to %d", from, until)
	}
}

// key is a confirmed key that sounds in [from, until), decided 27 ticks after its onset.
func key(n, from, until int) detect.Verdict {
	v := detect.Verdict{Power: 10, Edge: n == from}
	if n >= from && n < until {
		v.Power = 1e6
		v.Loose, v.Strict = n >= from+4, n >= from+6
		v.Lasting = n >= from+18
		v.Held = n >= from+27
	}
	if n == from+27 {
		v.Event = detect.Event{Kind: detect.Began, Start: audio.Position(from * tick)}
	}
	return v
}

func keysAt(starts ...int) func(int) mask.Input {
	return func(n int) mask.Input {
		for _, s := range starts {
			if n >= s && n < s+90 {
				return armed(key(n, s, s+80))
			}
		}
		return armed(key(n, 1<<30, 1<<30))
	}
}

// A run masks from the first key to a second after the last, up to the grid; shield keys shows the gaps.
func TestRun(t *testing.T) {
	at := keysAt(500, 1200)
	_, masked, _ := script{mask.Config{}, 4000, at, nil}.play(t)
	if from, until := stretch(masked); from > 498 || from < 485 || until != 2300 {
		t.Errorf("run from %d to %d, want from just before 500 to 2300", from, until)
	}
	if slices.Contains(masked[2300:], true) {
		t.Error("something is masked after the run")
	}
	_, masked, _ = script{mask.Config{Shield: mask.Keys}, 4000, at, nil}.play(t)
	if _, until := stretch(masked); until < 580 || until > 720 {
		t.Errorf("shield keys: the first key, until 580, is masked until %d", until)
	}
	if masked[900] {
		t.Error("shield keys: the gap between two keys is masked")
	}
}

// Every key has one flat tone in a slot of its own, on the grid, at least 60 ms after its onset, and it doesn't
// matter when the key was decided.
func TestSlots(t *testing.T) {
	_, _, slots := script{mask.Config{}, 3000, keysAt(503, 595, 690, 1441), nil}.play(t)
	want := []audio.Position{600 * tick, 700 * tick, 800 * tick, 1600 * tick}
	if !slices.Equal(slots, want) {
		t.Errorf("slots at %v, want %v", slots, want)
	}
}

// The flat tone is one of 1020 Hz at -22 dBm0, 60 ms long; nothing sounds between.
func TestFlatTone(t *testing.T) {
	out, _, slots := script{mask.Config{}, 3000, keysAt(503), nil}.play(t)
	level := func(from, until int, hz float64) float64 {
		var c, s float64
		for i := from; i < until; i++ {
			c += float64(out[i]) * math.Cos(2*math.Pi*hz*float64(i)/float64(rate))
			s += float64(out[i]) * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))
		}
		return 20 * math.Log10(2*math.Hypot(c, s)/float64(until-from)/audio.ZeroDBm0)
	}
	at := int(slots[0])
	if l := level(at+5*tick, at+55*tick, 1020); math.Abs(l+22) > 0.2 {
		t.Errorf("the flat tone has %.1f dBm0", l)
	}
	if l := level(at+60*tick, at+100*tick, 1020); l > -60 {
		t.Errorf("after the flat tone there are %.1f dBm0 of it", l)
	}
}

// A mask is cut where the caller's sound is nearest to silence, in the ticks beside it: nothing else of these is replaced.
func TestMaskIsCutWhereItIsQuiet(t *testing.T) {
	voice := func(i int) int16 { return int16(8000 * math.Sin(float64(i)*2*math.Pi*400/float64(rate))) } // 20 frames to a period
	out, masked, _ := script{mask.Config{LookAhead: 100 * time.Millisecond}, 3000, suspectAt(500, 501, 490), voice}.play(t)
	from, until := stretch(masked)
	first, last := from*tick, until*tick
	for ; first > 0 && out[first-1] != voice(first-1); first-- {
	}
	for ; last < len(out) && out[last] != voice(last); last++ {
	}
	for _, frame := range []int{first - 1, last} { // the last and the first that are heard
		at := frame / tick * tick
		if at != (from-1)*tick && at != until*tick {
			t.Errorf("ticks %d to %d are masked, and frame %d is cut", from, until, frame)
		}
		for i := at; i < at+tick; i++ {
			if abs(voice(i)) < abs(voice(frame)) {
				t.Errorf("cut at %d, where the voice is %d; at %d it is %d", frame, voice(frame), i, voice(i))
			}
		}
	}
	for i, v := range out {
		if (i < first || i >= last) && v != voice(i) {
			t.Fatalf("frame %d was changed outside the mask", i)
		}
	}
}

func abs(v int16) int16 { return max(v, -v) }

// What stands in the place of the caller is no function of what the caller said there.
func TestFillIsNotTheCaller(t *testing.T) {
	at := keysAt(500, 1200)
	a, masked, _ := script{mask.Config{}, 3000, at, ramp}.play(t)
	b, _, _ := script{mask.Config{}, 3000, at, func(i int) int16 {
		if n := i / tick; n >= 480 && n < 2300 {
			return -ramp(i * 7)
		}
		return ramp(i)
	}}.play(t)
	for n, m := range masked {
		if m && !slices.Equal(a[n*tick:][:tick], b[n*tick:][:tick]) {
			t.Fatalf("tick %d: the mask depends on what it hides", n)
		}
	}
	if slices.Equal(a, b) {
		t.Error("the two calls don't differ at all")
	}
}

// The noise has the level of the background, learnt well away from what was masked, within a step.
func TestFillFollowsTheBackground(t *testing.T) {
	for _, dBm0 := range []float64{-70, -60, -50} {
		seed := uint64(1)
		voice := func(i int) int16 {
			seed = seed*6364136223846793005 + 1442695040888963407
			return int16(math.Round(audio.Amplitude(dBm0) * math.Sqrt(1.5) * float64(int64(seed)) / (1 << 63)))
		}
		out, masked, _ := script{mask.Config{}, 22_000, keysAt(20_000), voice}.play(t)
		var power float64
		n := 0
		for i, v := range out {
			if i/tick > 20_300 && masked[i/tick] {
				power += float64(v) * float64(v)
				n++
			}
		}
		if got := audio.DBm0(power / float64(n)); math.Abs(got-dBm0) > 4 {
			t.Errorf("over a background of %.0f dBm0 the fill has %.1f", dBm0, got)
		}
	}
}

// However loud the line is, the noise stays soft: -42 dBm0, and half a step of 3 dB.
func TestFillStaysSoft(t *testing.T) {
	loud := func(i int) int16 { return int16(8000 * (i%2*2 - 1)) }
	out, masked, _ := script{mask.Config{}, 31_000, suspectAt(30_000, 30_500, -1), loud}.play(t)
	most, peak := audio.Amplitude(-42+1.5)*math.Sqrt(3), 0.0 // of noise that is the mean of two uniform values
	for i, v := range out {
		if masked[i/tick] {
			peak = max(peak, math.Abs(float64(v)))
		}
	}
	if peak > most || peak < most/2 {
		t.Errorf("the fill peaks at %.0f, more than %.0f or less than half", peak, most)
	}
}

// Whatever isn't a lower grade closes the mask, from every state, and it closes at once over all that is held. A lower grade leaves
// the state that was there before.
func TestEveryWayIntoClosed(t *testing.T) {
	for _, g := range []mask.Grade{mask.Closed, 0, -1, 5, 1 << 20} {
		for _, state := range []struct {
			name          string
			at            func(n int) mask.Input
			before, after bool // masked at ticks 100 and 400
			whole, until  int
		}{
			{"open", suspectAt(0, 0, -1), false, false, 200 - held + 1, 300},
			{"patch", suspectAt(150, 201, -1), false, false, 150, 300},
			{"run", keysAt(60), true, true, 70, 1200},
		} {
			at := func(n int) mask.Input {
				in := state.at(n)
				if n >= 200 && n < 300 {
					in.Grade = g
				}
				return in
			}
			_, masked, _ := script{mask.Config{}, 1500, at, nil}.play(t)
			from, until := stretch(masked)
			if from > state.whole || until < state.until || masked[100] != state.before || masked[400] != state.after || masked[1400] {
				t.Errorf("grade %d from 200 to 300, %s before: masks %d to %d", g, state.name, from, until)
			}
		}
	}
}

// A run begins with a key that is held, with suspicion that lasts as long as one, and with a burst that stays unclear; not with
// suspicion alone.
func TestEveryWayIntoARun(t *testing.T) {
	for name, c := range map[string]struct {
		verdict detect.Verdict
		run     bool
	}{
		"held":               {detect.Verdict{Held: true}, true},
		"lasting":            {detect.Verdict{Strict: true, Loose: true, Lasting: true}, true},
		"unclear":            {detect.Verdict{Loose: true, Event: detect.Event{Kind: detect.Unclear, Start: 200 * tick, End: 230 * tick}}, true},
		"strict suspicion":   {detect.Verdict{Strict: true, Loose: true}, false},
		"loose suspicion":    {detect.Verdict{Loose: true}, false},
		"nothing to mask at": {detect.Verdict{}, false},
	} {
		at := func(n int) mask.Input {
			if n == 230 {
				return armed(c.verdict)
			}
			return armed(detect.Verdict{})
		}
		_, masked, _ := script{mask.Config{}, 2000, at, nil}.play(t)
		if masked[1000] != c.run || masked[1999] {
			t.Errorf("%s: a second later it is masked: %v", name, masked[1000])
		}
	}
}

// Lost input is suspect under every grade but pass.
func TestLostIsSuspect(t *testing.T) {
	for grade, want := range map[mask.Grade]bool{mask.Pass: false, mask.Idle: true, mask.Armed: true} {
		at := func(n int) mask.Input { return mask.Input{Grade: grade, Lost: n == 200} }
		_, masked, _ := script{mask.Config{}, 300, at, nil}.play(t)
		if masked[200] != want || masked[200-held+2] != want {
			t.Errorf("grade %v: a lost tick is masked: %v", grade, masked[200])
		}
	}
}

// An idle line isn't put off by loose suspicion.
func TestIdleWantsStrictSuspicion(t *testing.T) {
	for _, strict := range []bool{false, true} {
		at := func(n int) mask.Input {
			return mask.Input{Grade: mask.Idle, Verdict: detect.Verdict{Loose: n == 200, Strict: strict && n == 200}}
		}
		_, masked, _ := script{mask.Config{}, 300, at, nil}.play(t)
		if masked[200] != strict {
			t.Errorf("strict %v: masked %v", strict, masked[200])
		}
	}
}

func TestNames(t *testing.T) {
	for _, s := range []mask.Shield{mask.Keys, mask.Run, mask.Field} {
		if got, err := mask.ParseShield(s.String()); got != s || err != nil {
			t.Errorf("%v is read as %v, %v", s, got, err)
		}
	}
	if _, err := mask.ParseShield("all"); err == nil {
		t.Error("an unknown shield was read")
	}
}

// The suspicion of some keys ends a few ticks later than that of others. The end of armed masking doesn't tell.
func TestTheTailDoesNotTellTheKey(t *testing.T) {
	for at := range 100 { // all places on the grid of slots
		first := audio.Position(-1)
		for trail := range 25 {
			m, err := mask.New(mask.Config{Rate: rate})
			if err != nil {
				t.Fatal(err)
			}
			from := 400 + at
			for n := range from + 300 {
				v := key(n, from, from+80)
				v.Loose = v.Loose || n >= from+80 && n < from+80+trail
				v.Strict = v.Strict || n >= from+80 && n < from+80+trail/2
				in := armed(v)
				m.Decide(&in)
				if n >= held {
					m.Release(make([]int16, tick), false)
				}
			}
			if first < 0 {
				first = m.CalmFrom()
			}
			if m.CalmFrom() != first || first < audio.Position(from+80+trail)*tick {
				t.Fatalf("key at tick %d: calm from %d where it is suspected for %d ticks more, from %d where not", from, m.CalmFrom(), trail, first)
			}
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// The margin of a sound is what was still held, when it was first suspected, of the time before it; and negative for a beginning that
// was not masked, be it gone or before an edge. A suspicion that pauses briefly is one.
func TestMargin(t *testing.T) {
	const first, edge = 199, 195 // of what is held then, the first tick but one is on the grid
	for _, c := range []struct {
		name  string
		at    func(int) mask.Input
		onset int // tick
		want  int // ticks
	}{
		{"in time", suspectAt(first, first+40, -1), 190, 190 - (first - held)},
		{"just in time", suspectAt(first, first+40, -1), first - held + 1, 1},
		{"late", suspectAt(first, first+40, -1), first - held - 8, -9},
		{"from an edge on", suspectAt(first, first+40, edge), edge, edge - (first - held)},
		{"before an edge", suspectAt(first, first+40, edge), 180, -9}, // masked from 189 on, a cell of 9 ticks
		{"after a pause", func(n int) mask.Input {
			return armed(detect.Verdict{Loose: n >= first && n < first+40 && n != first+5})
		}, 190, 190 - (first - held)},
		{"another", func(n int) mask.Input {
			return armed(detect.Verdict{Loose: n >= 100 && n < 105 || n >= first && n < first+40})
		}, 190, 190 - (first - held)},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := mask.New(mask.Config{Rate: rate})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			for n := range first + 40 {
				in := c.at(n)
				m.Decide(&in)
				if n >= held {
					m.Release(make([]int16, tick), false)
				}
			}
			if got := m.Margin(audio.Position(c.onset * tick)); got != c.want*tick {
				t.Errorf("a margin of %d frames, want %d", got, c.want*tick)
			}
		})
	}
}
