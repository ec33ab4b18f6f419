package tune

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// tested is what comes of a test at a site, what was told of it, and the frame of the site at which it was over.
func tested(t *testing.T, s *site, test Test, cut time.Duration) (last Heard, told []Heard, over int, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s.r = rand.New(rand.NewPCG(1, 2))
		if s.tap, err = NewTap(rate); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		moving := make(chan struct{})
		var frames atomic.Int64
		go func() {
			defer close(moving)
			for ctx.Err() == nil {
				time.Sleep(rate.Duration(period))
				if !s.mute {
					s.turn()
					frames.Add(period)
				}
			}
		}()
		running := ctx
		if cut > 0 {
			var end context.CancelFunc
			running, end = context.WithTimeout(ctx, cut)
			defer end()
		}
		last, err = test.Run(running, rate, s.tap, func(h Heard) { told = append(told, h) })
		synctest.Wait()
		over = int(frames.Load()) - period // the turn in which it was over is either's
		if s.tap.Caller.play.Load() != nil || s.tap.Agent.play.Load() != nil {
			t.Error("a leg is left with a sound")
		}
		time.Sleep(100 * time.Millisecond)
		stop()
		<-moving
		if err := s.tap.Close(); err != nil {
			t.Error(err)
		}
	})
	return last, told, over, err
}

// dBm0 is the level of a sine in x.
func dBm0(x []int16, hz float64) float64 {
	var re, im float64
	for i, v := range x {
		sin, cos := math.Sincos(2 * math.Pi * hz * float64(i) / float64(rate))
		re, im = re+cos*float64(v), im+sin*float64(v)
	}
	return audio.DBm0(2 * (re*re + im*im) / float64(len(x)) / float64(len(x)))
}

// A tone goes out on its leg for as long as it is to, to the frame and without a seam, and nothing on the other; what comes back of it is told each second.
func TestATone(t *testing.T) {
	for _, test := range []Test{{false, tone.Sine{Hz: 1020, DBm0: -10}, 3}, {true, tone.Sine{Hz: 2713, DBm0: -33.5}, 2}, {true, tone.Sine{Hz: 310, DBm0: 0}, 1}} {
		s := good()
		s.callerEcho, s.agentEcho = -20, -20
		last, told, over, err := tested(t, s, test, 0)
		if err != nil {
			t.Fatal(err)
		}
		leg, other := 0, 1
		if test.Agent {
			leg, other = 1, 0
		}
		// The site's agent hears a mask where the tap gives nothing: silence is the test's.
		silent := func(x []int16) bool { return !slices.ContainsFunc(x, func(v int16) bool { return v != 0 }) }
		if !silent(s.out[other][2*period : over-2*period]) {
			t.Errorf("%+v: the other leg isn't silent", test)
		}
		want, begins := tone.Append(nil, rate, test.Seconds*int(rate), 0, test.Tone), 0
		for begins <= 2*period && !slices.Equal(s.out[leg][begins:][:len(want)], want) {
			begins++
		}
		if begins > 2*period {
			t.Fatalf("%+v: another sound goes out, or later", test)
		}
		if end := begins + len(want); over < end || !silent(s.out[leg][end:over]) {
			t.Errorf("%+v: it ends at %d, and something is heard until %d", test, end, over)
		}
		for i := range test.Seconds {
			if got := dBm0(s.out[leg][begins+i*int(rate):][:rate], test.Tone.Hz); math.Abs(got-test.Tone.DBm0) > 0.05 {
				t.Errorf("%+v: %.2f dBm0 in second %d", test, got, i)
			}
		}
		if len(told) != test.Seconds+1 || told[0].Progress != (Progress{Tone, 0, test.Seconds}) || last.Progress != (Progress{Tone, test.Seconds, test.Seconds}) {
			t.Errorf("%+v: it tells %+v", test, told)
		}
		if heard := []float64{last.CallerDBm0, last.AgentDBm0}; math.Abs(heard[leg]-(test.Tone.DBm0-20)) > 0.5 || heard[other] > -60 {
			t.Errorf("%+v: it hears %v", test, heard)
		}
	}
}

