package iso8583

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
	"github.com/flattone/flattone/daemon/gateway/wiping"
)

// link is one connection: questions go out one after the other, and one goroutine reads the answers (listen.go).
type link struct {
	c       *Connector
	conn    net.Conn
	raw     net.Conn       // below TLS
	page    []byte         // what is being read
	aside   []byte         // what of it may be secret, in characters
	writing chan struct{}  // holds one: who took it writes
	work    sync.WaitGroup // the reader, and who obliges
	obliges atomic.Bool    // somebody does

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
	l.work.Go(func() { l.fail(l.listen()) })
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

// end closes the connection, waits for who works with it, and wipes what was read.
func (l *link) end(why error) {
	l.fail(why)
	l.work.Wait()
	locked.Free(l.page)
	locked.Free(l.aside)
}

// ask sends a question, wipes it, and waits for its answer until ctx ends. It is [gateway.ErrNotSent] if nothing of it left.
func (l *link) ask(ctx context.Context, q *question) (answer, error) {
	to := make(chan answer, 1)
	err := l.write(ctx, q, to)
	q.wipe() // its answer may take long
	if err != nil {
		return answer{}, err
	}
	defer l.forget(q.trace, to)
	var why error
	select {
	case a := <-to:
		return a, nil
	case <-ctx.Done():
		why = fmt.Errorf("%w: %w", errNoAnswer, ctx.Err())
	case <-l.down:
		why = fmt.Errorf("%w: %w", errLost, l.why())
	}
	select {
	case a := <-to: // it came just before
		return a, nil
	default:
		return answer{}, why
	}
}

// write sends a question, and has its answer go to the channel, if there is one. An acquirer who doesn't take what is sent until ctx ends is away: half a frame can't be taken back.
func (l *link) write(ctx context.Context, q *question, to chan answer) error {
	select {
	case l.writing <- struct{}{}:
		defer func() { <-l.writing }()
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return notSent(ctx.Err())
	}
	l.mu.Lock()
	if l.lost != nil {
		defer l.mu.Unlock()
		return notSent(fmt.Errorf("%w: %w", errAway, l.lost))
	}
	if to != nil {
		l.waiting[q.trace] = waiter{q.answer, to}
	}
	l.mu.Unlock()
	if err := l.put(ctx, q); err != nil {
		l.fail(fmt.Errorf("the acquirer takes nothing more: %w", err))
		l.forget(q.trace, to)
		return fmt.Errorf("%w: %w", errLost, l.why())
	}
	return nil
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
	secrets := q.secrets
	if l.conn == l.raw { // no TLS that could keep them
		secrets = nil
	}
	err := wiping.Write(l.conn, q.frame, secrets)
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
