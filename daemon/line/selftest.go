package line

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/selftest"
	"github.com/flattone/flattone/daemon/capture"
)

// selfTest is the line's word on whether it works, by a key that goes through shadows of its sample path and by what its own path shows.
//
//	works ── a round, or the line's own path, shows a fault ──▶ failed: barred as self_test_failed, and not alive
//	      ◀── a whole round without ──
//
// It is alive all the same as a wire that its owner chose, while sound flows: to be killed over and over would serve nobody. It begins with a round before the line is there, so that one that fails never takes a card. A round is every 3 s, in steps: at real-time priority no sound
// thread waits for more than a hundredth of what it goes through, some 50 us at 48 kHz.
type selfTest struct {
	test   *selftest.Test
	before audio.Position // where the line's own path was in the round before
	failed atomic.Bool
}

const (
	// testEvery is the time from a round's end to the next one's beginning: with what a round itself takes, what fails is told within 5 s.
	testEvery = 3 * time.Second
	// testPause lies between two steps of a round.
	testPause = 5 * time.Millisecond
)

// What a line is alive for.
const (
	carries  = "it carries sound, and its last self-test passed"
	bypasses = "it has a fault, and lets the caller through unmasked, as on_fault says"
	waits    = "it waits for its device"
)

// What the line's own path shows.
var (
	errPathBroke  = errors.New("the sample path broke")
	errNotJudged  = errors.New("sound was written to the sample path, and not judged")
	errSoundStuck = errors.New("no sound has come since the last test")
)

// shadow opens a path that nobody hears.
func shadow(cfg path.Config) (selftest.Path, error) { return path.New(cfg) }

// first makes the test and takes the first round; it answers with what stands in the way from the beginning.
func (l *Line) firstTest(open func(path.Config) (selftest.Path, error)) (bars []capture.Code, err error) {
	s := &l.selfTest
	if s.test, err = selftest.New(pathConfig(l.cfg), open, uint64(time.Now().UnixNano())); err != nil {
		return nil, err
	}
	for over := false; !over; {
		over, err = s.test.Step()
	}
	if l.judgeTest(err); s.failed.Load() {
		bars = []capture.Code{capture.SelfTestFailed}
	}
	return bars, nil
}

// tests tests the line until ctx ends, and says that it is alive each time it works.
func (l *Line) tests(ctx context.Context) error {
	wait := time.NewTimer(testEvery)
	defer wait.Stop()
	s := &l.selfTest
	s.before = l.path.Position()
	if !s.failed.Load() {
		l.alive(carries)
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		}
		over, err := s.test.Step()
		if !over {
			wait.Reset(testPause)
			continue
		}
		wait.Reset(testEvery)
		was := s.failed.Load()
		flows := l.flows()
		if l.path.Broken() {
			err = errors.Join(err, errPathBroke)
		}
		if l.judgeTest(errors.Join(err, flows)); s.failed.Load() != was {
			l.session.Bar(capture.SelfTestFailed, !was) // fails only while the process ends
		}
		switch {
		case !s.failed.Load():
			l.alive(carries)
		case flows == nil && l.bypassed.Load():
			l.alive(bypasses)
		}
	}
}

// judgeTest takes what a test found, and logs what is new.
func (l *Line) judgeTest(found error) {
	s := &l.selfTest
	switch {
	case found != nil && !s.failed.Load():
		l.log.Error("the line's self-test failed: no card is taken until one passes", "error", found)
	case found == nil && s.failed.Load():
		l.log.Info("the line's self-test passes again")
	}
	s.failed.Store(found != nil)
}

// flows is what stands in the way of sound: whatever was written is judged, and of a live line there is always more. Where nothing is connected, its device
// or modem gives silence.
func (l *Line) flows() error {
	at := l.path.Position()
	moved := at > l.selfTest.before
	l.selfTest.before = at
	switch {
	case l.path.Judged() < at:
		return errNotJudged
	case l.cfg.Live() && !moved:
		return errSoundStuck
	}
	return nil
}