// What comes in on a leg goes out on it half a second later, frame by frame, and never on the other.
func TestALoopback(t *testing.T) {
	for leg, test := range []Test{{Agent: false, Seconds: 4}, {Agent: true, Seconds: 4}} {
		s := good()
		s.callerEcho, s.agentEcho, s.lostEvery = -18, -40, 501
		s.keys[leg] = make([]int16, 2*rate) // until the return was measured
		s.press(leg, "1590", 500, -20)
		last, told, over, err := tested(t, s, test, 0)
		if err != nil {
			t.Fatal(err)
		}
		in, out, other := s.in[leg], s.out[leg], s.out[1-leg]
		if slices.ContainsFunc(other[2*period:over-2*period], func(v int16) bool { return v != 0 }) {
			t.Error("the other leg isn't silent")
		}
		late, from := rate.Frames(EchoTime), 0
		for !slices.Equal(out[from+late:][:rate], in[from:][:rate]) {
			if from++; from+late+int(rate) > over {
				t.Fatal("nothing comes back")
			}
		}
		until := from + test.Seconds*int(rate)
		if slices.ContainsFunc(out[until:over], func(v int16) bool { return v != 0 }) {
			t.Error("it goes on")
		}
		if !slices.Equal(out[from+late:until], in[from:until-late]) {
			t.Error("what goes out isn't what came in half a second before")
		}
		if slices.ContainsFunc(out[from:from+late], func(v int16) bool { return v != 0 }) {
			t.Error("something is heard in the loop's first half second")
		}
		want, wantMS := -18.0, 50.0
		if test.Agent {
			want, wantMS = -40, 20
		}
		if math.Abs(last.ReturnDB-want) > 0.5 || math.Abs(last.ReturnMS-wantMS) > 0.2 {
			t.Errorf("what comes back is %.1f dB, %.1f ms late", last.ReturnDB, last.ReturnMS)
		}
		if len(told) != test.Seconds+2 || told[0].Step != Return || told[1].Progress != (Progress{Loopback, 0, test.Seconds}) || told[1].ReturnMS == 0 || last.Done != test.Seconds {
			t.Errorf("it tells %+v", told)
		}
	}
}

// A cable between a leg's output and input is measured, and not looped: it would howl. Where nothing comes back, it says so.
func TestAReturn(t *testing.T) {
	s := good()
	s.wired = true
	last, _, over, err := tested(t, s, Test{Agent: true, Seconds: 10}, 0)
	if err != nil || last.Step != Return || math.Abs(last.ReturnDB+3) > 0.2 || last.ReturnMS != 10 || over > 4*int(rate) {
		t.Errorf("a cable gives %+v, %v, after %d frames", last, err, over)
	}
	s = good()
	s.callerEcho = -200
	if last, _, _, err = tested(t, s, Test{Seconds: 1}, 0); err != nil || last.Step != Loopback || last.ReturnMS != 0 || last.ReturnDB != 0 {
		t.Errorf("nothing comes back as %+v, %v", last, err)
	}
}

// A test that is cut ends at once; one without sound says so.
func TestTestsThatEndBeforeTheirTime(t *testing.T) {
	sine := tone.Sine{Hz: 1020, DBm0: -10}
	last, _, over, err := tested(t, good(), Test{Tone: sine, Seconds: 5}, 1500*time.Millisecond)
	var failed Failure
	if !errors.As(err, &failed) || failed != (Failure{Tone, Cancelled}) || last.Done != 1 || over > int(rate)*3/2+2*period {
		t.Errorf("a tone that is cut gives %+v, %v, after %d frames", last, err, over)
	}
	if _, _, _, err = tested(t, good(), Test{Seconds: 5}, 500*time.Millisecond); !errors.As(err, &failed) || failed != (Failure{Return, Cancelled}) {
		t.Errorf("a return that is cut gives %v", err)
	}
	s := good()
	s.mute = true
	if _, _, _, err = tested(t, s, Test{Tone: sine, Seconds: 5}, 0); !errors.As(err, &failed) || failed != (Failure{Tone, NoSound}) {
		t.Errorf("without sound there is %v", err)
	}
}

