package modem

import (
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"
)

// Conn is a port in memory, as a program has it. It behaves as tarm/serial does on a terminal with a ReadTimeout of 100 ms:
//
//   - a Read that times out is (0, io.EOF);
//   - when the port goes, a Read that waits fails with EIO; every other one is (0, io.EOF) at once, for ever; Write fails with EIO;
//   - a Write waits while the modem doesn't read, once 4096 bytes wait for it;
//   - Close waits for a Read or a Write that is under way, and ends neither.
type Conn = io.ReadWriteCloser

const (
	readTimeout = 100 * time.Millisecond
	// toModem is how much waits for the modem before a Write waits; toProgram how much waits for the program before it is lost.
	toModem   = 4096
	toProgram = 12 << 10
)

// memory are sockets in memory, with what is plugged in there.
type memory map[string]*wire

func (s memory) plug(name string) (plug, error) {
	w := &wire{changed: make(chan struct{})}
	s[name] = w
	return w, nil
}

func (s memory) open(name string) (Conn, error) {
	w := s[name]
	if w == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &conn{wire: w, name: name}, nil
}

// wire is a port in memory, and the modem's end of it. Whoever waits, waits for changed to be closed: a bubble's time goes on meanwhile.
type wire struct {
	mu      sync.Mutex
	down    []byte   // to the modem
	up      [][]byte // to the program, as it was sent
	waiting int      // bytes of up
	gone    bool
	changed chan struct{}
}

// change tells whoever waits. mu is held.
func (w *wire) change() {
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *wire) Read(p []byte) (int, error) {
	for {
		w.mu.Lock()
		if w.gone {
			w.mu.Unlock()
			return 0, io.EOF
		}
		if n := copy(p, w.down); n > 0 {
			w.down = w.down[n:]
			w.change()
			w.mu.Unlock()
			return n, nil
		}
		changed := w.changed
		w.mu.Unlock()
		<-changed
	}
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(p), toProgram-w.waiting)
	if w.gone || n == 0 {
		return 0, io.ErrShortWrite
	}
	w.up = append(w.up, append([]byte(nil), p[:n]...))
	w.waiting += n
	w.change()
	return n, nil
}

func (w *wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = true
	w.change()
	return nil
}

// conn is the program's end.
type conn struct {
	*wire
	name  string
	using sync.WaitGroup

	closing sync.Mutex
	closed  bool
}

// enter reports whether the port is open, and keeps it so until using is done.
func (c *conn) enter() error {
	c.closing.Lock()
	defer c.closing.Unlock()
	if c.closed {
		return &fs.PathError{Op: "use", Path: c.name, Err: os.ErrClosed}
	}
	c.using.Add(1)
	return nil
}

func (c *conn) Read(p []byte) (int, error) {
	if err := c.enter(); err != nil {
		return 0, err
	}
	defer c.using.Done()
	late := time.NewTimer(readTimeout)
	defer late.Stop()
	for waited := false; ; waited = true {
		w := c.wire
		w.mu.Lock()
		if w.gone {
			w.mu.Unlock()
			if waited {
				return 0, &fs.PathError{Op: "read", Path: c.name, Err: syscall.EIO}
			}
			return 0, io.EOF
		}
		if len(w.up) > 0 {
			n := copy(p, w.up[0])
			w.waiting -= n
			if w.up[0] = w.up[0][n:]; len(w.up[0]) == 0 {
				w.up = w.up[1:]
			}
			w.mu.Unlock()
			return n, nil
		}
		changed := w.changed
		w.mu.Unlock()
		select {
		case <-changed:
		case <-late.C:
			return 0, io.EOF
		}
	}
}

func (c *conn) Write(p []byte) (int, error) {
	if err := c.enter(); err != nil {
		return 0, err
	}
	defer c.using.Done()
	written := 0
	for {
		w := c.wire
		w.mu.Lock()
		if w.gone {
			w.mu.Unlock()
			return written, &fs.PathError{Op: "write", Path: c.name, Err: syscall.EIO}
		}
		n := min(len(p)-written, toModem-len(w.down))
		if n > 0 {
			w.down = append(w.down, p[written:written+n]...)
			written += n
			w.change()
		}
		changed := w.changed
		w.mu.Unlock()
		if written == len(p) {
			return written, nil
		}
		<-changed
	}
}

func (c *conn) Close() error {
	c.closing.Lock()
	if c.closed {
		c.closing.Unlock()
		return &fs.PathError{Op: "close", Path: c.name, Err: os.ErrClosed}
	}
	c.closed = true
	c.closing.Unlock()
	c.using.Wait()
	return nil
}
