package path_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/tone"
)

var rates = []audio.Rate{audio.Rate8k, audio.Rate16k, audio.Rate44k, audio.Rate48k}

// What isn't suspect comes out as it went in, after the look-ahead exactly, at every rate.
func TestDelayIsExact(t *testing.T) {
	for _, rate := range rates {
		in := noise(uint64(rate), int(rate)/5, -30)
		for _, lookAhead := range []time.Duration{shortest, 17 * time.Millisecond, usual, mask.MaxLookAhead} {
			for _, block := range []int{1, 160, 441} {
				p := open(t, path.Config{Rate: rate, LookAhead: lookAhead}, mask.Armed)
				if p.Delay() != rate.Frames(lookAhead) {
					t.Fatalf("%v: delay %d frames for %v", rate, p.Delay(), lookAhead)
				}
				out, _ := flow(p, in, block)
				if !slices.Equal(out[p.Delay():], in) {
					t.Errorf("%v, look-ahead %v, blocks of %d: noise was changed", rate, lookAhead, block)
				}
				if p.Stats().Faults != 0 || p.Position() != audio.Position(len(in)+p.Delay()) {
					t.Errorf("%v, look-ahead %v: %d faults, position %d", rate, lookAhead, p.Stats().Faults, p.Position())
				}
			}
		}
	}
}

// keysAt is a second and a half of soft noise with three keys, at a rate.
func keysAt(rate audio.Rate) []int16 {
	x := noise(7, ms(rate, 1500), -55)
	press(x, rate, '5', ms(rate, 300), ms(rate, 80), -9, 2)
	press(x, rate, '0', ms(rate, 500), ms(rate, 45), -14, -3)
	press(x, rate, '#', ms(rate, 700), ms(rate, 120), -20, 0)
	return x
}

// Keys are heard, in place, and masked, at every rate.
func TestEveryRate(t *testing.T) {
	for _, rate := range rates {
		for _, grade := range []mask.Grade{mask.Idle, mask.Armed} {
			t.Run(fmt.Sprintf("%v/%v", rate, grade), func(t *testing.T) {
				x := keysAt(rate)
				p := open(t, path.Config{Rate: rate, LookAhead: shortest, Shield: mask.Keys}, grade)
				out, events := flow(p, x, 333)
				keys := slices.DeleteFunc(events, func(e path.Event) bool { return e.Kind != path.Key })
				if len(keys) != 3 {
					t.Fatalf("%d keys of 3", len(keys))
				}
				for i, start := range []float64{300, 500, 700} {
					if off := int(keys[i].Start) - ms(rate, start); off > ms(rate, 2) || off < -ms(rate, 2) {
						t.Errorf("key %d: start %+d frames off", i, off)
					}
					length := []float64{80, 45, 120}[i]
					if n := leaked(x, out, rate, p.Delay(), ms(rate, start), ms(rate, start+length)); n > 0 {
						t.Errorf("key %d: %d frames came through", i, n)
					}
				}
			})
		}
	}
}

// A key whose first contact bounces: a burst of a few milliseconds, a hole, the tone. Burst and tone are both masked, as
// long as the look-ahead still holds the burst when the tone is suspected.
func TestABurstBeforeTheKeyIsMasked(t *testing.T) {
	for _, shield := range []mask.Shield{mask.Keys, mask.Run} {
		r := rand.New(rand.NewPCG(11, uint64(shield)))
		for range repeats(100) {
			x := noise(r.Uint64(), 8000, -60)
			key, level := tone.Keys[r.IntN(16)], -25+20*r.Float64()
			burst, hole := ms(audio.Rate8k, 1.5+2.5*r.Float64()), ms(audio.Rate8k, 9+6*r.Float64())
			at := 4000 + r.IntN(800)
			press(x, audio.Rate8k, key, at, burst, level, 0)
			press(x, audio.Rate8k, key, at+burst+hole, 640, level, 0)
			p := open(t, path.Config{Rate: audio.Rate8k, Shield: shield}, mask.Armed)
			out, _ := flow(p, x, 160)
			if n := leaked(x, out, audio.Rate8k, p.Delay(), at, at+burst+hole+640); n > 0 {
				t.Errorf("shield %v: %d frames of a key with a burst of %d and a hole of %d came through", shield, n, burst, hole)
			}
		}
	}
}

