package line

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/wire"
)

// link is the line's connection to flattoned. It dials, says hello, and dials again whenever the connection
// is lost: a line outlives a flattoned that is restarted. Events said while there is none are dropped, since
// the state is told anew on every connection; a card is kept by the session and handed over again.
type link struct {
	log  *slog.Logger
	dial func(context.Context) (*wire.Conn, error)
	// greet is called on each connection: it says first what a new one must be told, and opens it to all others.
	// Then connected is called, before anything is read, heard for each message, and parted when it broke.
	greet     func(say func(wire.Message), open func())
	connected func()
	heard     func(wire.Message)
	parted    func()

	mu    sync.Mutex
	queue *queue // of the connection there is, nil if there is none
	conn  *wire.Conn
}

const (
	firstRedial = 50 * time.Millisecond
	lastRedial  = 2 * time.Second
)

func newLink(socket string, hello wire.Hello, log *slog.Logger) *link {
	return &link{log: log, parted: func() {}, dial: func(ctx context.Context) (*wire.Conn, error) { return wire.Dial(ctx, socket, hello) }}
}

// run keeps the connection until ctx ends. A refusal in words is final, whether it answers the greeting or comes
// after it, but for [wire.ReasonBusy]: a device has one owner, so the other connection is one of the past.
func (l *link) run(ctx context.Context) error {
	wait := firstRedial
	for ctx.Err() == nil {
		c, err := l.dial(ctx)
		if err == nil {
			err = l.serve(ctx, c)
		}
		if ctx.Err() != nil {
			break
		}
		switch refused, ok := errors.AsType[wire.Refused](err); {
		case ok && refused.Reason != wire.ReasonBusy:
			return refused
		case !ok && c != nil:
			wait = firstRedial
		}
		if wait == firstRedial { // once, however long it takes
			l.log.Warn("no connection to flattoned; trying until there is one", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, lastRedial)
	}
	return nil
}

// serve hears one connection until it ends. When ctx ends, what was said by then is still sent.
func (l *link) serve(ctx context.Context, c *wire.Conn) error {
	q := newQueue()
	l.greet(func(m wire.Message) { q.put(outgoing{message: m}) }, func() { l.set(q, c) })
	var sender sync.WaitGroup
	sender.Go(func() {
		q.send(c)
		c.Close()
	})
	defer sender.Wait()
	defer q.close()
	defer func() {
		if ctx.Err() == nil {
			l.parted()
		}
	}()
	defer l.set(nil, nil)
	defer context.AfterFunc(ctx, q.close)()
	l.connected()
	for {
		m, _, err := c.Receive()
		if err != nil {
			return err
		}
		l.heard(m)
	}
}

func (l *link) set(q *queue, c *wire.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue, l.conn = q, c
}

func (l *link) current() (*queue, *wire.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queue, l.conn
}

// say has an event sent, if there is a connection. It never waits.
func (l *link) say(m wire.Message) { l.put(outgoing{message: m}) }

// hand has a card sent, if there is a connection. The card stays the caller's.
func (l *link) hand(m wire.Card, card *secret.Card) {
	if q, _ := l.current(); q == nil {
		return
	}
	mine, err := card.Clone()
	if err != nil {
		l.log.Error("a card can't be handed over now; it will be tried again", "error", err)
		return
	}
	l.put(outgoing{m, mine})
}

// put gives the connection up if flattoned doesn't read: it is told how the line stands on the next one.
func (l *link) put(o outgoing) {
	switch q, c := l.current(); {
	case q == nil:
		o.destroy()
	case !q.put(o):
		c.Close()
	}
}
