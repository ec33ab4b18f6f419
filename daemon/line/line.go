// Package line is flattone-line: one process for one line. It opens the line's devices, runs the sample path
// between them, captures what the caller keys, and hands a finished card to flattoned.
//
// It is the only place that knows concrete interfaces. It promises that audio flows while flattoned is away,
// starting or standing still, that a line which finds itself in an unknown state comes up masked, and that what
// it tells of keys is no more than stars. It has no store and no network but one unix socket.
package line

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/selftest"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/recording"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/serial"
)

// Deps are what a line process is given from outside.
type Deps struct {
	Log *slog.Logger
	// Today is the date that a card's expiry is compared with.
	Today func() time.Time
	// Alive, if not nil, is called every few seconds while the line works: sound moves and is judged, and its last self-test passed, or its owner chose to
	// have it go on as a wire; or while it waits for a device that isn't there. It is told which.
	Alive func(doing string)
	// NoRealTime says that the process was refused real-time priority.
	NoRealTime bool
	// openModem opens one, and openShadow a path to be tested; nil for those there are.
	openModem  func(serial.Config) (modem, error)
	openShadow func(path.Config) (selftest.Path, error)
}

// hello is how the line introduces itself to flattoned.
func (d Deps) hello(cfg *config.Config, name string) wire.Hello {
	return wire.Hello{Line: name, Settings: cfg.Settings(name), NoRealTime: d.NoRealTime}
}

// stillAlive is what to call while all is well.
func (d Deps) stillAlive() func(doing string) {
	if d.Alive == nil {
		return func(string) {}
	}
	return d.Alive
}

// Line is one line process. New builds it, Run runs it once.
//
//	          commands, acknowledgements                caller's port ──▶ path ──▶ agent's port
//	flattoned ◀──────── link ────────▶ session ◀─events──┘ ▲                          │
//	          stars, verdicts, card       └──grade, field──┘   caller ◀──back ring────┘
type Line struct {
	cfg     config.Line
	log     *slog.Logger
	path    *path.Path
	bridge  *bridge
	device  *hw.Line
	session *session.Session
	link    *link
	// release lets a recorded call that waits for it begin.
	release  chan struct{}
	told     told
	mixers   mixers
	phones   phones
	idle     atomic.Bool // the session is
	bypassed atomic.Bool // it lets the caller through for a fault
	tuning   tuning
	selfTest selfTest
	recorder *recording.Recorder // nil where nothing is recorded
	alive    func(doing string)
}

