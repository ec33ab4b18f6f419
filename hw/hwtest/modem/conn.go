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

const readTimeout = 100 * time.Millisecond

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