// What comes back from the far end, softer than a key may be (ITU-T Q.24), is masked, and is no key.
func TestAnEchoIsNoKey(t *testing.T) {
	for _, delayMS := range []float64{60, 80, 120, 180, 250} {
		for _, down := range []float64{12, 20, 26, 32} {
			x := noise(uint64(delayMS), 5*8000, -65)
			for i := range 5 {
				at := 4000 + 6400*i
				press(x, audio.Rate8k, tone.Keys[i*3], at, 640, -17, 1)
				press(x, audio.Rate8k, tone.Keys[i*3], at+ms(audio.Rate8k, delayMS), 640, -17-down, 1)
			}
			p := open(t, path.Config{Rate: audio.Rate8k}, mask.Armed)
			out, events := flow(p, x, 160)
			keys := slices.DeleteFunc(events, func(e path.Event) bool { return e.Kind == path.KeyEnd })
			if len(keys) != 5 {
				t.Errorf("an echo after %g ms, %g dB down: %d keys of 5", delayMS, down, len(keys))
			}
			if n := leaked(x, out, audio.Rate8k, p.Delay(), 4000, 4000+6400*4+640+ms(audio.Rate8k, delayMS)); n > 0 {
				t.Errorf("an echo after %g ms, %g dB down: %d frames came through", delayMS, down, n)
			}
		}
	}
}

// The same key again, soon and far softer, is a key as long as it is one by the least level that any administration
// lets it have (ITU-T Q.24).
func TestASofterKeyIsAKey(t *testing.T) {
	for _, softer := range []float64{12, 16, 20, 24} {
		x := noise(uint64(softer), 2*8000, -65)
		press(x, audio.Rate8k, '3', 4000, 400, -3, 1)
		press(x, audio.Rate8k, '3', 4800, 400, -3-softer, 1)
		_, events := flow(open(t, path.Config{Rate: audio.Rate8k}, mask.Armed), x, 160)
		keys := slices.DeleteFunc(events, func(e path.Event) bool { return e.Kind == path.KeyEnd })
		if len(keys) != 2 {
			t.Errorf("a key, and again %g dB softer: %d keys of 2", softer, len(keys))
		}
	}
}

// The same key again is a key, whether upon the echo of the first or after it, and even if it is a little softer.
func TestTheSameKeyUponItsEcho(t *testing.T) {
	for _, pauseMS := range []float64{60, 100, 140, 200, 300} {
		for _, softer := range []float64{0, 3, 6} {
			x := noise(uint64(pauseMS), 2*8000, -65)
			second := 4000 + 640 + ms(audio.Rate8k, pauseMS)
			press(x, audio.Rate8k, '7', 4000, 640, -10, 1)
			press(x, audio.Rate8k, '7', 4000+ms(audio.Rate8k, 120), 640, -36, 1)
			press(x, audio.Rate8k, '7', second, 640, -10-softer, 1)
			_, events := flow(open(t, path.Config{Rate: audio.Rate8k}, mask.Armed), x, 160)
			keys := slices.DeleteFunc(events, func(e path.Event) bool { return e.Kind == path.KeyEnd })
			if len(keys) != 2 {
				t.Errorf("the same key %g ms later, %g dB softer: %d keys of 2", pauseMS, softer, len(keys))
			}
		}
	}
}

