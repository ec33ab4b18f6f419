package serial

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/flattone/flattone/hw"
	"github.com/tarm/serial"
)

// conn is an open serial port, with the manners of github.com/tarm/serial on Linux:
//
//   - Read gives what has come, and (0, io.EOF) when nothing has for a tenth of a second; without a time-out it would wait for ever, and Close behind it.
//   - When the device goes, the Read that waits fails, if one does; any other is (0, io.EOF), at once and for ever. Who took that for a time-out would take a core with it.
//   - Write waits, without an end, while the device takes nothing and the kernel has no room; and Close waits behind it.
//   - Nobody knows the wires of RS-232. A modem that wants RTS/CTS has its FIFO kept by how much is written.
type conn interface {
	Read(b []byte) (int, error)
	Write(b []byte) (int, error)
	Close() error
}

// dial opens a port. What came before is nobody's answer.
func dial(name string, baud int) (conn, error) {
	p, err := serial.OpenPort(&serial.Config{Name: name, Baud: baud, ReadTimeout: readTime})
	if err != nil {
		if errors.Is(err, syscall.EBUSY) {
			err = fmt.Errorf("%w: %w", hw.ErrBusy, err)
		}
		return nil, fmt.Errorf("serial: open %s at %d baud: %w: check its cable, the port's name and speed, and that this user may open it", name, baud, err)
	}
	return flushing{p}, p.Flush()
}

// flushing is a port whose Close doesn't wait for what the device hasn't taken, which the kernel does for half a minute.
type flushing struct{ *serial.Port }

func (f flushing) Close() error {
	f.Flush() // fails where the device is gone, and nothing waits for it
	return f.Port.Close()
}

const (
	readTime = 100 * time.Millisecond // the shortest there is
	// goneTime is less than any time-out takes, and more than a read of what is gone.
	goneTime = readTime / 2
	// stallTime is how long what was sent may wait: somebody will hear it.
	stallTime = 100 * time.Millisecond
	// closeTime is how long a device is waited for that takes nothing, before it is left to the end of the process.
	closeTime = time.Second
	// roomBytes is half a second of sound: what a modem that stood still gives at once, and so is given.
	roomBytes = 1 << 14
)

// port is a conn that can't hold anybody up: one goroutine reads, any may send, and its own writes.
//
//	send ──▶ waiting ──swap──▶ written ──Write──▶ device        something has waited for too long, or there is no room: refused
type port struct {
	name string
	conn conn

	mu      sync.Mutex // held to copy or to swap, never to write
	waiting []byte
	since   time.Time // when the first of it began to
	writing bool
	hushed  bool // no sound is written

	more   chan struct{} // something waits
	over   chan struct{} // closed to end the writer
	done   chan struct{} // closed when it has ended, and conn is closed
	failed error         // of closing, set before done
	gone   atomic.Bool   // a Write failed
}

func newPort(name string, c conn) *port {
	p := &port{name: name, conn: c, waiting: make([]byte, 0, roomBytes), more: make(chan struct{}, 1), over: make(chan struct{}), done: make(chan struct{})}
	go p.write()
	return p
}

// read gives what has come, or nothing within a tenth of a second. It fails if the device is gone, and is then not called again.
func (p *port) read(b []byte) (int, error) {
	began := time.Now()
	n, err := p.conn.Read(b)
	switch {
	case p.gone.Load():
		err = errors.New("it takes nothing any more")
	case n > 0:
		return n, nil
	case err == nil || err == io.EOF:
		if time.Since(began) >= goneTime {
			return 0, nil
		}
		err = errors.New("it has hung up")
	}
	return 0, fmt.Errorf("serial: %s: %w: %w: check its cable and power; the line begins anew once it is back", p.name, hw.ErrLost, err)
}

// send has b written, whole; or refuses it, whole, while the device doesn't take what was sent before.
func (p *port) send(b []byte) bool { return p.put(b, false) }

// play is send, of sound. It drops it while that is hushed.
func (p *port) play(b []byte) bool { return p.put(b, true) }

// hush has no sound follow what is sent from now on, or again: on a port that carries both it would be taken for commands.
func (p *port) hush(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hushed = on
}

func (p *port) put(b []byte, sound bool) bool {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case sound && p.hushed:
		return true
	case len(p.waiting) == 0:
		p.since = now
	case now.Sub(p.since) >= stallTime:
		return false
	}
	if cap(p.waiting)-len(p.waiting) < len(b) {
		return false
	}
	p.waiting = append(p.waiting, b...)
	select {
	case p.more <- struct{}{}:
	default:
	}
	return true
}

// clear reports whether the device, or the kernel, has taken all that was sent.
func (p *port) clear() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting) == 0 && !p.writing
}

// write writes what waits until the port is closed, and then closes conn, since that would wait for a Write.
func (p *port) write() {
	defer close(p.done)
	defer func() { p.failed = p.conn.Close() }()
	written := make([]byte, 0, roomBytes)
	swap := func(writing bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.writing = writing; writing {
			p.waiting, written = written[:0], p.waiting
		}
	}
	for {
		select {
		case <-p.over:
			return
		case <-p.more:
		}
		swap(true)
		if _, err := p.conn.Write(written); err != nil {
			p.gone.Store(true)
			return
		}
		swap(false)
	}
}

// close gives the port back. It is called when nobody reads any more, once.
func (p *port) close() error {
	close(p.over)
	select {
	case <-p.done:
		if p.gone.Load() {
			return nil
		}
		return p.failed
	case <-time.After(closeTime):
		return fmt.Errorf("serial: close %s: the device takes nothing: it is given back when it does, or with the end of this process", p.name)
	}
}
