package modem

import (
	"io"
	"io/fs"
	"sync"
)

// Of a port in memory, toModem is how much waits for the modem before a Write waits; toProgram how much waits for the program before it is lost. They are about
// what they are in a terminal.
const (
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
