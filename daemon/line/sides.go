package line

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/serial"
	"github.com/flattone/flattone/hw/serial/usb"
	"github.com/flattone/flattone/hw/sound"
	"github.com/flattone/flattone/hw/sound/cards"
	"github.com/flattone/flattone/hw/wavline"
)

// modem is what a line needs of a [serial.Modem]. What it is asked to do is safe to ask from several goroutines.
type modem interface {
	hw.Port
	Events() <-chan serial.Event
	Answer() error
	Dial(number string) error
	HangUp() error
	Close() error
}

// errModemAway: a modem's port isn't there.
var errModemAway = fmt.Errorf("a modem is away: %w", cards.ErrAbsent)

// open opens what the line is made of.
func (l *Line) open(cfg *config.Config, deps Deps) (*hw.Line, error) {
	if !l.cfg.Live() {
		return wavline.Open(wavConfig(l.cfg.WAV, l.release, l.follow), l.cfg.Rate)
	}
	adopted, err := cfg.Devices()
	if err != nil {
		return nil, err
	}
	l.tuning.fingerprint, l.tuning.settings = l.cfg.Fingerprint(adopted)
	devices := func() (*hw.Line, error) { return sound.Open(soundConfig(l.cfg, cfg.RuntimeDir, knownCards(adopted))) }
	if l.cfg.CallerModem == nil && l.cfg.AgentModem == nil {
		return devices()
	}
	return l.phones.open(l.cfg, cfg.RuntimeDir, deps.openModem, devices)
}

// open makes a line of modems, or of one and a sound device. The modems come first: to look for a card that isn't there disturbs others.
func (p *phones) open(l config.Line, runtimeDir string, openModem func(serial.Config) (modem, error), devices func() (*hw.Line, error)) (_ *hw.Line, err error) {
	var closers []func() error
	made := &hw.Line{Calls: make(chan hw.Edge), Close: sync.OnceValue(func() error {
		var errs []error
		for _, give := range closers {
			errs = append(errs, give())
		}
		return errors.Join(errs...)
	})}
	defer func() {
		if err != nil {
			err = errors.Join(err, made.Close())
		}
	}()
	var names []string
	for _, side := range []struct {
		cfg   *config.Modem
		modem *modem
		port  *hw.Port
	}{{l.CallerModem, &p.caller, &made.Caller}, {l.AgentModem, &p.agent, &made.Agent}} {
		if side.cfg == nil {
			continue
		}
		cfg, err := modemConfig(*side.cfg, runtimeDir)
		if err == nil {
			*side.modem, err = openModem(cfg)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("%w: %w", errModemAway, err)
		case err != nil:
			return nil, err
		}
		*side.port = *side.modem
		closers, names = append(closers, (*side.modem).Close), append(names, cfg.Port)
	}
	if l.Sound != nil {
		other, err := devices()
		if err != nil {
			return nil, err
		}
		closers = append(closers, other.Close)
		if other.Caller != nil {
			made.Caller, names = other.Caller, slices.Insert(names, 0, other.Device)
		} else {
			made.Agent, names = other.Agent, append(names, other.Device)
		}
	}
	made.Device = strings.Join(names, " and ")
	return made, nil
}

// modemConfig finds a modem's ports where the config names none.
func modemConfig(m config.Modem, runtimeDir string) (serial.Config, error) {
	p := m.Profile
	c := serial.Config{Profile: modemProfile(p), Port: m.Port, Sound: m.SoundPort, LockDir: locks(runtimeDir)}
	if c.Port != "" {
		return c, nil
	}
	ports, err := usb.Kernel{}.Ports(layouts(p))
	if err != nil {
		return c, err
	}
	c.Port = ports[0]
	if p.Kind == config.PCM {
		c.Sound = ports[1]
	}
	return c, nil
}

// layouts are where a profile's modems have their ports at USB.
func layouts(p config.ModemProfile) []usb.Layout {
	var all []usb.Layout
	for _, u := range p.USB {
		l := usb.Layout{IDs: u.IDs, Interfaces: []int{u.Port}}
		if p.Kind == config.PCM {
			l.Interfaces = append(l.Interfaces, u.SoundPort)
		}
		all = append(all, l)
	}
	return all
}