// A sound card's DC and hum hide no key, on an idle line with the shortest look-ahead either.
func TestHumHidesNothing(t *testing.T) {
	for _, rate := range rates {
		r := rand.New(rand.NewPCG(12, uint64(rate)))
		for range repeats(40) {
			x := noise(r.Uint64(), ms(rate, 700), -60)
			phase := 2 * math.Pi * r.Float64()
			for i := range x {
				w := 2 * math.Pi * float64(i) / float64(rate)
				x[i] += int16(150 + audio.Amplitude(-35)*math.Sin(50*w+phase) + audio.Amplitude(-45)*math.Sin(150*w+phase))
			}
			at, frames := ms(rate, 400+50*r.Float64()), ms(rate, 80)
			press(x, rate, tone.Keys[r.IntN(16)], at, frames, -25+3*r.Float64(), 0)
			p := open(t, path.Config{Rate: rate, LookAhead: shortest}, mask.Idle)
			out, _ := flow(p, x, 333)
			if n := leaked(x, out, rate, p.Delay(), at, at+frames); n > 0 {
				t.Errorf("%v: %d frames of a key came through", rate, n)
			}
		}
	}
}

// The output doesn't depend on how the input was cut.
func TestBlockingDoesNotShow(t *testing.T) {
	type run struct {
		in, out []int16
		events  []path.Event
	}
	want := map[audio.Rate]run{}
	for _, rate := range rates {
		x := keysAt(rate)[:ms(rate, 700)]
		out, events := flow(open(t, path.Config{Rate: rate}, mask.Armed), x, 160)
		want[rate] = run{x, out, events}
	}
	rapid.Check(t, func(r *rapid.T) {
		rate := rapid.SampledFrom(rates).Draw(r, "rate")
		blocks := rapid.SliceOfN(rapid.IntRange(1, path.MaxBlock), 1, 40).Draw(r, "blocks")
		p, err := path.New(path.Config{Rate: rate})
		if err != nil {
			r.Fatal(err)
		}
		defer p.Close()
		p.SetGrade(mask.Armed)
		in := append(slices.Clone(want[rate].in), make([]int16, p.Delay())...)
		out := make([]int16, len(in))
		for at, i := 0, 0; at < len(in); i++ {
			to := min(at+blocks[i%len(blocks)], len(in))
			p.Write(in[at:to])
			p.Read(out[at:to])
			at = to
		}
		if !slices.Equal(out, want[rate].out) || !slices.Equal(drain(p), want[rate].events) {
			r.Fatal("other blocks, other output")
		}
	})
}

func TestNothingIsAllocated(t *testing.T) {
	x := keysAt(audio.Rate8k)
	p := open(t, path.Config{Rate: audio.Rate8k}, mask.Armed)
	out := make([]int16, 160)
	at := 0
	perBlock := testing.AllocsPerRun(500, func() {
		p.Write(x[at : at+160])
		p.Read(out)
		p.Next()
		p.Meter()
		p.Stats()
		at = (at + 160) % (len(x) - 160)
	})
	if perBlock != 0 {
		t.Errorf("%g allocations a block", perBlock)
	}
}

// A reader that comes too early gets silence, a fault is counted, and the delay stays what it was.
func TestReaderTooEarly(t *testing.T) {
	p := open(t, path.Config{Rate: audio.Rate8k}, mask.Idle)
	in := noise(3, 8000, -30)
	out := make([]int16, 160)
	p.Read(out) // of the 240 frames of delay
	p.Read(out) // 80 frames too many
	if p.Stats().Faults != 1 {
		t.Errorf("%d faults for one early read", p.Stats().Faults)
	}
	for at := 0; at+160 <= len(in); at += 160 {
		p.Write(in[at : at+160])
		if at < 320 {
			continue // the reader lets the writer catch up
		}
		p.Read(out)
		if from := at - 240; from >= 0 && !slices.Equal(out, in[from:from+160]) {
			t.Fatalf("at frame %d the delay is not what it was", at)
		}
	}
}

// A writer that the reader doesn't keep up with loses the newest frames, never overwrites, and counts faults.
func TestReaderTooLate(t *testing.T) {
	p := open(t, path.Config{Rate: audio.Rate8k}, mask.Idle)
	in := noise(4, 8*path.MaxBlock, -30)
	for at := 0; at < len(in); at += 1024 {
		p.Write(in[at : at+1024])
	}
	p.Lost(50)
	if p.Stats().Faults == 0 {
		t.Fatal("frames were dropped without a fault")
	}
	kept := int(p.Position())
	out := make([]int16, kept)
	p.Read(out)
	held := ms(audio.Rate8k, 30)
	if !slices.Equal(out[held:kept-held], in[:kept-2*held]) {
		t.Error("what had been written was overwritten")
	}
}

