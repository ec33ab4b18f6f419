package modem

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/flattone/flattone/hw/hwtest/pty"
)

// The names of the ports.
const (
	AT    = "at"
	Sound = "sound"
)

// plug is the modem's end of a port while the port is there.
type plug interface {
	// Read waits for what the program writes. An error means that the port is gone.
	Read(p []byte) (int, error)
	// Write doesn't wait: what has no room, because the program doesn't read, is lost.
	Write(p []byte) (int, error)
	// Close takes the port away.
	Close() error
}

// socket is where a port is plugged in, again and again.
type socket interface {
	plug(name string) (plug, error)
}

// ttys are sockets that programs find in a folder.
type ttys struct{ dir string }

func (s ttys) plug(name string) (plug, error) {
	port, err := pty.OpenPort()
	if err != nil {
		return nil, err
	}
	link := linked{port, filepath.Join(s.dir, name)}
	if err := os.Symlink(port.Path, link.name); err != nil {
		return nil, errors.Join(err, port.Close())
	}
	return link, nil
}

// linked is a port with a name that stays the same.
type linked struct {
	*pty.Port
	name string
}

func (l linked) Close() error { return errors.Join(os.Remove(l.name), l.Port.Close()) }

// TTYs are the paths of real terminals, the second one empty for a modem that has one port. The modem keeps the pace of the machine's clock.
func (m *Modem) TTYs() (at, sound string) {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.socket == nil {
		m.socket = ttys{m.dir}
		m.plugIn()
	}
	if _, ok := m.socket.(ttys); !ok {
		m.t.Fatal("this modem's ports are in memory")
	}
	at = filepath.Join(m.dir, AT)
	if m.spec.Kind != V253 {
		sound = filepath.Join(m.dir, Sound)
	}
	return at, sound
}

// Memory are ports in memory, freshly opened, the second one nil for a modem that has one port. They are for a testing/synctest bubble, in which the
// modem was made.
func (m *Modem) Memory() (at, sound Conn) {
	m.t.Helper()
	at, err := m.Open(AT)
	if err == nil && m.spec.Kind != V253 {
		sound, err = m.Open(Sound)
	}
	if err != nil {
		m.t.Fatal(err)
	}
	return at, sound
}

// Open opens one port in memory, AT or Sound, as a path is opened: it fails while the port isn't there.
func (m *Modem) Open(name string) (Conn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.socket == nil {
		m.socket = make(memory)
		m.plugIn()
	}
	sockets, ok := m.socket.(memory)
	if !ok {
		return nil, errors.New("this modem's ports are terminals")
	}
	return sockets.open(name)
}

// plugIn has the ports come, and the modem begin as if new. mu is held.
func (m *Modem) plugIn() {
	names := []string{AT, Sound}
	if m.spec.Kind == V253 {
		names = names[:1]
	}
	m.begin()
	for _, name := range names {
		p, err := m.socket.plug(name)
		if err != nil {
			m.t.Error(err)
			continue
		}
		m.ports[name] = p
		m.serving.Go(func() { m.serve(name, p) })
	}
}

// unplug has the ports go. mu is held.
func (m *Modem) unplug() {
	for name, p := range m.ports {
		delete(m.ports, name)
		if err := p.Close(); err != nil {
			m.t.Error(err)
		}
	}
	m.begin()
}

// serve takes what comes by a port, until that goes.
func (m *Modem) serve(name string, p plug) {
	buf := make([]byte, 256)
	for {
		n, err := p.Read(buf)
		if err != nil {
			return
		}
		m.mu.Lock()
		for deaf := m.faults.deaf[name]; deaf != nil; deaf = m.faults.deaf[name] {
			m.mu.Unlock()
			<-deaf
			m.mu.Lock()
		}
		if m.ports[name] == p {
			m.take(name, buf[:n])
		}
		m.mu.Unlock()
	}
}

// take is what the program wrote. mu is held.
func (m *Modem) take(name string, p []byte) {
	m.catchUp()
	switch {
	case name == Sound:
		if m.flowing {
			m.play(m.family.samples(p))
		}
	case m.flowing && m.spec.Kind == V253:
		p = m.family.(*voice).hear(p)
		m.typed(p)
	default:
		m.typed(p)
	}
}
