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
	conns   map[*client]bool
	script  []Fault
	queue   []request
	met     chan struct{} // who waits for the next question; nil: nobody
	refuses bool
	deaf    bool
	books   map[string]*Entry
	heard   []string
	echoed  int
	journal io.Writer // nil: the books are in memory alone
}

// New makes an acquirer without books. Of a TLS config he does the server's side; nil is plain.
func New(form message.Form, secure *tls.Config) *Acquirer {
	return &Acquirer{form: form, tls: secure, stop: make(chan struct{}), conns: map[*client]bool{}, books: map[string]*Entry{}}
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
	c := &client{Conn: conn}
	a.conns[c] = true
	a.work.Go(func() { a.serve(c) })
}

// HangUp ends the connections that there are.
func (a *Acquirer) HangUp() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for c := range a.conns {
		c.Close()
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

// Echo has him ask on each connection whether the box is there.
func (a *Acquirer) Echo() {
	page := make([]byte, 256)
	n, _, err := encode(page, a.form, "0800", map[int]string{7: "0101000000", 11: "1", 41: "HOST", 70: "301"}, nil, "")
	if err != nil {
		panic(err) // nothing in it comes from elsewhere
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for c := range a.conns {
		c.write(page[:n], nil)
	}
}

// Echoed is how many echoes of his were answered.
func (a *Acquirer) Echoed() int { a.mu.Lock(); defer a.mu.Unlock(); return a.echoed }

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

func (a *Acquirer) serve(c *client) {
	defer func() {
		c.Close()
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.conns, c)
	}()
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
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		n, err := a.form.Length(head)
		if err != nil {
			return
		}
		rest := c.page[len(head) : len(head)+n]
		if _, err := io.ReadFull(c, rest); err != nil {
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