// A leg whose sound was looped gives nothing of that to the next loop, whatever it was.
func TestALoopBeginsAnew(t *testing.T) {
	tap, err := NewTap(rate)
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	l, in, out := tap.Caller, make([]int16, period), make([]int16, period)
	turn := func(v int16) []int16 {
		for i := range in {
			in[i] = v
		}
		l.Take(in)
		l.Fill(out)
		return out
	}
	late := rate.Frames(EchoTime) / period
	l.plays(&play{loops: true, frames: 1 << 30})
	for range 2 * late {
		turn(1)
	}
	l.hush()
	p := &play{loops: true, frames: 1 << 30}
	p.began.Store(-1)
	l.Take(slices.Repeat([]int16{2}, period))
	l.play.Store(p) // between a turn's two halves
	if l.Fill(out); out[0] != 0 || out[period-1] != 0 {
		t.Error("the turn in which it begins isn't silent")
	}
	for i := range late {
		if got := turn(3); got[0] != 0 || got[period-1] != 0 {
			t.Fatalf("turn %d isn't silent", i)
		}
	}
	if got := turn(4); got[0] != 3 || got[period-1] != 3 {
		t.Errorf("half a second later %d is heard", got[0])
	}
	if n := testing.AllocsPerRun(100, func() { turn(5); l.Lost(period) }); n > 0 {
		t.Errorf("%g allocations in a turn", n)
	}
	l.plays(&play{sound: slices.Repeat([]int16{6, 7}, 3), frames: 1 << 30})
	if n := testing.AllocsPerRun(100, func() { turn(5) }); n > 0 || out[0]+out[1] != 13 {
		t.Errorf("%g allocations in a turn of a tone, which gives %d", n, out[0])
	}
}

// A play is over once a turn has begun after its last frame, which is then heard whole; a loop's frames count from the first turn that it hears whole.
func TestAPlaysEnd(t *testing.T) {
	for name, loops := range map[string]bool{"a sound": false, "a loop": true} {
		t.Run(name, func(t *testing.T) {
			tap, err := NewTap(rate)
			if err != nil {
				t.Fatal(err)
			}
			defer tap.Close()
			l, in, out := tap.Caller, make([]int16, period), make([]int16, period)
			p := &play{sound: []int16{7}, loops: loops, frames: period + 1}
			l.Take(in)
			l.plays(p) // between a turn's two halves
			l.Fill(out)
			if began := p.began.Load() >= 0; began == loops {
				t.Errorf("begun: %v", began)
			}
			turns := 1
			if loops {
				turns = 2
			}
			for range turns {
				if l.Take(in); p.over.Load() {
					t.Error("it is over with its last turn half done")
				}
				if l.Fill(out); p.over.Load() {
					t.Error("it is over before its last turn is")
				}
			}
			l.Take(in)
			if l.Fill(out); !p.over.Load() || out[0] != 0 {
				t.Error("it isn't over, or goes on")
			}
		})
	}
}

// With a tap that is shut nothing of the line is heard on either leg, whatever is played or not; with one that isn't, all of it where nothing is played.
func TestAShutTap(t *testing.T) {
	tap, err := NewTap(rate)
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	for _, shut := range []bool{true, false} {
		tap.Shut(shut)
		for _, l := range []*Leg{tap.Caller, tap.Agent} {
			out := []int16{9}
			if l.Fill(out); (out[0] == 0) != shut {
				t.Errorf("shut %v: %d is heard", shut, out[0])
			}
		}
	}
}
