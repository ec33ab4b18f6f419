//go:build cgo

package sound

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/owner"
	"github.com/gordonklaus/portaudio"
)

// Open takes the locks of the line's devices and opens them; sound moves once the Ports run. The error names each thing that is wrong,
// why, and what to do; it wraps [hw.ErrBusy] if another process holds a device.
//
// On one device the turns begin when both Ports run and end when one of them does: they alternate to the last. The Port of a side that is left
// empty is nil.
func Open(cfg Config) (*hw.Line, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	l := newLine(cfg)
	if err := l.open(); err != nil {
		return nil, errors.Join(err, l.unlock())
	}
	opened := &hw.Line{
		Device:   l.name(),
		OneClock: len(l.streams) == 1 && len(l.streams[0].ports) == 2,
		Calls:    make(chan hw.Edge),
		Close:    l.closer(),
	}
	if l.caller != nil {
		opened.Caller = l.caller
	}
	if l.agent != nil {
		opened.Agent = l.agent
	}
	return opened, nil
}

// line is what both ports share.
type line struct {
	cfg           Config
	streams       []*stream // one a device; the caller's first
	caller, agent *port     // nil where the side is elsewhere
	locks         []*os.File
	lost          chan struct{} // closed when the line is lost, after cause is set
	losing        sync.Once
	cause         error
}

func newLine(cfg Config) *line {
	l := &line{cfg: cfg, lost: make(chan struct{})}
	l.caller, l.agent = l.side(cfg.Caller), l.side(cfg.Agent)
	return l
}

// side is the port of a side, on the stream of its device.
func (l *line) side(s Side) *port {
	if s.none() {
		return nil
	}
	p := newPort(l, s)
	for _, there := range l.streams {
		if there.device == s.Device {
			there.add(p)
			return p
		}
	}
	l.streams = append(l.streams, newStream(s.Device, p))
	return p
}

// name is what the owner would call it.
func (l *line) name() string {
	var devices []string
	for _, s := range l.streams {
		devices = append(devices, s.device)
	}
	return strings.Join(devices, " and ")
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
