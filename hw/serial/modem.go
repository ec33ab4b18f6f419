package serial

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/hw/owner"
)

// Modem is an opened modem. It is a [hw.Port].
//
//	                          asks of Answer, Dial, HangUp ──▶ control ──▶ Events
//	                                                    news ──▶  │  commands
//	port for commands ──▶ ear ──────────────────────────┘         ▼
//	                       │ a voice modem's              port for commands
//	                       ▼
//	port for sound ──▶ sound ◀──turns──▶ line             port for sound
type Modem struct {
	ports   []*port // for commands, and for sound if that has one of its own
	locks   []*os.File
	sound   *sound
	ear     *ear
	control *control
	events  chan Event
	close   func() error
}

// eventsKept is how many events wait for who is slow.
const eventsKept = 16

// Open takes the locks of the modem's ports and opens them; it is spoken to once it runs. The error says what is wrong and what to do; it wraps [hw.ErrBusy] if
// somebody else has a port, and [io/fs.ErrNotExist] if it isn't there.
func Open(cfg Config) (*Modem, error) { return open(cfg, dial) }

func open(cfg Config, dial func(name string, baud int) (conn, error)) (*Modem, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	m := &Modem{events: make(chan Event, eventsKept)}
	m.close = sync.OnceValue(m.giveBack)
	names := []string{cfg.Port}
	if cfg.Profile.Kind == PCM {
		names = append(names, cfg.Sound)
	}
	for _, name := range names {
		if err := m.open(name, cfg, dial); err != nil {
			return nil, errors.Join(err, m.close())
		}
	}
	commands, sounds := m.ports[0], m.ports[len(m.ports)-1]
	m.sound = newSound(sounds, Rate.Frames(cfg.Profile.Frame), commands == sounds)
	news := make(chan said, eventsKept)
	m.control = &control{Profile: cfg.Profile, name: cfg.Port, port: commands, sound: m.sound, tell: m.tell, news: news, asks: make(chan ask, 1)}
	m.ear = &ear{says: &m.control.Says}
	if commands == sounds {
		m.ear.sound = m.sound
	}
	m.control.ear = m.ear
	return m, nil
}

func (c Config) validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("serial: "+format, args...)) }
	p := c.Profile
	if p.Kind != PCM && p.Kind != Voice {
		fault("the profile of %s has kind %q: use %q or %q", p.Make, p.Kind, PCM, Voice)
	}
	if p.Frame < 5*time.Millisecond || p.Frame > 100*time.Millisecond {
		fault("the profile of %s has %v of sound at a time: use 5ms to 100ms", p.Make, p.Frame)
	}
	if c.Port == "" || p.Kind == PCM && (c.Sound == "" || c.Sound == c.Port) {
		fault("a modem needs its port for commands, and one of kind %q another for sound: name them", PCM)
	}
	if c.LockDir == "" {
		fault("no folder for the ports' locks: name one")
	}
	return errors.Join(faults...)
}

// open opens one port. A port may have several names, and one owner.
func (m *Modem) open(name string, cfg Config, dial func(string, int) (conn, error)) error {
	device, err := filepath.EvalSymlinks(name)
	if err != nil {
		device = name // dial says what is wrong with it
	}
	lock, err := owner.Take(cfg.LockDir, "serial", device)
	if err != nil {
		return err
	}
	m.locks = append(m.locks, lock)
	c, err := dial(name, cfg.Profile.Baud)
	if err != nil {
		return err
	}
	m.ports = append(m.ports, newPort(name, c))
	return nil
}

// Close gives the ports back. It is called after Run has returned.
func (m *Modem) Close() error { return m.close() }

// giveBack keeps the locks of ports that aren't given back: the process holds them until it ends.
func (m *Modem) giveBack() error {
	var faults []error
	for _, p := range m.ports {
		faults = append(faults, p.close())
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	for _, lock := range m.locks {
		faults = append(faults, lock.Close())
	}
	return errors.Join(faults...)
}

// Rate is [Rate].
func (m *Modem) Rate() audio.Rate { return Rate }
