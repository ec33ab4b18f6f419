package serial

import (
	"context"
	"sync"

	"github.com/flattone/flattone/hw"
)

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