// Lost input keeps its place on the clock; it is masked, and so is all that was held before it.
func TestLostInput(t *testing.T) {
	p := open(t, path.Config{Rate: audio.Rate8k}, mask.Idle)
	in := noise(5, 8000, -30)
	out := make([]int16, 8000)
	p.Write(in[:4000])
	p.Lost(800)
	p.Write(in[4800:])
	p.Read(out)
	if p.Position() != 8000 {
		t.Fatalf("position %d of 8000", p.Position())
	}
	const delay, held = 240, 29 * 8
	if n := leaked(in, out, audio.Rate8k, delay, 4000-held+8, 4800); n > 0 {
		t.Errorf("%d frames around lost input came through", n)
	}
	if !slices.Equal(out[delay:delay+4000-2*held], in[:4000-2*held]) {
		t.Error("frames long before the loss were changed")
	}
	if !slices.Equal(out[delay+6000:], in[6000:8000-delay]) {
		t.Error("frames long after the loss were changed")
	}
	if p.CalmFrom() < 4800 {
		t.Errorf("calm from %d", p.CalmFrom())
	}
}

// A new path and a closed one let nothing through.
func TestClosed(t *testing.T) {
	p := open(t, path.Config{Rate: audio.Rate8k}, 0) // not a grade: closed
	in := noise(6, 8000, -10)
	out := make([]int16, 8000)
	p.Write(in)
	p.Read(out)
	if n := leaked(in, out, audio.Rate8k, 240, 0, 7760); n > 0 || p.Grade() != mask.Closed {
		t.Errorf("grade %v let %d frames through", p.Grade(), n)
	}
	p.SetGrade(mask.Idle)
	p.Write(in)
	p.Read(out)
	if !slices.Equal(out[480:], in[240:8000-240]) {
		t.Error("an opened path doesn't let speech through")
	}
	p.SetGrade(mask.Closed)
	p.Write(in[:4000])
	p.Read(out[:4000])
	if n := leaked(in, out, audio.Rate8k, 240, 0, 4000-240); n > 0 {
		t.Errorf("a path closed again let %d frames through", n)
	}
}

// Armed stays in force until three seconds after the last suspicion and one after it was lowered.
func TestArmedEndsLate(t *testing.T) {
	p := open(t, path.Config{Rate: audio.Rate8k}, mask.Armed)
	step := func(x []int16) (grade mask.Grade, settled bool) {
		out := make([]int16, len(x))
		p.Write(x)
		p.Read(out)
		return p.Grade(), p.Settled()
	}
	second := make([]int16, 8000)
	key := make([]int16, 800)
	press(key, audio.Rate8k, '1', 0, 800, -10, 0)
	if g, ok := step(second); g != mask.Armed || !ok {
		t.Fatalf("armed: grade %v, settled %v", g, ok)
	}
	step(key)
	p.SetGrade(mask.Idle)
	for n := range 3 {
		want := mask.Armed
		if g, ok := step(second[:7900]); g != want || ok {
			t.Errorf("%d seconds after the key: grade %v, settled %v", n+1, g, ok)
		}
	}
	if g, ok := step(second); g != mask.Idle || !ok {
		t.Errorf("four seconds after the key: grade %v, settled %v", g, ok)
	}
	for _, asked := range []mask.Grade{mask.Armed, mask.Idle, mask.Armed} { // armed anew within the tail
		p.SetGrade(asked)
		if g, ok := step(second[:800]); g != mask.Armed || ok != (asked == mask.Armed) {
			t.Errorf("%v asked for: grade %v, settled %v", asked, g, ok)
		}
	}
}

