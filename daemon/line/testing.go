package line

import (
	"context"
	"errors"
	"fmt"

	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/daemon/tune"
	"github.com/flattone/flattone/daemon/wire"
)

// test has a leg tested. From the moment when the session shuts the line to that when it is anything else the tap replaces what goes out on both legs, so
// that nothing of the one is heard on the other.
func (l *Line) test(m wire.Test) error {
	t, err := l.testOf(m)
	if err != nil {
		return err
	}
	if l.bridge.bell.on.Load() {
		return session.ErrInCall
	}
	return l.ask(true, func(ctx context.Context) wire.Message {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		err := l.tuning.makeTap(l.cfg.Rate)
		if err == nil {
			err = l.session.Test(func() {
				l.tuning.tap.Shut(true)
				l.bridge.tap.Store(l.tuning.tap)
			}, func() {
				l.bridge.tap.Store(nil)
				cancel()
			})
		}
		if err != nil {
			return answer(m.ID, err)
		}
		l.answer(m.ID, nil)
		return l.testOnce(ctx, m, t)
	})
}

// testOf is what is asked for, if it can be had.
func (l *Line) testOf(m wire.Test) (tune.Test, error) {
	t := tune.Test{Agent: m.Leg == "agent", Seconds: m.Seconds}
	modem := l.cfg.CallerModem
	if t.Agent {
		modem = l.cfg.AgentModem
	}
	if m.What == wire.TestTone {
		if flaw, remedy := config.ToneFlaw(m.Hz, m.DBm0); flaw != "" {
			return t, fmt.Errorf("%s: %s", flaw, remedy)
		}
		t.Tone = tone.Sine{Hz: float64(m.Hz), DBm0: m.DBm0}
	}
	switch {
	case l.cfg.Sound == nil || modem != nil:
		return t, fmt.Errorf("its %s's side is no sound device, which alone has sound without a call", m.Leg)
	case m.What != wire.TestTone && m.What != wire.TestLoopback, m.Leg != "agent" && m.Leg != "caller", m.Seconds < 1, m.Seconds > config.MostTestSeconds:
		return t, fmt.Errorf("a test is a tone or a loopback, on the caller's or the agent's side, for 1 to %d seconds", config.MostTestSeconds)
	}
	return t, nil
}

// testOnce tests the leg, tells how it goes, and answers with how it ended.
func (l *Line) testOnce(ctx context.Context, m wire.Test, t tune.Test) wire.Testing {
	says := func(h tune.Heard, code string) wire.Testing {
		return wire.Testing{What: m.What, Leg: m.Leg, Step: string(h.Step), Done: h.Done, Of: h.Of, CallerDBm0: round(h.CallerDBm0), AgentDBm0: round(h.AgentDBm0),
			ReturnDB: round(h.ReturnDB), ReturnMS: round(h.ReturnMS), Code: code}
	}
	heard, err := t.Run(ctx, l.cfg.Rate, l.tuning.tap, func(h tune.Heard) { l.link.say(says(h, "")) })
	err = errors.Join(err, l.session.Tested())
	code := string(capture.OK)
	if f, ok := errors.AsType[tune.Failure](err); ok && f.Code == tune.NoSound {
		code = wire.TestNoSound
	} else if err != nil {
		code = wire.TestCut
	}
	l.log.Info("a leg was tested", "what", m.What, "leg", m.Leg, "code", code, "error", err)
	return says(heard, code)
}
