// Package acquirer is an acquirer who speaks ISO 8583:1987, for tests and rehearsals: he authorises, takes, reverses and refunds, and keeps books that a test compares
// with what the box believes.
//
// It exists because no acquirer lets a test cut his connection, answer twice or be late. What he says to a card is decided by the networks' public test numbers and, for
// the others, by the last two digits of the amount: 10.05 is declined with code 05 ([Outcome]). What goes wrong on the way is scripted, one [Fault] for each
// question about money.
//
// It promises what a good acquirer does: a reference number (field 37) that comes a second time is answered as it was the first time; a reversal of what hasn't come
// yet is remembered, and what comes after it is declined; advices are taken once. Cards stay in locked pages and are in no book, so that a memory search of a test's process
// finds those that the box leaves and no others. It must never be reached by a shipped program.
package acquirer

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"time"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
	"github.com/flattone/flattone/daemon/gateway/wiping"
)

// Acquirer is one. Safe for concurrent use.
type Acquirer struct {
	form message.Form
	tls  *tls.Config
	work sync.WaitGroup
	stop chan struct{}

	mu      sync.Mutex
	conns   map[net.Conn]bool
	script  []Fault
	met     chan struct{} // who waits for the next question; nil: nobody
	refuses bool
	deaf    bool
	books   map[string]*Entry
	heard   []string
}

// New makes an acquirer without books. Of a TLS config he does the server's side; nil is plain.
func New(form message.Form, secure *tls.Config) *Acquirer {
	return &Acquirer{form: form, tls: secure, stop: make(chan struct{}), conns: map[net.Conn]bool{}, books: map[string]*Entry{}}
}

// Serve takes connections until the listener is closed.
func (a *Acquirer) Serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		a.Take(conn)
	}
}

// Take has him serve a connection.
func (a *Acquirer) Take(conn net.Conn) {
	if a.tls != nil {
		conn = tls.Server(wiping.Under(conn), a.tls)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conns[conn] = true
	a.work.Go(func() { a.serve(conn) })
}

// HangUp ends the connections that there are.
func (a *Acquirer) HangUp() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for conn := range a.conns {
		conn.Close()
	}
}

// Close ends all connections, and waits until nobody serves one any more.
func (a *Acquirer) Close() {
	close(a.stop)
	a.HangUp()
	a.work.Wait()
}

// Refuse has him refuse sign-ons, or no longer.
func (a *Acquirer) Refuse(yes bool) { a.mu.Lock(); defer a.mu.Unlock(); a.refuses = yes }

// Ignore has him ignore echoes, or no longer.
func (a *Acquirer) Ignore(yes bool) { a.mu.Lock(); defer a.mu.Unlock(); a.deaf = yes }

// Heard are the types of the messages that came, in order, without those of network management.
func (a *Acquirer) Heard() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.heard...)
}

// client is a connection with the memory that it takes.
type client struct {
	net.Conn
	page, aside []byte
	writing     sync.Mutex
	held        func() // an answer that waits for the next one
}

// write sends a frame, or what a fault made of it.
func (c *client) write(b []byte, secrets [][2]int) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.SetWriteDeadline(time.Now().Add(time.Second)) // who doesn't read any more holds nobody up
	wiping.Write(c, b, secrets)
}

func (a *Acquirer) serve(conn net.Conn) {
	defer func() {
		conn.Close()
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.conns, conn)
	}()
	c := &client{Conn: conn}
	for _, page := range []*[]byte{&c.page, &c.aside} {
		b, err := locked.Bytes(message.MostBytes)
		if err != nil {
			return
		}
		defer locked.Free(b)
		*page = b
	}
	for {
		head := c.page[:message.LengthBytes]
		if _, err := io.ReadFull(conn, head); err != nil {
			return
		}
		n, err := a.form.Length(head)
		if err != nil {
			return
		}
		rest := c.page[len(head) : len(head)+n]
		if _, err := io.ReadFull(conn, rest); err != nil {
			return
		}
		body, err := a.form.Body(rest)
		if err != nil {
			return
		}
		m, err := message.Decode(a.form, body)
		if err != nil || !a.answer(c, m) {
			return
		}
		clear(c.page)
		clear(c.aside)
	}
}
