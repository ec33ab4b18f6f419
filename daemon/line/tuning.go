package line

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/acceptance"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/tune"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw/sound"
)

// tuning is the line's end of flattone tune: at most one at a time, on a goroutine of its own.
//
//	heard Tune ──▶ session: tuning ──asked──▶ tunes: the tap in, tune.Run, the tap out ──▶ session: idle ──▶ say Tuned
//	heard Cancel ──cancel──────────────────────────────────▲
//	heard Accepted ──▶ session: barred as untuned, or not
type tuning struct {
	asked  chan context.Context
	cancel context.CancelFunc // of the one that was asked for last; belongs to the link's goroutine
	// tap is kept until the line is closed: a device's thread may still be in it when a tuning is over.
	tap *tune.Tap
	// What a tuning holds for.
	fingerprint, settings string
}

// errNothingToTune: a line of recordings, or with a modem on the agent's side.
var errNothingToTune = errors.New("its agent's side is no sound device, so there is nothing to tune")

// tune begins a tuning.
func (l *Line) tune() error {
	if !l.cfg.Tunes() {
		return errNothingToTune
	}
	if err := l.session.Tune(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.tuning.cancel = cancel
	l.tuning.asked <- ctx // there is room: the one before is over, or the session would have said so
	return nil
}

// tunes tunes whenever it is asked to, until ctx ends.
func (l *Line) tunes(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case asked := <-l.tuning.asked:
			asked, cancel := context.WithCancel(asked)
			stop := context.AfterFunc(ctx, cancel)
			l.link.say(l.tuneOnce(asked))
			stop()
			cancel()
		}
	}
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
	if l.tuning.tap == nil {
		if l.tuning.tap, err = tune.NewTap(l.cfg.Rate); err != nil {
			return fmt.Errorf("tune: %w", err)
		}
	}
	l.bridge.tap.Store(l.tuning.tap)
	defer l.bridge.tap.Store(nil)
	figures, err := tune.Run(ctx, tune.Config{Path: pathConfig(l.cfg), OneClock: l.device.OneClock}, tune.Deps{
		Tap:  l.tuning.tap,
		Tell: func(p tune.Progress) { l.link.say(wire.Tuning{Step: string(p.Step), Done: p.Done, Of: p.Of}) },
	})
	r.Figures = append(r.Figures, figures...)
	return err
}

// accepted notes what flattoned knows of the line: cards are taken once that is good, and holds for the line as it is.
func (l *Line) accepted(r acceptance.Report) {
	if !l.cfg.Tunes() {
		return
	}
	l.session.Bar(capture.Untuned, !r.Holds(l.tuning.fingerprint)) // fails only while the process ends
}
