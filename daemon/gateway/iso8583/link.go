package iso8583

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
	"github.com/flattone/flattone/daemon/gateway/wiping"
)

// link is one connection: questions go out one after the other, and one goroutine reads the answers.
type link struct {
	c       *Connector
	conn    net.Conn
	raw     net.Conn      // below TLS
	page    []byte        // what is being read
	aside   []byte        // what of it may be secret, in characters
	writing chan struct{} // holds one: who took it writes
	read    sync.WaitGroup

	mu      sync.Mutex
	waiting map[trace]waiter
	lost    error         // set once, before down is closed
	down    chan struct{} // closed with the connection
}

// waiter is somebody who waits for an answer of a type.
type waiter struct {
	mti string
	to  chan answer // holds one
}

func newLink(c *Connector, conn, raw net.Conn) (*link, error) {
	page, err := locked.Bytes(message.MostBytes)
	if err != nil {
		return nil, err
	}
	aside, err := locked.Bytes(message.MostBytes)
	if err != nil {
		return nil, errors.Join(err, locked.Free(page))
	}
	l := &link{c: c, conn: conn, raw: raw, page: page, aside: aside, writing: make(chan struct{}, 1), waiting: map[trace]waiter{}, down: make(chan struct{})}
	l.read.Go(func() { l.fail(l.listen()) })
	return l, nil
}

// fail closes the connection, for the first reason that is given.
func (l *link) fail(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost == nil {
		l.lost = why
		l.conn.Close()
		close(l.down)
	}
}

func (l *link) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// end closes the connection, waits for its reader, and wipes what it read.
func (l *link) end(why error) {
	l.fail(why)
	l.read.Wait()
	locked.Free(l.page)
	locked.Free(l.aside)
}

// ask sends a question and waits for its answer until ctx ends. It is [gateway.ErrNotSent] if nothing of it left.
func (l *link) ask(ctx context.Context, q *question) (answer, error) {
	select {
	case l.writing <- struct{}{}:
	case <-ctx.Done():
		return answer{}, notSent(ctx.Err())
	}
	to, err := l.write(ctx, q)
	<-l.writing
	if err != nil {
		return answer{}, err
	}
	defer l.forget(q.trace, to)
	select {
	case a := <-to:
		return a, nil
	case <-ctx.Done():
		return answer{}, fmt.Errorf("%w: %w", errNoAnswer, ctx.Err())
	case <-l.down:
	}
	select {
	case a := <-to: // it came just before
		return a, nil
	default:
		return answer{}, fmt.Errorf("%w: %w", errLost, l.why())
	}
}

// write sends a question whose answer goes to the channel returned. An acquirer who doesn't take what is sent until ctx ends is away: half a frame can't be taken back.
func (l *link) write(ctx context.Context, q *question) (chan answer, error) {
	if ctx.Err() != nil {
		return nil, notSent(ctx.Err())
	}
	to := make(chan answer, 1)
	l.mu.Lock()
	if l.lost != nil {
		defer l.mu.Unlock()
		return nil, notSent(fmt.Errorf("%w: %w", errAway, l.lost))
	}
	l.waiting[q.trace] = waiter{q.answer, to}
	l.mu.Unlock()
	if err := l.put(ctx, q); err != nil {
		l.fail(fmt.Errorf("the acquirer takes nothing more: %w", err))
		l.forget(q.trace, to)
		return nil, fmt.Errorf("%w: %w", errLost, l.why())
	}
	return to, nil
}

// put writes a frame: many records, few packets. It ends with ctx.
func (l *link) put(ctx context.Context, q *question) error {
	if tcp, is := l.raw.(*net.TCPConn); is {
		tcp.SetNoDelay(false)
		defer tcp.SetNoDelay(true) // what is left goes now
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		l.conn.SetWriteDeadline(time.Unix(1, 0))
		close(ended)
	})
	err := wiping.Write(l.conn, q.frame, q.secrets)
	if !stop() { // it may have ended just after all was written: the next question has a deadline of its own
		<-ended
		l.conn.SetWriteDeadline(time.Time{})
	}
	return err
}

// forget no longer waits.
func (l *link) forget(t trace, to chan answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting[t].to == to {
		delete(l.waiting, t)
	}
}

// listen reads frames until the connection ends, or until one has no length that makes sense: then nobody knows where the next begins. After that it empties what
// the connection holds, so that it is wiped (package wiping).
func (l *link) listen() error {
	for {
		frame, err := l.frame()
		if err == nil {
			l.hear(frame)
			clear(l.page)
			clear(l.aside)
			continue
		}
		if errors.Is(err, message.ErrMalformed) {
			l.c.garbled.Add(1)
		}
		l.conn.Close()
		for err := error(nil); err == nil; {
			_, err = l.conn.Read(l.page)
		}
		clear(l.page)
		return err
	}
}

// frame reads one. It may begin at any time, but who begins one ends it soon.
func (l *link) frame() ([]byte, error) {
	head := l.page[:message.LengthBytes]
	if _, err := io.ReadFull(l.conn, head); err != nil {
		return nil, err
	}
	n, err := l.c.cfg.Form.Length(head)
	if err != nil {
		return nil, err
	}
	if err := l.conn.SetReadDeadline(time.Now().Add(l.c.cfg.Timeout)); err != nil {
		return nil, err
	}
	rest := l.page[len(head) : len(head)+n]
	if _, err := io.ReadFull(l.conn, rest); err != nil {
		return nil, fmt.Errorf("the rest of an answer: %w", err)
	}
	return rest, l.conn.SetReadDeadline(time.Time{})
}

// hear gives an answer to who waits for it.
func (l *link) hear(frame []byte) {
	body, err := l.c.cfg.Form.Body(frame)
	if err != nil {
		l.c.garbled.Add(1)
		return
	}
	m, err := message.Decode(l.c.cfg.Form, body)
	if err != nil {
		l.c.garbled.Add(1)
		return
	}
	t := trace{m.Text(11), m.Text(7)}
	l.mu.Lock()
	defer l.mu.Unlock()
	w, asked := l.waiting[t]
	if !asked || w.mti != m.Type || m.Text(41) != l.c.cfg.Terminal {
		l.c.strays.Add(1)
		return
	}
	delete(l.waiting, t)
	w.to <- read(m, l.aside)
}
