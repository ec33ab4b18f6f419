// Package tune measures a line that is being installed, through its own devices and beside its own sample path: levels,
// echo, delay, which leg keys are seen on, and whether any of them gets past the mask when that is shut.
//
// It exists so that a line's legs, levels and wiring are proven before a card is keyed on it, by the process that will
// carry the card. It drives two telephones that persons hold: each step waits for what it needs to hear, and says so.
//
// It promises that nothing is captured while it runs, that of a key it learns no more than that it sounded, on which
// leg, how loud and how long, and that what it hears lies in locked memory. It never opens anything: the line is shut before
// [Run] and opened after it by whoever calls it. So it is with a [Test], by which a technician finds a leg and sets its levels: a tone, or the leg's own
// sound, on one leg, and silence on the other.
package tune

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/probe"
	"github.com/flattone/flattone/audio/ring"
	"github.com/flattone/flattone/daemon/acceptance"
)

// Step names what is being measured, and so what the persons at the telephones are to do.
type Step string

// The steps, in their order.
//
//	quiet ──▶ caller_keys ──▶ agent_keys ──▶ echo ──▶ loop ──▶ leak ──▶ the figures, all of them
//	  each: a figure that is out of bounds ──▶ the figures, as far as they go
//	  each: two minutes, no sound, cancelled ──▶ nothing: a Failure
const (
	Quiet      Step = "quiet"       // nobody speaks, for 3 s
	CallerKeys Step = "caller_keys" // the caller presses eight keys
	AgentKeys  Step = "agent_keys"  // the agent presses three
	Echo       Step = "echo"        // nobody speaks, while a noise is heard on either side
	Loop       Step = "loop"        // a cable joins the agent's output and input
	Leak       Step = "leak"        // the caller presses every key of his telephone, for 5 s in all
)

// Progress is how far a step has come: so much Of so much. What is counted are keys, seconds or tries.
type Progress struct {
	Step     Step
	Done, Of int
}

// Config of a tuning.
type Config struct {
	// Path is the line's own sample path, as it would hear an armed line.
	Path path.Config
	// OneClock: both legs are on one.
	OneClock bool
}

// Deps are what a tuning works with.
type Deps struct {
	Tap *Tap
	// Tell is told of every progress.
	Tell func(Progress)
}

// Failure is why a tuning found nothing out: what was there before still holds.
type Failure struct {
	Step Step
	// Code is one of the Codes.
	Code string
}

// Codes of a Failure.
const (
	// TimedOut: what the step waits for did not come in two minutes.
	TimedOut = "tune_timeout"
	// NoSound: a leg's device gives no frames.
	NoSound = "tune_no_sound"
	// Cancelled: somebody, or the end of the process, cut it short.
	Cancelled = "tune_cancelled"
)

func (f Failure) Error() string { return fmt.Sprintf("%s (%s)", f.Code, f.Step) }

const (
	// StepTime is how long a step waits.
	StepTime = 2 * time.Minute
	// lookEvery is how often what came in is looked at.
	lookEvery = 10 * time.Millisecond
	// soundTime without a frame is no sound.
	soundTime = time.Second
	// quietTime is how long the first step listens.
	quietTime = 3 * time.Second
	// apart is by how much the clocks of two devices may differ, as a share.
	apart = 400e-6
)

// tuner is one run.
type tuner struct {
	cfg     Config
	deps    Deps
	rate    audio.Rate
	probe   *probe.Probe
	heard   [2]*ring.Ring // of a probe: on the leg it was played on, and on the other
	caller  *ear
	agent   *ear
	leaks   *probe.Leak
	echoDB  float64 // of the agent's side, without a cable
	loopDB  float64
	figures []acceptance.Figure
	bad     bool // one of them is
}

// Run tunes until all steps are done, a figure is out of bounds, or ctx ends. The error is a [Failure], or why the tuning could not begin.
func Run(ctx context.Context, cfg Config, deps Deps) (_ []acceptance.Figure, err error) {
	t := &tuner{cfg: cfg, deps: deps, rate: cfg.Path.Rate}
	defer t.quit(&err)
	if err = t.makeProbe(); err != nil {
		return nil, err
	}
	if t.caller, err = newEar(cfg.Path, true); err != nil {
		return nil, err
	}
	if t.agent, err = newEar(cfg.Path, false); err != nil {
		return nil, err
	}
	drift := apart
	if cfg.OneClock {
		drift = 0
	}
	if t.leaks, err = probe.NewLeak(t.rate, drift); err != nil {
		return nil, err
	}
	for _, step := range []struct {
		name Step
		run  func(*listener)
	}{{Quiet, t.quiet}, {CallerKeys, t.callerKeys}, {AgentKeys, t.agentKeys}, {Echo, t.echo}, {Loop, t.loop}, {Leak, t.leak}} {
		l := t.listen(ctx, step.name)
		step.run(l)
		l.stop()
		if l.failed != "" {
			return nil, Failure{step.name, l.failed}
		}
		if t.bad {
			break
		}
	}
	return t.figures, nil
}

// makeProbe makes the probe, and room for what is heard of it.
func (t *tuner) makeProbe() (err error) {
	if t.probe, err = probe.New(t.rate); err != nil {
		return err
	}
	for i := range t.heard {
		if t.heard[i], err = ring.New(t.probe.Frames()); err != nil {
			return err
		}
	}
	return nil
}

// quit wipes what was heard.
func (t *tuner) quit(err *error) {
	t.deps.Tap.Caller.forget()
	t.deps.Tap.Agent.forget()
	for _, e := range []*ear{t.caller, t.agent} {
		if e != nil {
			*err = errors.Join(*err, e.Close())
		}
	}
	for _, heard := range t.heard {
		if heard != nil {
			*err = errors.Join(*err, heard.Close())
		}
	}
	if t.probe != nil {
		*err = errors.Join(*err, t.probe.Close())
	}
	if t.leaks != nil {
		*err = errors.Join(*err, t.leaks.Close())
	}
}

// measured adds a figure.
func (t *tuner) measured(name acceptance.Name, value float64) {
	f := acceptance.Measured(name, value)
	t.figures = append(t.figures, f)
	t.bad = t.bad || !f.Good
}

// ms are frames in milliseconds.
func (t *tuner) ms(frames int) float64 { return 1000 * float64(frames) / float64(t.rate) }
