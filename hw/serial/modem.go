package serial

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/hw"
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

// Run speaks to the modem, and takes its sound's turns, until ctx ends or one of its ports is lost.
func (m *Modem) Run(ctx context.Context, turn hw.Turn) error {
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	m.sound.start(running, turn)
	m.ear.tell = func(s said) {
		select {
		case m.control.news <- s:
		case <-running.Done():
		}
	}
	var all sync.WaitGroup
	for i, p := range m.ports {
		all.Go(func() {
			if err := m.listen(running, p, i == 0); err != nil {
				stop(err)
			}
		})
	}
	all.Go(func() { m.control.run(running) })
	m.sound.idle()
	all.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(running)
}

// listen reads a port until ctx ends, which takes a time-out at the most, or the port is lost.
func (m *Modem) listen(ctx context.Context, p *port, commands bool) error {
	b := make([]byte, readBytes)
	for ctx.Err() == nil {
		n, err := p.read(b)
		if err != nil {
			return err
		}
		if commands {
			m.ear.hear(b[:n])
		} else if n > 0 {
			m.sound.bytes(b[:n])
		}
		if n == 0 && p == m.sound.port {
			m.sound.nothing()
		}
	}
	return nil
}

// Events are what the modem tells of. The channel is never closed, and blocks nobody: whoever doesn't fetch them for long misses the oldest, and before
// them keys.
func (m *Modem) Events() <-chan Event { return m.events }

// tell is called by control alone.
func (m *Modem) tell(e Event) {
	if e.Kind == KeyHeard && len(m.events) > eventsKept/2 {
		return
	}
	for {
		select {
		case m.events <- e:
			return
		default:
		}
		select {
		case <-m.events:
		default:
		}
	}
}

// Answer asks the modem to take the call that rings. The error says why it can't be asked now; what comes of it is told by Events.
func (m *Modem) Answer() error {
	if m.control.now() != ringing {
		return errors.New("serial: no call rings: wait for one")
	}
	return m.ask(ask{do: (*control).answer})
}

// Dial asks the modem to call a number, as Answer does.
func (m *Modem) Dial(number string) error {
	if err := telephone(number); err != nil {
		return err
	}
	switch m.control.now() {
	case ready:
		return m.ask(ask{(*control).dial, number})
	case down:
		return errors.New("serial: the modem isn't up: its state says why")
	}
	return errors.New("serial: there is a call: hang up first")
}

// HangUp asks the modem to end the call, or to refuse the one that rings.
func (m *Modem) HangUp() error {
	switch m.control.now() {
	case down, ready:
		return errors.New("serial: there is no call")
	case ringing:
		if m.control.voice() {
			return errors.New("serial: a call on a telephone line can't be refused: let it ring, or answer it and hang up")
		}
	}
	return m.ask(ask{do: (*control).hangUp})
}

func (m *Modem) ask(a ask) error {
	select {
	case m.control.asks <- a:
		return nil
	default:
		return errors.New("serial: the modem is busy with what it was asked before: try again in a few seconds")
	}
}
