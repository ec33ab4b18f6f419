package tune

import (
	"context"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/level"
	"github.com/flattone/flattone/audio/tone"
)

// The steps of a test, which is a technician's.
//
//	a tone:     Tone ──▶ its end
//	a loopback: Return ──▶ Loopback ──▶ its end
//	              └─ what comes back is nearly as loud as what was played: it would howl ──▶ its end
const (
	Tone     Step = "tone"     // a tone goes out
	Return   Step = "return"   // nobody speaks: a noise goes out, and what comes back is measured
	Loopback Step = "loopback" // what comes in goes out again, EchoTime later
)

// Test is what one leg is to do for so many seconds. The other is given silence meanwhile.
type Test struct {
	// Agent: on the agent's leg, else on the caller's.
	Agent bool
	// Tone goes out; without a frequency it is a loopback.
	Tone    tone.Sine
	Seconds int
}

// Heard is how far a test has come, and what it has heard by now.
type Heard struct {
	Progress // seconds
	// CallerDBm0 and AgentDBm0 are the levels of what came in over the last second.
	CallerDBm0, AgentDBm0 float64
	// ReturnDB is the level of what came back of the noise against the noise's own, ReturnMS how late that was: 0 where nothing came back, or isn't known.
	ReturnDB, ReturnMS float64
}

// howls is from which return on a leg isn't looped.
const howls = -6.0

// Run tests until the time is over, or ctx. It answers with the last that was heard; the error is a [Failure], or why it could not begin.
func (t Test) Run(ctx context.Context, rate audio.Rate, tap *Tap, tell func(Heard)) (_ Heard, err error) {
	r := &tester{tuner: tuner{rate: rate, deps: Deps{Tap: tap}}, Test: t, to: tap.Caller, from: tap.Agent, say: tell}
	if t.Agent {
		r.to, r.from = r.from, r.to
	}
	defer r.quit(&err)
	if t.Tone.Hz > 0 {
		whole := tone.Append(nil, rate, int(rate), 0, t.Tone) // a frequency in whole Hz has no seam
		err = r.plays(ctx, Tone, &play{sound: whole, frames: t.Seconds * int(rate)})
		return r.last, err
	}
	if err = r.measureReturn(ctx); err == nil && !(r.last.ReturnMS > 0 && r.last.ReturnDB >= howls) {
		err = r.plays(ctx, Loopback, &play{loops: true, frames: t.Seconds * int(rate)})
	}
	return r.last, err
}

// tester is one run of a test.
type tester struct {
	tuner
	Test
	to, from *Leg
	last     Heard
	say      func(Heard)
}

// plays has something played on the leg until its end, and tells once a second what comes in meanwhile.
func (r *tester) plays(ctx context.Context, step Step, p *play) error {
	l := r.listen(ctx, step)
	defer l.stop()
	defer r.to.hush()
	defer r.from.hush()
	r.from.sound(nil)
	r.to.plays(p)
	r.tell(step, 0)
	var caller, agent loudness
	for frames, over := 0, false; !over; {
		over = p.over.Load()
		x, y, ok := l.next()
		if !ok {
			return Failure{step, l.failed}
		}
		caller.add(x)
		agent.add(y)
		frames += len(x)
		done := min(frames/int(r.rate), r.Seconds)
		if over { // of the turn in which it began some may have been forgotten
			done = r.Seconds
		}
		if done > r.last.Done {
			r.last.CallerDBm0, r.last.AgentDBm0 = caller.take(), agent.take()
			r.tell(step, done)
		}
	}
	return nil
}

// measureReturn plays the probe on the leg, and keeps what comes back of it.
func (r *tester) measureReturn(ctx context.Context) (err error) {
	l := r.listen(ctx, Return)
	defer l.stop()
	r.tell(Return, 0)
	if err = r.makeProbe(); err != nil {
		return err
	}
	back, _, ok := r.sound(l, r.to, r.from)
	if !ok {
		return Failure{Return, l.failed}
	}
	if back.Heard {
		r.last.ReturnDB, r.last.ReturnMS = back.GainDB, r.ms(back.Frames)
	}
	return nil
}

func (r *tester) tell(step Step, done int) {
	r.last.Progress = Progress{step, done, r.Seconds}
	r.say(r.last)
}

// loudness is that of some frames.
type loudness struct {
	squares int64
	frames  int
}

func (l *loudness) add(x []int16) {
	_, squares := level.Sums(x)
	l.squares, l.frames = l.squares+squares, l.frames+len(x)
}

// take answers with it, and begins anew.
func (l *loudness) take() float64 {
	dBm0 := audio.DBm0(float64(l.squares) / float64(l.frames))
	*l = loudness{}
	return dBm0
}
