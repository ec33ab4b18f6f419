//go:build cgo

package sound

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/owner"
	"github.com/gordonklaus/portaudio"
)

// Open takes the locks of the line's devices and opens them; sound moves once the Ports run. The error names each thing that is wrong,
// why, and what to do; it wraps [hw.ErrBusy] if another process holds a device.
//
// On one device the turns begin when both Ports run and end when one of them does: they alternate to the last.
func Open(cfg Config) (*hw.Line, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	l := newLine(cfg)
	if err := l.open(); err != nil {
		return nil, errors.Join(err, l.unlock())
	}
	return &hw.Line{
		Device:   l.name(),
		Caller:   l.caller,
		Agent:    l.agent,
		OneClock: len(l.streams) == 1,
		Calls:    make(chan hw.Edge),
		Close:    l.closer(),
	}, nil
}

// line is what both ports share.
type line struct {
	cfg           Config
	streams       []*stream // one a device; the caller's first
	caller, agent *port
	locks         []*os.File
	lost          chan struct{} // closed when the line is lost, after cause is set
	losing        sync.Once
	cause         error
}

func newLine(cfg Config) *line {
	l := &line{cfg: cfg, lost: make(chan struct{})}
	l.caller = newPort(l, cfg.Caller)
	l.agent = newPort(l, cfg.Agent)
	first := newStream(cfg.Caller.Device, l.caller)
	l.streams = []*stream{first}
	if cfg.Agent.Device == cfg.Caller.Device {
		first.add(l.agent)
	} else {
		l.streams = append(l.streams, newStream(cfg.Agent.Device, l.agent))
	}
	return l
}

// name is what the owner would call it.
func (l *line) name() string {
	if len(l.streams) == 1 {
		return l.cfg.Caller.Device
	}
	return l.cfg.Caller.Device + " and " + l.cfg.Agent.Device
}

// open takes the locks first: a device that another process plays on is not even listed.
func (l *line) open() error {
	for _, s := range l.streams {
		lock, err := owner.Take(l.cfg.LockDir, "sound", s.device)
		if err != nil {
			return err
		}
		l.locks = append(l.locks, lock)
	}
	return within(func() error {
		if err := initialize(!l.cfg.adopted()); err != nil {
			return err
		}
		var faults []error
		for _, s := range l.streams {
			faults = append(faults, s.open(l.cfg))
		}
		err := errors.Join(faults...)
		if err != nil {
			err = errors.Join(err, l.giveBack())
		}
		return err
	})
}

// giveBack closes what PortAudio has opened.
func (l *line) giveBack() error {
	var faults []error
	for _, s := range l.streams {
		if s.pa == nil {
			continue
		}
		if s.begun {
			s.playOut()
			faults = append(faults, s.pa.Abort())
		}
		faults = append(faults, s.pa.Close())
	}
	return errors.Join(append(faults, portaudio.Terminate())...)
}

// closer closes once, and gives every caller the same answer.
func (l *line) closer() func() error { return sync.OnceValue(l.close) }

// close leaves a line alone that was lost, and keeps the locks of what PortAudio doesn't give back: the process holds the device
// until it ends.
func (l *line) close() error {
	select {
	case <-l.lost:
		return nil
	default:
	}
	if err := within(l.giveBack); err != nil {
		return fmt.Errorf("sound: close %s: %w", l.name(), err)
	}
	return l.unlock()
}

func (l *line) unlock() error {
	var faults []error
	for _, file := range l.locks {
		faults = append(faults, file.Close())
	}
	l.locks = nil
	return errors.Join(faults...)
}

// lose ends the line for both ports.
func (l *line) lose(device string, why error) error {
	l.losing.Do(func() {
		l.cause = fmt.Errorf("sound: %s: %w: %w: check its cable; the process has to be started anew", device, hw.ErrLost, why)
		close(l.lost)
	})
	<-l.lost
	return l.cause
}