// New opens the line named. What it opened is closed again if it fails.
func New(cfg *config.Config, name string, deps Deps) (_ *Line, err error) {
	l := &Line{log: deps.Log, alive: deps.stillAlive(), release: make(chan struct{}, 1), tuning: tuning{asked: make(chan func(context.Context), 1)},
		phones: phones{asked: make(chan session.Ask, mostAsked), ails: map[modem]capture.Code{}}}
	if deps.openModem == nil {
		deps.openModem = func(c serial.Config) (modem, error) { return serial.Open(c) }
	}
	if deps.openShadow == nil {
		deps.openShadow = shadow
	}
	var known bool
	if l.cfg, known = cfg.Line(name); !known {
		return nil, fmt.Errorf("line %q is not in the config: name one of its [[line]] tables", name)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	if l.path, err = path.New(pathConfig(l.cfg)); err != nil {
		return nil, err
	}
	if l.device, err = l.open(cfg, deps); err != nil {
		return nil, err
	}
	if l.bridge, err = newBridge(l.path, l.cfg.Rate, l.device.OneClock); err != nil {
		return nil, err
	}
	if s := l.cfg.Sound; s != nil {
		l.bridge.toAgent.Set(s.GainToAgentDB)
		l.bridge.toCaller.Set(s.GainToCallerDB)
	}
	if l.cfg.Live() {
		if l.bridge.ears, err = newEars(l.cfg.Rate); err != nil {
			return nil, err
		}
	}
	if l.cfg.Recorder != nil {
		if l.bridge.recorded, err = recording.NewTap(l.cfg.Rate); err != nil {
			return nil, err
		}
		l.recorder = recording.New(recorderConfig(l.cfg), l.bridge.recorded, l.records, deps.Log)
	}
	profiles, err := captureProfiles(cfg.Profiles)
	if err != nil {
		return nil, err
	}
	l.link = newLink(cfg.LineSocket(), deps.hello(cfg, name), deps.Log)
	l.link.greet, l.link.connected, l.link.heard, l.link.parted = l.told.again, l.connected, l.heard, l.parted
	l.told.say = l.link.say
	sessionDeps := session.Deps{Path: l.path, Observer: l, Today: deps.Today, Dial: l.bridge.dialer.dial}
	if l.cfg.CallerCue {
		sessionDeps.Cue = l.bridge.cue.play
	}
	bars, err := l.firstTest(deps.openShadow)
	if err != nil {
		return nil, err
	}
	if l.cfg.Relay != nil {
		bars = append(bars, capture.RelayOpen) // until it is switched
	}
	if s := l.cfg.Sound; s != nil {
		named := slices.DeleteFunc([]string{s.Caller, s.Agent}, func(device string) bool { return device == "" })
		l.mixers = mixers{devices: named, log: deps.Log}
		bars = append(bars, l.mixers.first()...)
	}
	if l.cfg.Tunes() {
		bars = append(bars, capture.Untuned) // until flattoned says otherwise
	}
	l.session, err = session.New(session.Config{
		Line: name, Rate: l.cfg.Rate, LookAhead: l.cfg.LookAhead, MarkDir: filepath.Join(cfg.RuntimeDir, "armed"),
		Profiles: profiles, TalkingKeypads: talkingKeypads(cfg.Profiles), Default: l.cfg.Profile, Bars: bars, Silence: l.cfg.Calls.Silence, Wire: l.cfg.OnFault == config.OnFaultWire,
		AgentKeys: map[session.Ask]string{session.AskStart: l.cfg.AgentKeys.Start, session.AskCancel: l.cfg.AgentKeys.Cancel,
			session.AskAnswer: l.cfg.AgentKeys.Answer, session.AskHangUp: l.cfg.AgentKeys.HangUp},
		Emergency: l.cfg.EmergencyNumbers,
	}, sessionDeps)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Run carries the line's audio until ctx ends or a device is lost. The devices stop first and the session last,
// so that nothing is heard that nobody judges.
func (l *Line) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, l.close()) }()
	audioCtx, stopAudio := context.WithCancelCause(ctx)
	defer stopAudio(nil)
	restCtx, stopRest := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRest()
	var devices, rest sync.WaitGroup
	start := func(wg *sync.WaitGroup, run func() error) {
		wg.Go(func() {
			if err := run(); err != nil {
				stopAudio(err)
			}
		})
	}
	start(&rest, func() error { return l.session.Run(restCtx) })
	start(&rest, func() error { return l.link.run(restCtx) })
	start(&rest, func() error { return l.measure(restCtx) })
	start(&rest, func() error { return l.tests(restCtx) })
	if l.cfg.Live() {
		start(&rest, func() error { return l.pace(restCtx) })
		start(&rest, func() error { return l.source(restCtx) })
		start(&rest, func() error { return l.phone(restCtx) })
		start(&rest, func() error { return l.tunes(restCtx) })
		if l.cfg.Relay != nil {
			start(&rest, func() error { return l.relays(restCtx, openRelay) })
		}
	}
	if l.recorder != nil {
		start(&rest, func() error { return l.recorder.Run(restCtx) })
	}
	if l.cfg.Sound != nil {
		start(&rest, func() error { return l.mixers.watch(restCtx, l.session) })
	}
	start(&devices, func() error { return l.device.Caller.Run(audioCtx, callerSide{l.bridge}) })
	start(&devices, func() error { return l.device.Agent.Run(audioCtx, agentSide{l.bridge}) })

	<-audioCtx.Done()
	devices.Wait()
	stopRest()
	rest.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(audioCtx)
}

// close gives back what New got.
func (l *Line) close() error {
	var errs []error
	if l.device != nil {
		errs = append(errs, l.device.Close())
	}
	if l.bridge != nil {
		errs = append(errs, l.bridge.Close())
	}
	if l.bridge != nil && l.bridge.recorded != nil {
		errs = append(errs, l.bridge.recorded.Close())
	}
	if l.tuning.tap != nil {
		errs = append(errs, l.tuning.tap.Close())
	}
	if l.selfTest.test != nil {
		errs = append(errs, l.selfTest.test.Close())
	}
	if l.path != nil {
		errs = append(errs, l.path.Close())
	}
	return errors.Join(errs...)
}

// follow is called by the device after each period: call edges first, then what was keyed up to now.
func (l *Line) follow(at audio.Position) {
	select {
	case e := <-l.device.Calls:
		l.edge(e)
	default:
	}
	l.session.Follow(at) // fails only while the process ends
}

func (l *Line) edge(e hw.Edge) {
	l.session.Edge(e)
	if l.recorder != nil {
		l.recorder.Call(e.Kind != hw.CallEnded)
	}
	l.told.calls(wire.Call{Edge: e.Kind.String()})
}
