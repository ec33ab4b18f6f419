package line

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/daemon/acceptance"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/daemon/tune"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw/sound"
)

// tuning is the line's end of flattone tune, tone and loopback: at most one at a time, on a goroutine of its own.
//
//	heard Tune ──asked──▶ tunes ──▶ session: tuning, answered ──▶ the tap in, tune.Run, the tap out ──▶ session: idle ──▶ say Tuned
//	heard Test ──asked──▶ tunes ──▶ session: testing, the tap in, answered ──▶ tune.Test ──▶ session: the tap out, idle ──▶ say Testing
//	heard Cancel ──cancel──────────────────────────────────────────────────────▲
//	heard Accepted ──▶ session: barred as untuned, or not
type tuning struct {
	asked chan func(context.Context)
	busy  atomic.Bool // from asking to its end
	// cancel ends the one that was asked for last, tests says that it is a test: they belong to the link's goroutine.
	cancel context.CancelFunc
	tests  bool
	// tap is kept until the line is closed: a device's thread may still be in it when a tuning is over.
	tap *tune.Tap
	// What a tuning holds for.
	fingerprint, settings string
}

// errNothingToTune: a line of recordings, or with a modem on the agent's side.
var errNothingToTune = errors.New("its agent's side is no sound device, so there is nothing to tune")

// errNoTest: there is none to end.
var errNoTest = errors.New("no leg of the line is being tested")

// ask has the tunes' goroutine do it, and say what it answers with once it is free again.
func (l *Line) ask(tests bool, do func(context.Context) wire.Message) error {
	t := &l.tuning
	if !t.busy.CompareAndSwap(false, true) {
		if t.tests {
			return session.ErrTesting
		}
		return session.ErrTuning
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.cancel, t.tests = cancel, tests
	t.asked <- func(process context.Context) { // there is room: the one before is over
		defer context.AfterFunc(process, cancel)()
		defer cancel()
		last := do(ctx)
		t.busy.Store(false)
		l.link.say(last)
	}
	return nil
}

// cut cancels what is under way, of which onlyTest says that it must be a test.
func (t *tuning) cut(onlyTest bool) error {
	if !t.busy.Load() || onlyTest && !t.tests {
		return errNoTest
	}
	t.cancel()
	return nil
}

// tunes tunes and tests whenever it is asked to, until ctx ends.
func (l *Line) tunes(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case do := <-l.tuning.asked:
			do(ctx)
		}
	}
}

// tune has the line tuned.
func (l *Line) tune(id uint64) error {
	if !l.cfg.Tunes() {
		return errNothingToTune
	}
	return l.ask(false, func(ctx context.Context) wire.Message {
		if err := l.session.Tune(); err != nil {
			return answer(id, err)
		}
		l.answer(id, nil)
		return l.tuneOnce(ctx)
	})
}

// tuneOnce tunes the line, and answers with what came of it. The session says whether the line stayed shut all the while.
func (l *Line) tuneOnce(ctx context.Context) wire.Tuned {
	r := acceptance.Report{Line: l.cfg.Name, Time: time.Now().UTC().Truncate(time.Second), Devices: l.device.Device,
		Fingerprint: l.tuning.fingerprint, Settings: l.tuning.settings}
	err := l.measureLine(ctx, &r)
	err = errors.Join(err, l.session.Tuned())
	if err != nil {
		l.log.Warn("the line was not tuned", "error", err)
		failed := wire.Tuned{Code: tune.Cancelled}
		if f, ok := errors.AsType[tune.Failure](err); ok {
			failed = wire.Tuned{Code: f.Code, Step: string(f.Step)}
		}
		return failed
	}
	l.log.Info("the line was tuned", "good", r.Good())
	return wire.Tuned{Code: string(capture.OK), Report: r}
}

// measureLine looks at the cards' mixers first: a way past the mask there has to be closed before anything else is worth measuring.
func (l *Line) measureLine(ctx context.Context, r *acceptance.Report) (err error) {
	if l.cfg.Sound != nil {
		open, err := sound.Monitors(l.mixers.devices)
		for _, way := range open {
			r.Mixers = append(r.Mixers, way.String())
		}
		if err != nil {
			r.Mixers = append(r.Mixers, err.Error())
		}
	}
	r.Figures = append(r.Figures, acceptance.Measured(acceptance.MonitorsOpen, float64(len(r.Mixers))))
	if len(r.Mixers) > 0 {
		return nil
	}
	if err := l.tuning.makeTap(l.cfg.Rate); err != nil {
		return err
	}
	l.tuning.tap.Shut(false)
	l.bridge.tap.Store(l.tuning.tap)
	defer l.bridge.tap.Store(nil)
	figures, err := tune.Run(ctx, tune.Config{Path: pathConfig(l.cfg), OneClock: l.device.OneClock}, tune.Deps{
		Tap:  l.tuning.tap,
		Tell: func(p tune.Progress) { l.link.say(wire.Tuning{Step: string(p.Step), Done: p.Done, Of: p.Of}) },
	})
	r.Figures = append(r.Figures, figures...)
	return err
}

func (t *tuning) makeTap(rate audio.Rate) (err error) {
	if t.tap == nil {
		if t.tap, err = tune.NewTap(rate); err != nil {
			return fmt.Errorf("tune: %w", err)
		}
	}
	return nil
}

// accepted notes what flattoned knows of the line: cards are taken once that is good, and holds for the line as it is.
func (l *Line) accepted(r acceptance.Report) {
	if !l.cfg.Tunes() {
		return
	}
	l.session.Bar(capture.Untuned, !r.Holds(l.tuning.fingerprint)) // fails only while the process ends
}