// An owner may let an idle line pass everything: its keys are heard, and not masked.
func TestIdlePass(t *testing.T) {
	x := keysAt(audio.Rate8k)
	p := open(t, path.Config{Rate: audio.Rate8k, Idle: mask.Pass}, mask.Idle)
	out, events := flow(p, x, 160)
	if !slices.Equal(out[p.Delay():], x) {
		t.Error("an idle line that passes changed something")
	}
	if len(events) != 6 || events[0].Slot != -1 {
		t.Errorf("%d events, want three keys and their ends without a slot", len(events))
	}
}

// The field shield hides everything from the field's first key until the field is closed; without one, the run
// ends a second after the key.
func TestFieldShield(t *testing.T) {
	for _, field := range []bool{true, false} {
		p := open(t, path.Config{Rate: audio.Rate8k, Shield: mask.Field}, mask.Armed)
		in := noise(8, 6*8000, -30)
		press(in, audio.Rate8k, '7', 8000, 800, -10, 0)
		out := make([]int16, len(in))
		p.OpenField(field)
		for at := 0; at < len(in); at += 160 {
			if at == 4*8000 {
				p.OpenField(false)
			}
			p.Write(in[at : at+160])
			p.Read(out[at : at+160])
		}
		hidden := 8800 + 7900 // until a second after the key
		if field {
			hidden = 4*8000 - 1
		}
		if n := leaked(in, out, audio.Rate8k, p.Delay(), 8000, hidden); n > 0 {
			t.Errorf("field %v: %d frames came through while it was open", field, n)
		}
		heard := hidden + 2*800 // the run ends on the grid of slots
		if !slices.Equal(out[heard+p.Delay():], in[heard:len(in)-p.Delay()]) {
			t.Errorf("field %v: something is hidden after it", field)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	for name, cfg := range map[string]path.Config{
		"rate":       {Rate: 11025},
		"no rate":    {},
		"look-ahead": {Rate: audio.Rate8k, LookAhead: time.Millisecond},
		"idle":       {Rate: audio.Rate8k, Idle: mask.Armed},
		"shield":     {Rate: audio.Rate8k, Shield: 9},
		"tone":       {Rate: audio.Rate8k, ToneHz: 20},
		"level":      {Rate: audio.Rate8k, ToneDBm0: 6},
	} {
		if p, err := path.New(cfg); err == nil {
			p.Close()
			t.Errorf("%s: a senseless config was taken", name)
		}
	}
}

// Writer, reader, control and consumer on threads of their own: for the race detector.
func TestThreads(t *testing.T) {
	p := open(t, path.Config{Rate: audio.Rate8k}, mask.Armed)
	x := keysAt(audio.Rate8k)
	stop := make(chan struct{})
	var all sync.WaitGroup
	var read atomic.Int64
	var keys int
	all.Go(func() {
		defer close(stop)
		for range 3 {
			for at := 0; at+160 <= len(x); at += 160 {
				for int64(p.Position())-read.Load() > path.MaxBlock {
					runtime.Gosched() // a device would keep both in step
				}
				p.Write(x[at : at+160])
			}
		}
	})
	until := func(f func()) {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					f()
					runtime.Gosched()
				}
			}
		})
	}
	out := make([]int16, 160)
	until(func() {
		if read.Load()+int64(len(out)) <= int64(p.Position()) {
			p.Read(out)
			read.Add(int64(len(out)))
		}
	})
	until(func() {
		if e, ok := p.Next(); ok && e.Kind == path.Key {
			keys++
		}
	})
	r := rand.New(rand.NewPCG(1, 1))
	until(func() {
		p.OpenField(r.IntN(2) == 0)
		p.SetGrade(mask.Armed)
		_, _, _, _, _ = p.Grade(), p.Settled(), p.Position(), p.Meter(), p.Stats()
		_, _ = p.LastSpeech(), p.CalmFrom()
	})
	all.Wait()
	for _, e := range drain(p) {
		if e.Kind == path.Key {
			keys++
		}
	}
	if keys != 9 || p.Stats().Faults != 0 {
		t.Errorf("%d keys of 9, %d faults", keys, p.Stats().Faults)
	}
}
